import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLatin1, encodeLatin1 } from './latin1.ts';

/** Lengths on either side of those where another way of decoding begins. */
const LENGTHS = [0, 1, 2, 47, 48, 49, 100, 4095, 4096, 4097, 9000];

test('each byte is one character, whatever the length, and the other way round', () => {
  for (const length of LENGTHS) {
    for (const highest of [0x7f, 0xff]) {
      const bytes = Uint8Array.from({ length }, (_, at) => highest - (at % 128));
      const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
      assert.equal(decodeLatin1(bytes), text);
      assert.deepEqual(encodeLatin1(text), bytes);
    }
  }
});

test('a part is decoded as if it stood alone', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 7) % 256);
  const text = decodeLatin1(bytes);
  for (const [start, end] of [
    [0, 0],
    [300, 300],
    [3, 10],
    [1, 49],
    [1, 50],
    [100, 300],
  ] as const) {
    assert.equal(decodeLatin1(bytes, start, end), text.slice(start, end));
  }
});
