import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Pieces } from './pieces.ts';

/** Bytes that tell their place, so that a mix-up shows. */
function bytesAt(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (offset + i) * 7);
}

function insert(pieces: Pieces, offset: number, length: number, isLast = false): string {
  return pieces.insert(offset, bytesAt(offset, length), isLast);
}

test('parts make the whole in whatever order they come, copies included', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (inner, order) => {
      const edges = [0, ...inner.toSorted((a, b) => a - b), 100];
      const parts = edges.slice(1).map((end, i) => ({ offset: edges[i]!, end, rank: order[i]! }));
      const pieces = new Pieces();
      const seen: typeof parts = [];
      for (const part of parts.toSorted((a, b) => a.rank - b.rank)) {
        assert.equal(pieces.isComplete, false);
        assert.equal(
          insert(pieces, part.offset, part.end - part.offset, part.end === 100),
          'added',
        );
        seen.push(part);
        const again = seen[part.rank % seen.length]!;
        assert.equal(
          insert(pieces, again.offset, again.end - again.offset, again.end === 100),
          'duplicate',
        );
      }
      assert.equal(pieces.isComplete, true);
      assert.equal(pieces.length, 100);
      const whole = new Uint8Array(102);
      pieces.copyTo(whole, 1);
      assert.deepEqual(whole.subarray(1, 101), bytesAt(0, 100));
    }),
  );
});

test('a part that overlaps another is one, and only an exact copy is not', () => {
  const part = fc.record({ offset: fc.nat(20), length: fc.integer({ min: 1, max: 8 }) });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), part, (parts, candidate) => {
      const pieces = new Pieces();
      const held: typeof parts = [];
      for (const one of parts) {
        if (insert(pieces, one.offset, one.length) === 'added') held.push(one);
      }
      const touching = held.filter(
        ({ offset, length }) =>
          offset < candidate.offset + candidate.length && candidate.offset < offset + length,
      );
      const isCopy = touching.some(
        ({ offset, length }) => offset === candidate.offset && length === candidate.length,
      );
      const expected = isCopy ? 'duplicate' : touching.length > 0 ? 'overlap' : 'added';
      assert.equal(insert(pieces, candidate.offset, candidate.length), expected);
    }),
  );
});

test('the same place with other bytes is an overlap', () => {
  const pieces = new Pieces();
  insert(pieces, 8, 8);
  assert.equal(pieces.insert(8, new Uint8Array(8), false), 'overlap');
});

test('a datagram has one end and nothing behind it', () => {
  const twoEnds = new Pieces();
  insert(twoEnds, 16, 8, true);
  assert.equal(insert(twoEnds, 0, 8, true), 'inconsistent');
  assert.equal(insert(twoEnds, 24, 8, true), 'inconsistent');

  const behindTheEnd = new Pieces();
  insert(behindTheEnd, 16, 8, true);
  assert.equal(insert(behindTheEnd, 24, 8), 'inconsistent');

  const endBeforeAnother = new Pieces();
  insert(endBeforeAnother, 16, 8);
  assert.equal(insert(endBeforeAnother, 0, 8, true), 'inconsistent');

  const otherFlag = new Pieces();
  insert(otherFlag, 16, 8);
  assert.equal(insert(otherFlag, 16, 8, true), 'inconsistent');
});

test('what it keeps is a copy', () => {
  const pieces = new Pieces();
  const borrowed = bytesAt(0, 8);
  pieces.insert(0, borrowed, true);
  borrowed.fill(0);
  assert.deepEqual(pieces.first, bytesAt(0, 8));
});
