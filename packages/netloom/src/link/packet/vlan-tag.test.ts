import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putTagBack } from './vlan-tag.ts';

/** A virtio header whose checksum starts at 34 (or is complete), and a frame of so many bytes that count up. */
function received(flags: number, frameLength: number, room = 0): Uint8Array {
  const frame = Array.from({ length: frameLength }, (_, index) => index + 1);
  return Uint8Array.of(flags, 1, 66, 0, 100, 0, 34, 0, 16, 0, ...frame, ...Array(room).fill(0xee));
}

test('the tag is put between the addresses and the type, and the checksum starts further on', () => {
  const bytes = received(1, 20, 6);
  assert.equal(putTagBack(bytes, 30, 0x88a8, 0xa00a), 34);
  const [header, frame] = [bytes.subarray(0, 10), bytes.subarray(10)];
  assert.deepEqual([...header], [1, 1, 66, 0, 100, 0, 38, 0, 16, 0]);
  assert.deepEqual(
    [...frame],
    [
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xa8, 0xa0, 0x0a, 13, 14, 15, 16, 17, 18, 19, 20,
    ].concat([0xee, 0xee]),
  );
});

test('where no checksum is left to be finished, its start is not touched', () => {
  const bytes = received(2, 14, 4);
  assert.equal(putTagBack(bytes, 24, 0x8100, 10), 28);
  assert.equal(bytes[6], 34);
});

test('a frame that fills its room loses its end, and one without a type is left alone', () => {
  const full = received(0, 20);
  assert.equal(putTagBack(full, 30, 0x8100, 10), 34);
  assert.deepEqual([...full.subarray(22)], [0x81, 0, 0, 10, 13, 14, 15, 16]);
  const short = received(0, 11);
  assert.equal(putTagBack(short, 21, 0x8100, 10), 21);
  assert.deepEqual(short, received(0, 11));
});
