import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { growingScale, limitScale, type SliderScale } from './slider-scale.ts';

const SCALES: readonly SliderScale[] = [
  growingScale(1, 2000),
  growingScale(0.001, 1),
  limitScale(1e4, 1e10),
];

/** A scale, and two positions of it. */
const positions = fc.constantFrom(...SCALES).chain((scale) => {
  const position = fc.integer({ min: 0, max: scale.last });
  return fc.tuple(fc.constant(scale), position, position);
});

test('a slider that is put where its value is stands where it was', () => {
  fc.assert(
    fc.property(positions, ([scale, at]) => {
      assert.equal(scale.positionOf(scale.valueAt(at)), at);
    }),
  );
});

test('further to the right is more', () => {
  fc.assert(
    fc.property(positions, ([scale, one, other]) => {
      const [low, high] = [scale.valueAt(one), scale.valueAt(other)];
      if (low !== null && high !== null)
        assert.equal(Math.sign(low - high), Math.sign(one - other));
    }),
  );
});

test('the ends are what they are called', () => {
  const [delay, loss, rate] = SCALES;
  assert.deepEqual([0, 1, delay!.last].map(delay!.valueAt), [null, 1, 2000]);
  assert.deepEqual([0, 1, loss!.last].map(loss!.valueAt), [null, 0.001, 1]);
  assert.deepEqual([0, rate!.last - 1, rate!.last].map(rate!.valueAt), [1e4, 1e10, null]);
  // As a node says that nothing is wrong.
  assert.deepEqual([delay!.positionOf(0), rate!.positionOf(null)], [0, rate!.last]);
});

test('a value from elsewhere has the position of the one that is nearest', () => {
  const delay = growingScale(1, 2000);
  assert.equal(delay.valueAt(delay.positionOf(83.17)), 80);
  assert.equal(delay.positionOf(5_000_000), delay.last);
  assert.equal(delay.positionOf(0.01), 1);
});
