import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { copyMasked } from './index.ts';

/** RFC 6455, section 5.3, as it is written there. */
function plainly(source: Uint8Array, key: readonly number[], phase: number): Uint8Array {
  return source.map((byte, index) => byte ^ key[(index + phase) % 4]!);
}

test('masking is the exclusive or with the key, at every alignment, length and phase', () => {
  const key = [0x12, 0xf4, 0x56, 0x9a];
  const word = 0x12f4569a;
  for (const length of [0, 1, 5, 63, 127, 128, 129, 130, 131, 200, 1021]) {
    const all = Uint8Array.from({ length: length + 8 }, (_, index) => (index * 31) & 255);
    for (let start = 0; start < 4; start++) {
      for (let at = 0; at < 8; at++) {
        for (let phase = 0; phase < 4; phase++) {
          const source = all.subarray(start, start + length);
          // A part of something larger, whose other bytes are not to be touched.
          const target = new Uint8Array(new ArrayBuffer(length + 20), 1, length + 12);
          copyMasked(all, start, start + length, target, at, word, phase);
          const expected = new Uint8Array(length + 12);
          expected.set(plainly(source, key, phase), at);
          assert.deepEqual(target, expected, `${length} bytes, ${start}, ${at}, ${phase}`);
        }
      }
    }
  }
});

test('masking in pieces is masking at once, and twice is not at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.integer(), fc.nat(700), (bytes, key, at) => {
      const { length } = bytes;
      const cut = Math.min(at, length);
      const whole = new Uint8Array(length);
      copyMasked(bytes, 0, length, whole, 0, key, 0);
      const pieces = new Uint8Array(length);
      copyMasked(bytes, 0, cut, pieces, 0, key, 0);
      copyMasked(bytes, cut, length, pieces, cut, key, cut);
      assert.deepEqual(pieces, whole);
      const back = new Uint8Array(length);
      copyMasked(whole, 0, length, back, 0, key, 0);
      assert.deepEqual(back, bytes);
    }),
  );
});
