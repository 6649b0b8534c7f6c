import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunHash } from './run-hash.ts';

function hashOf(feed: (hash: RunHash) => void): string {
  const hash = new RunHash();
  feed(hash);
  return hash.digest();
}

test('the hash is the same on every machine', () => {
  assert.equal(
    hashOf((hash) => {
      hash.number(0.1);
      hash.text('lan');
      hash.bytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
    }),
    '3daae6b84321d51b',
  );
});

test('any bit counts: of a byte, of the length, of a time', () => {
  const bytes = new Uint8Array(61).map((_, index) => index);
  const seen = new Set([hashOf((hash) => hash.bytes(bytes))]);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = bytes.slice();
    other[bit >>> 3]! ^= 1 << (bit & 7);
    seen.add(hashOf((hash) => hash.bytes(other)));
  }
  assert.equal(seen.size, 1 + bytes.length * 8);
  for (const length of [0, 1, 2, 3, 4, 5]) {
    seen.add(hashOf((hash) => hash.bytes(new Uint8Array(length))));
  }
  assert.equal(seen.size, 7 + bytes.length * 8);
  const time = 1234.5;
  assert.notEqual(
    hashOf((hash) => hash.number(time)),
    hashOf((hash) => hash.number(time + 2 ** -42)),
  );
});

test('the order counts', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { minLength: 2, maxLength: 8 }), (words) => {
      const forwards = hashOf((hash) => words.forEach((word) => hash.word(word)));
      const backwards = hashOf((hash) => words.toReversed().forEach((word) => hash.word(word)));
      assert.notEqual(forwards, backwards);
    }),
  );
});
