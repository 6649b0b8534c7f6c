import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkPool } from './chunk-pool.ts';

const KIB = 1024;

test('a copy is a copy, of any length', () => {
  const pool = new ChunkPool();
  for (const length of [0, 1, 16 * KIB - 1, 16 * KIB, 40_000, 64 * KIB, 64 * KIB + 1]) {
    const chunk = new Uint8Array(length).fill(7);
    const copy = pool.copy(chunk);
    assert.deepEqual(copy, chunk);
    chunk.fill(8);
    assert.ok(
      copy.every((byte) => byte === 7),
      `${length} bytes`,
    );
  }
});

test('the memory of a large copy is used again once it is released, and not before', () => {
  const pool = new ChunkPool();
  const [one, two] = [pool.copy(new Uint8Array(30_000)), pool.copy(new Uint8Array(30_000))];
  assert.notEqual(one.buffer, two.buffer);
  pool.release(one);
  const three = pool.copy(new Uint8Array(64 * KIB));
  assert.equal(three.buffer, one.buffer);
  assert.equal(three.length, 64 * KIB);
});

test('what the pool has not lent, or has back, is passed over', () => {
  const pool = new ChunkPool();
  pool.release(new Uint8Array(30_000));
  pool.release(pool.copy(new Uint8Array(100)));
  assert.equal(pool.free, 0);
  const copy = pool.copy(new Uint8Array(30_000));
  pool.release(copy);
  pool.release(copy);
  assert.equal(pool.free, 1);
});

test('what waits for its next use is bounded', () => {
  const pool = new ChunkPool();
  const copies = Array.from({ length: 600 }, () => pool.copy(new Uint8Array(20_000)));
  for (const copy of copies) pool.release(copy);
  assert.equal(pool.free, 512);
});

test('who keeps a chunk of a block has the block, and the next who does has a copy', () => {
  const pool = new ChunkPool();
  const block = pool.block();
  let kept: Uint8Array[] = [];
  const keepTwice = {
    data: (chunk: Uint8Array): void => {
      kept = [pool.copy(chunk), pool.copy(chunk)];
    },
  };
  assert.equal(pool.lend(block.fill(7).subarray(0, 20_000), keepTwice), true);
  assert.equal(kept[0]!.buffer, block.buffer);
  assert.notEqual(kept[1]!.buffer, block.buffer);
  assert.deepEqual(kept[1], kept[0]);
  pool.release(kept[0]!);
  assert.equal(pool.block().buffer, block.buffer);
});

test('a block stays with its owner while nobody keeps what is in it', () => {
  const pool = new ChunkPool();
  const block = pool.block();
  let copy: Uint8Array | undefined;
  const keep = {
    data: (chunk: Uint8Array): void => {
      copy = pool.copy(chunk);
    },
  };
  assert.equal(pool.lend(block, { data: () => undefined }), false);
  // A few bytes are not worth a block.
  assert.equal(pool.lend(block.subarray(0, 100), keep), false);
  assert.notEqual(copy!.buffer, block.buffer);
  // What is no block of the pool is copied, and its owner told that it was wanted.
  const other = new Uint8Array(20_000);
  assert.equal(pool.lend(other, keep), true);
  assert.notEqual(copy!.buffer, other.buffer);
  // After the loan it is a chunk as any other.
  assert.notEqual(pool.copy(block).buffer, block.buffer);
});
