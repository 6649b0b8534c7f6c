import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkPool } from '../../core/index.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

const KIB = 1024;

/** Keeps what it is handed, as a relay does. */
function keeper(): { kept: Uint8Array[]; data(chunk: Uint8Array): void } {
  const kept: Uint8Array[] = [];
  return { kept, data: (chunk) => void kept.push(chunkPool.copy(chunk)) };
}

const reader = { data: (): void => undefined };

test('sockets share one buffer while nobody keeps what they receive', () => {
  const [one, two] = [new ReceiveBuffer(), new ReceiveBuffer()];
  const shared = one.bytes;
  assert.equal(two.bytes, shared);
  one.handOn(64 * KIB, reader);
  assert.equal(one.bytes, shared);
  // A few bytes are copied.
  one.handOn(100, keeper());
  assert.equal(one.bytes, shared);
});

test('from the first large chunk that is kept on, chunks are kept where they were received', () => {
  const buffer = new ReceiveBuffer();
  const shared = buffer.bytes;
  const keeping = keeper();
  for (let round = 0; round < 4; round++) {
    buffer.bytes.fill(round);
    buffer.handOn(40 * KIB, keeping);
  }
  const { kept } = keeping;
  assert.deepEqual(
    kept.map((chunk) => [chunk.length, chunk[0], chunk.at(-1)]),
    [0, 1, 2, 3].map((round) => [40 * KIB, round, round]),
  );
  const buffers = new Set([...kept, buffer.bytes].map((bytes) => bytes.buffer));
  assert.equal(buffers.size, 5, 'none of them in the same place as another');
  assert.ok(!buffers.has(shared.buffer));
  const own = buffer.bytes;
  buffer.handOn(100, keeping);
  assert.equal(buffer.bytes, shared);
  assert.equal(chunkPool.block().buffer, own.buffer, 'the pool has it back');
});

test('a block that was kept is not given back with the buffer, one that was not is', () => {
  const buffer = new ReceiveBuffer();
  const keeping = keeper();
  buffer.handOn(64 * KIB, keeping);
  const own = buffer.bytes;
  buffer.handOn(64 * KIB, keeping);
  assert.equal(keeping.kept[1]!.buffer, own.buffer);
  const before = chunkPool.free;
  buffer.release();
  buffer.release();
  assert.equal(chunkPool.free, before + 1);
});
