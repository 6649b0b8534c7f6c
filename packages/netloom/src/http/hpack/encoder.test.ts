import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NetloomError, toHex } from '../../core/index.ts';
import { decodeBlock, encodeBlock, type Triple } from '../../../test/http/hpack/blocks.ts';
import {
  BLOCK_START_BYTES_AT_MOST,
  HpackDecoder,
  HpackEncoder,
  defaultIndexing,
  encodedFieldBytesAtMost,
} from './index.ts';

/** The first byte of a field's representation, which tells what becomes of it: as text. */
function representation(encoder: HpackEncoder, field: Triple): string {
  const [first] = encodeBlock(encoder, [field]);
  if (first! >= 0x80) return 'indexed';
  if (first! >= 0x40) return 'incremental';
  if (first! >= 0x20) return 'table size';
  return first! >= 0x10 ? 'never' : 'without';
}

test('what is worth it goes into the table, secrets never do', () => {
  // [name, value, how it is sent first, how again]
  const table = [
    [':method', 'GET', 'indexed', 'indexed'],
    [':method', 'PATCH', 'incremental', 'indexed'],
    [':authority', 'example.org', 'incremental', 'indexed'],
    [':path', '/', 'indexed', 'indexed'],
    [':path', '/about', 'without', 'without'],
    [':status', '200', 'indexed', 'indexed'],
    ['content-length', '12', 'without', 'without'],
    ['etag', '"x"', 'without', 'without'],
    ['age', '3', 'without', 'without'],
    ['content-type', 'text/html; charset=utf-8', 'incremental', 'indexed'],
    ['x-own', 'yes', 'incremental', 'indexed'],
    ['authorization', 'Bearer 0123456789012345678901234567890123456789', 'never', 'never'],
    ['proxy-authorization', 'Basic x', 'never', 'never'],
    ['set-cookie', 'id=0123456789012345678901234567890123456789', 'never', 'never'],
    ['cookie', 'id=0123456789012345', 'never', 'never'],
    ['cookie', 'id=01234567890123456', 'incremental', 'indexed'],
    ['x-large', 'x'.repeat(3034), 'without', 'without'],
    ['x-large', 'x'.repeat(3033), 'incremental', 'indexed'],
  ] as const;
  const encoder = new HpackEncoder();
  for (const [name, value, first, again] of table) {
    assert.equal(representation(encoder, [name, value]), first, name);
    assert.equal(representation(encoder, [name, value]), again, name);
  }
});

test('a field that is never to be indexed stays so, though a table has it', () => {
  const encoder = new HpackEncoder();
  assert.equal(representation(encoder, ['x-own', 'yes']), 'incremental');
  assert.equal(representation(encoder, ['x-own', 'yes', true]), 'never');
  assert.equal(representation(encoder, [':method', 'GET', true]), 'never');
  const decoder = new HpackDecoder();
  decodeBlock(decoder, encodeBlock(encoder, [['x-token', 'abc', true]]));
  assert.equal(decoder.list[0]!.neverIndexed, true);
  assert.deepEqual(decoder.table, []);
});

