import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes } from '../../core/index.ts';
import {
  decodeBlock,
  decodeFragments,
  encodeBlock,
  type Decoded,
  type Triple,
} from '../../../test/http/hpack/blocks.ts';
import { byteByByte, cutAt } from '../../../test/http/messages.ts';
import { HPACK_FAULTS, HpackDecoder, HpackEncoder, type Indexing } from './index.ts';

const anyText = fc
  .uint8Array({ maxLength: 40, size: 'max' })
  .map((bytes) => String.fromCharCode(...bytes));

/** Names and values that come again, and some that do not. */
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(':method', ':path', 'cookie', 'a', 'b', 'x-c') },
  { weight: 1, arbitrary: anyText },
);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', 'GET', '/', '1', '2', 'a value of some length') },
  { weight: 1, arbitrary: anyText },
);
const field: fc.Arbitrary<Triple> = fc.tuple(name, value, fc.boolean());
const list = fc.array(fc.tuple(name, value), { maxLength: 12 });
const indexing = fc.constantFrom<Indexing>('incremental', 'without', 'never');

/** Sizes around those where a table of so small entries evicts. */
const tableSize = fc.oneof(fc.constantFrom(0, 32, 33, 4096, 65_536), fc.nat(300));

function pairs(table: readonly { name: string; value: string }[]): [string, string][] {
  return table.map(({ name, value }) => [name, value]);
}

/** A block to come, the sizes agreed upon before it, and where it is cut. */
const step = fc.record({
  sizes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(tableSize, { maxLength: 3 }) },
  ),
  fields: fc.array(field, { maxLength: 12 }),
  cuts: fc.array(fc.nat(400), { maxLength: 6 }),
});

test('lists are read as they were written, whatever goes into the tables, their sizes and the cuts', () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 8 });
  const policies = fc.array(indexing, { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(steps, policies, tableSize, (steps, policies, ownLimit) => {
      let asked = 0;
      const encoder = new HpackEncoder({
        tableSize: ownLimit,
        indexing: () => policies[asked++ % policies.length]!,
      });
      const decoder = new HpackDecoder();
      for (const { sizes, fields, cuts } of steps) {
        for (const size of sizes) {
          decoder.setTableSize(size);
          encoder.setTableSize(size);
        }
        const block = encodeBlock(encoder, fields);
        assert.deepEqual(decodeFragments(decoder, cutAt(block, cuts)), {
          fields: fields.map(([name, value]) => [name, value]),
          fault: undefined,
          excess: undefined,
        });
        for (const [i, [, , neverIndexed]] of fields.entries()) {
          if (neverIndexed === true) assert.ok(decoder.list[i]!.neverIndexed);
        }
        assert.deepEqual(pairs(decoder.table), pairs(encoder.table));
      }
    }),
    { numRuns: 500 },
  );
});

test('the default policy is one of those', () => {
  fc.assert(
    fc.property(fc.array(list, { maxLength: 6 }), (lists) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      for (const fields of lists) {
        assert.deepEqual(decodeBlock(decoder, encodeBlock(encoder, fields)).fields, fields);
      }
    }),
  );
});

/** Reads a block in two pieces of each cut there is, and byte by byte, each after the same block. */
function decodeInEveryCut(before: Uint8Array, block: Uint8Array): Set<string> {
  const outcomes = new Set<string>();
  const decode = (fragments: Iterable<Uint8Array>) => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, before);
    outcomes.add(JSON.stringify(decodeFragments(decoder, fragments)));
  };
  for (let cut = 0; cut <= block.length; cut++) decode(cutAt(block, [cut]));
  decode(byteByByte(block));
  return outcomes;
}

test('a block is the same wherever it is cut', () => {
  const lists = fc.tuple(list, fc.array(field, { maxLength: 6 }));
  fc.assert(
    fc.property(lists, ([first, second]) => {
      const encoder = new HpackEncoder();
      const before = encodeBlock(encoder, first);
      const outcomes = decodeInEveryCut(before, encodeBlock(encoder, second));
      assert.deepEqual(
        [...outcomes],
        [JSON.stringify({ fields: second.map(([name, value]) => [name, value]) })],
      );
    }),
    { numRuns: 60 },
  );
});

const LIMITS = { listSize: 300, fieldCount: 6, decodedSize: 900, blockBytes: 500 };

function sizeOf(fields: readonly { size: number }[]): number {
  return fields.reduce((sum, { size }) => sum + size, 0);
}

/** Reads blocks, and sees that a fault is one of those there are, and that no limit is exceeded. */
function decodeWithinLimits(blocks: readonly Uint8Array[], isByteByByte: boolean): Decoded[] {
  const decoder = new HpackDecoder(LIMITS);
  return blocks.map((block) => {
    const fragments = isByteByByte ? byteByByte(block) : [block];
    const decoded = decodeFragments(decoder, fragments);
    assert.ok(decoded.fault === undefined || Object.hasOwn(HPACK_FAULTS, decoded.fault));
    assert.ok(sizeOf(decoder.table) <= 4096);
    assert.ok(sizeOf(decoder.list) <= LIMITS.listSize);
    assert.ok(decoder.list.length <= LIMITS.fieldCount);
    assert.equal(decoder.dropped > 0, decoder.excess !== undefined);
    return decoded;
  });
}

/** Blocks of one connection, some bytes of which were changed. */
const nearBlocks = fc
  .record({
    lists: fc.array(list, { minLength: 1, maxLength: 4 }),
    changes: fc.array(fc.tuple(fc.nat(3), fc.nat(200), fc.nat(255)), { maxLength: 4 }),
  })
  .map(({ lists, changes }) => {
    const encoder = new HpackEncoder({ indexing: () => 'incremental' });
    const blocks = lists.map((fields) => encodeBlock(encoder, fields));
    for (const [block, at, byte] of changes) {
      const changed = blocks[block % blocks.length]!;
      if (changed.length > 0) changed[at % changed.length] = byte;
    }
    return blocks;
  });

test('any bytes, and blocks that were changed, give lists or a fault within the limits, the same however they are cut', () => {
  const anyBlocks = fc.array(fc.uint8Array({ maxLength: 60, size: 'max' }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.oneof(anyBlocks, nearBlocks), (blocks) => {
      const short = blocks.map((block) => block.subarray(0, LIMITS.blockBytes));
      assert.deepEqual(decodeWithinLimits(short, true), decodeWithinLimits(short, false));
    }),
    { numRuns: 3000 },
  );
});

test('a block of any length ends within the limits', () => {
  const long = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200, size: 'max' }), {
    minLength: 3,
    maxLength: 12,
  });
  fc.assert(
    fc.property(long, (parts) => {
      decodeWithinLimits([concatBytes(parts)], false);
      decodeWithinLimits([concatBytes(parts)], true);
    }),
  );
});
