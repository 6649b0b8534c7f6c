import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FramePool } from './frame-pool.ts';

test('any length is served, small or larger than every class', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 70_000 })), (lengths) => {
      const pool = new FramePool(1_000_000);
      const held = lengths.map((length) => pool.take(length));
      assert.deepEqual(
        held.map((frame) => frame.length),
        lengths,
      );
      assert.equal(new Set(held.map((frame) => frame.buffer)).size, held.length);
      for (const frame of held) pool.give(frame);
      assert.ok(pool.idleBytes <= 1_000_000);
    }),
  );
});

test('memory comes back in its size class, and the view too where the length is the same', () => {
  const pool = new FramePool();
  const frame = pool.take(1514);
  pool.give(frame);
  assert.equal(pool.idleBytes, 2048);
  assert.equal(pool.take(1514), frame);
  pool.give(frame);
  assert.equal(pool.take(1100).buffer, frame.buffer);
  assert.equal(pool.idleBytes, 0);
  assert.equal(pool.take(65_550).buffer.byteLength, 66_560);
});

test('what is kept is bounded', () => {
  const pool = new FramePool(4096);
  for (const frame of [1, 2, 3].map(() => pool.take(2048))) pool.give(frame);
  assert.equal(pool.idleBytes, 4096);
});

test('arrays that are not of the pool are not kept', () => {
  const pool = new FramePool();
  pool.give(new Uint8Array(100));
  pool.give(new Uint8Array(4096).subarray(2048));
  pool.give(new Uint8Array(100_000));
  assert.equal(pool.idleBytes, 0);
});