test('the policy is asked about fields that no table has, with the size there is', () => {
  const asked: unknown[] = [];
  const encoder = new HpackEncoder({
    tableSize: 1000,
    indexing: (...field) => {
      asked.push(field);
      return 'incremental';
    },
  });
  encodeBlock(encoder, [
    [':method', 'GET'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  assert.deepEqual(asked, [['a', 'b', 1000]]);
  assert.equal(defaultIndexing('a', 'b', 0), 'without');
});

test('a name that a table has is sent as its index', () => {
  const encoder = new HpackEncoder();
  assert.equal(toHex(encodeBlock(encoder, [['etag', '~']])), '0f13017e');
  assert.equal(toHex(encodeBlock(encoder, [['x~', '~']])), '4002787e017e');
  assert.equal(toHex(encodeBlock(encoder, [['x~', '^']])), '7e015e');
});

test('a string is Huffman-coded if that makes it shorter, and only then', () => {
  const encoder = new HpackEncoder({ indexing: () => 'without' });
  // 'aaa' takes 15 bits, 'aa' 10, '~' 13.
  assert.equal(toHex(encodeBlock(encoder, [['age', 'aaa']])), '0f068218c7');
  assert.equal(toHex(encodeBlock(encoder, [['age', 'aa']])), '0f06026161');
  assert.equal(toHex(encodeBlock(encoder, [['age', '~']])), '0f06017e');
  assert.equal(toHex(encodeBlock(encoder, [[':status', '']])), '0800');
});

/** The table's size as it is told at the start of a block, in hexadecimal. */
function blockStart(encoder: HpackEncoder): string {
  return toHex(encodeBlock(encoder, []));
}

test('a smaller table of the peer is told at the start of the next block, once', () => {
  const encoder = new HpackEncoder();
  assert.equal(blockStart(encoder), '');
  encoder.setTableSize(100);
  assert.equal(blockStart(encoder), '3f45');
  assert.equal(blockStart(encoder), '');
});

test('of several sizes between two blocks the smallest is told, then the last (RFC 7541, section 4.2)', () => {
  const encoder = new HpackEncoder();
  for (const size of [1000, 0, 100]) encoder.setTableSize(size);
  assert.equal(blockStart(encoder), '203f45');
  for (const size of [1000, 100]) encoder.setTableSize(size);
  assert.equal(blockStart(encoder), '', 'nothing has become of it');
  for (const size of [50, 100]) encoder.setTableSize(size);
  assert.equal(blockStart(encoder), '3f133f45');
  for (const size of [100, 50]) encoder.setTableSize(size);
  assert.equal(blockStart(encoder), '3f13');
});

test('what a table loses while it is small it has lost, on both sides', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const fields: Triple[] = [
    ['a', '1'],
    ['b', '2'],
  ];
  decodeBlock(decoder, encodeBlock(encoder, fields));
  for (const size of [40, 4096]) {
    encoder.setTableSize(size);
    decoder.setTableSize(size);
  }
  const block = encodeBlock(encoder, fields);
  assert.deepEqual(decodeBlock(decoder, block).fields, fields);
  assert.deepEqual(
    decoder.table.map(({ name }) => name),
    ['a', 'b'],
  );
});

test('the table is no larger than its own limit, whatever the peer allows', () => {
  const small = new HpackEncoder({ tableSize: 100 });
  assert.equal(blockStart(small), '3f45');
  small.setTableSize(65_536);
  assert.equal(blockStart(small), '');

  const large = new HpackEncoder({ tableSize: 8192 });
  assert.equal(blockStart(large), '');
  large.setTableSize(65_536);
  assert.equal(blockStart(large), '3fe13f');
});

test('a table of no size is never written to', () => {
  const encoder = new HpackEncoder({ tableSize: 0 });
  assert.equal(blockStart(encoder), '20');
  assert.equal(representation(encoder, ['a', 'b']), 'without');
});

function isOverflow(error: NetloomError): boolean {
  return error.code === 'BYTES_OVERFLOW';
}

test('a buffer without room is refused before anything is changed', () => {
  const encoder = new HpackEncoder();
  const room = encodedFieldBytesAtMost('name', 'value');
  assert.throws(() => encoder.field(new Uint8Array(room), 1, 'name', 'value'), isOverflow);
  encoder.setTableSize(0);
  const start = new Uint8Array(BLOCK_START_BYTES_AT_MOST);
  assert.throws(() => encoder.begin(start, 1), isOverflow);
  encoder.setTableSize(4096);
  assert.equal(toHex(start.subarray(0, encoder.begin(start, 0))), '203fe11f');
  assert.equal(representation(encoder, ['name', 'value']), 'incremental');
});
