/** Data beyond a gap, against an array of bytes that are there or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Reassembly } from './reassembly.ts';

const SPACE = 80;
const MANY = 1000;

/** A piece of the stream, by offset. */
interface Piece {
  readonly at: number;
  readonly length: number;
}

const piece: fc.Arbitrary<Piece> = fc
  .record({ at: fc.nat(SPACE - 1), length: fc.integer({ min: 1, max: 25 }) })
  .map(({ at, length }) => ({ at, length: Math.min(length, SPACE - at) }));

/** Numbers that wrap around within the space, either way, and any others. */
const isn = fc.oneof(
  fc.integer({ min: -SPACE, max: 0 }),
  fc.integer({ min: 2 ** 31 - SPACE, max: 2 ** 31 - 1 }),
  fc.integer(),
);

/** Each byte is told apart by its place and by the piece it first came with. */
function textOf({ at, length }: Piece, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (at + i) * 3 + salt * 7);
}

/** The queue and the model. */
class Comparison {
  readonly reassembly: Reassembly;
  readonly #isn: number;
  readonly #limit: number;
  readonly #bytes: (number | undefined)[] = Array.from({ length: SPACE });
  /** One place in each range that was touched, the latest last. */
  readonly #touched: number[] = [];

  constructor(isn: number, limit: number) {
    this.#isn = isn;
    this.#limit = limit;
    this.reassembly = new Reassembly(limit);
  }

  insert(it: Piece, salt: number): void {
    const text = textOf(it, salt);
    const borrowed = text.slice();
    const taken = this.reassembly.insert(this.#number(it.at), borrowed);
    borrowed.fill(0xff);
    const end = it.at + it.length;
    const isCovered = this.#bytes
      .slice(it.at, it.at + it.length)
      .every((byte) => byte !== undefined);
    assert.equal(this.reassembly.covers(this.#number(it.at), it.length), isCovered || taken);
    // What begins or ends where a range does makes it longer.
    const touches = this.ranges().some(([from, to]) => from <= end && to >= it.at);
    if (!touches && this.ranges().length >= this.#limit) {
      assert.equal(taken, false);
      return;
    }
    let news = 0;
    for (const [i, byte] of text.entries()) {
      if (this.#bytes[it.at + i] !== undefined) continue;
      this.#bytes[it.at + i] = byte;
      news++;
    }
    assert.equal(taken, news > 0, 'whether anything was taken');
    this.#touched.push(it.at);
  }

  /** Takes what can be delivered when all before `at` has come; answers up to where it reaches. */
  take(at: number): number {
    const expected: number[] = [];
    let end = at;
    for (; this.#bytes[end] !== undefined; end++) expected.push(this.#bytes[end]!);
    const chunks = this.reassembly.take(this.#number(at));
    assert.deepEqual(
      chunks.flatMap((chunk) => [...chunk]),
      expected,
    );
    this.#bytes.fill(undefined, 0, end);
    return end;
  }

  check(): void {
    const ranges = this.ranges();
    assert.equal(this.reassembly.size, ranges.length);
    assert.ok(ranges.length <= this.#limit);
    assert.equal(this.reassembly.isEmpty, ranges.length === 0);
    assert.equal(this.reassembly.length, this.#bytes.filter((byte) => byte !== undefined).length);
    const edges = new Int32Array(2 * MANY);
    const count = this.reassembly.report(edges, 0, MANY);
    const reported = Array.from({ length: count }, (_, i) => [
      (edges[2 * i]! - this.#isn) | 0,
      (edges[2 * i + 1]! - this.#isn) | 0,
    ]);
    assert.deepEqual(reported, this.#newestFirst(ranges), 'the SACK blocks');
  }

  /** The pieces without gap, in order. */
  ranges(): [number, number][] {
    const ranges: [number, number][] = [];
    for (const [i, byte] of this.#bytes.entries()) {
      if (byte === undefined) continue;
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === i) last[1]++;
      else ranges.push([i, i + 1]);
    }
    return ranges;
  }

  /** RFC 2018, section 4: the first block is the one that holds what came last, and so on back. */
  #newestFirst(ranges: [number, number][]): [number, number][] {
    const age = ([from, to]: [number, number]): number =>
      this.#touched.findLastIndex((at) => at >= from && at < to);
    return ranges.toSorted((a, b) => age(b) - age(a));
  }

  #number(offset: number): number {
    return (this.#isn + offset) | 0;
  }
}

test('pieces in any order, overlapping or not, make the stream; what came first is kept', () => {
  fc.assert(
    fc.property(isn, fc.array(piece, { maxLength: 30, size: 'max' }), (number, pieces) => {
      const comparison = new Comparison(number, MANY);
      for (const [salt, next] of pieces.entries()) {
        comparison.insert(next, salt);
        comparison.check();
      }
    }),
    { numRuns: 500 },
  );
});

test('what is next is taken whole, and what lies before it forgotten, as the gaps close one by one', () => {
  const step = fc.oneof({ weight: 3, arbitrary: piece }, fc.nat(SPACE));
  fc.assert(
    fc.property(isn, fc.array(step, { maxLength: 30, size: 'max' }), (number, steps) => {
      const comparison = new Comparison(number, MANY);
      let next = 0;
      for (const [salt, it] of steps.entries()) {
        if (typeof it === 'number') next = comparison.take(Math.max(next, it));
        else if (it.at >= next) comparison.insert(it, salt);
        comparison.check();
      }
    }),
    { numRuns: 500 },
  );
});

test('no more ranges are kept than the limit, and what makes one longer is taken all the same', () => {
  fc.assert(
    fc.property(isn, fc.array(piece, { maxLength: 30, size: 'max' }), (number, pieces) => {
      const comparison = new Comparison(number, 3);
      for (const [salt, next] of pieces.entries()) {
        comparison.insert(next, salt);
        comparison.check();
      }
    }),
    { numRuns: 300 },
  );
});

test('of many ranges as many are reported as there is room for, from the place asked for', () => {
  const reassembly = new Reassembly(10);
  for (const start of [10, 30, 20]) reassembly.insert(start, new Uint8Array(5));
  const edges = new Int32Array(6).fill(-1);
  assert.equal(reassembly.report(edges, 2, 2), 2);
  assert.deepEqual([...edges], [-1, -1, 20, 25, 30, 35]);
});

test('a block comes first again when something in it has come again (RFC 2018, section 4)', () => {
  const reassembly = new Reassembly(10);
  for (const start of [10, 30, 10]) reassembly.insert(start, new Uint8Array(5));
  const edges = new Int32Array(2);
  reassembly.report(edges, 0, 1);
  assert.deepEqual([...edges], [10, 15]);
});

test('after clear there is nothing', () => {
  const reassembly = new Reassembly(10);
  reassembly.insert(10, new Uint8Array(5));
  reassembly.clear();
  assert.deepEqual([reassembly.size, reassembly.length], [0, 0]);
  assert.deepEqual(reassembly.take(10), []);
});

test('bytes that come one by one, either way, are held in few pieces', () => {
  for (const order of [(i: number) => i, (i: number) => 9999 - i]) {
    const reassembly = new Reassembly(10);
    for (let i = 0; i < 10_000; i++) reassembly.insert(order(i), Uint8Array.of(order(i)));
    const chunks = reassembly.take(0);
    assert.ok(chunks.length <= 20, `${chunks.length} pieces`);
    assert.deepEqual(
      chunks.flatMap((chunk) => [...chunk]),
      Array.from({ length: 10_000 }, (_, i) => i & 255),
    );
  }
});
