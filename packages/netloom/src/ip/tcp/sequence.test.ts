import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { after, before, between, distance } from './sequence.ts';

const sequence = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const nearDistance = fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff });

test('order at the places where the numbers wrap', () => {
  // [earlier, later], in the unsigned notation of RFC 9293; the engine's numbers are the signed form.
  const table: [number, number][] = [
    [0, 1],
    [0x7fff_ffff, 0x8000_0000],
    [0xffff_ffff, 0],
    [0xffff_fff0, 0x10],
    [0, 0x7fff_ffff],
    [0x8000_0001, 0],
  ];
  for (const [earlier, later] of table) {
    const a = earlier | 0;
    const b = later | 0;
    assert.equal(before(a, b), true, `${earlier} before ${later}`);
    assert.equal(after(b, a), true);
    assert.equal(before(b, a), false);
    assert.equal(after(a, b), false);
    assert.equal(distance(a, b), (later - earlier) >>> 0);
  }
});

test('a number is neither before nor after itself', () => {
  fc.assert(fc.property(sequence, (a) => !before(a, a) && !after(a, a) && distance(a, a) === 0));
});

test('moving by less than 2^31 is seen, whatever the start', () => {
  fc.assert(
    fc.property(sequence, nearDistance, (start, by) => {
      const moved = (start + by) | 0;
      assert.equal(distance(start, moved), by);
      assert.equal(before(start, moved), by > 0);
      assert.equal(after(start, moved), by < 0);
    }),
  );
});

test('between holds its start and not its end', () => {
  assert.equal(between(10, 10, 20), true);
  assert.equal(between(10, 19, 20), true);
  assert.equal(between(10, 20, 20), false);
  assert.equal(between(10, 9, 20), false);
  assert.equal(between(10, 10, 10), false);
  assert.equal(between(-2, 1, 3), true);
  assert.equal(between(0x7fff_fffe, -0x7fff_ffff, -0x7fff_fff0), true);
  fc.assert(
    fc.property(sequence, fc.nat(0x7fff_ffff), fc.nat(0x7fff_ffff), (start, length, offset) => {
      assert.equal(between(start, (start + offset) | 0, (start + length) | 0), offset < length);
    }),
  );
});
