import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HyStart } from './hystart.ts';

/** One round whose acknowledgments all measure `rtt`; answers whether slow start ended. */
function round(hyStart: HyStart, rtt: number, samples = 10): boolean {
  let ended = false;
  for (let i = 0; i < samples; i++) {
    ended = hyStart.acknowledged(rtt, i === samples - 1);
  }
  return ended;
}

test('the rise that counts is an eighth of the round-trip time, at least 4 and at most 16 ms (RFC 9406, section 4.2)', () => {
  // [last round, least rise that counts]
  const table: [number, number][] = [
    [1, 4],
    [32, 4],
    [64, 8],
    [100, 12.5],
    [128, 16],
    [1000, 16],
  ];
  for (const [last, rise] of table) {
    const calm = new HyStart();
    round(calm, last);
    round(calm, last + rise - 0.01);
    assert.equal(calm.growthDivisor, 1, `a rise of less than ${rise} on ${last}`);
    const rising = new HyStart();
    round(rising, last);
    round(rising, last + rise);
    assert.equal(rising.growthDivisor, 4, `a rise of ${rise} on ${last}`);
  }
});

test('fewer than eight samples in a round decide nothing', () => {
  const hyStart = new HyStart();
  round(hyStart, 50);
  round(hyStart, 100, 7);
  assert.equal(hyStart.growthDivisor, 1);
  round(hyStart, 200, 8);
  assert.equal(hyStart.growthDivisor, 4);
});

test('the first round has nothing to be compared with', () => {
  const hyStart = new HyStart();
  round(hyStart, 500, 100);
  assert.equal(hyStart.growthDivisor, 1);
});

test('slow start ends after five conservative rounds, the one it rose in counted', () => {
  const hyStart = new HyStart();
  assert.equal(round(hyStart, 50), false);
  assert.equal(round(hyStart, 60), false);
  for (let i = 0; i < 3; i++) assert.equal(round(hyStart, 60), false);
  assert.equal(round(hyStart, 60), true);
});

test('slow start goes on when the round-trip time comes down again: it was jitter', () => {
  const hyStart = new HyStart();
  round(hyStart, 50);
  round(hyStart, 60);
  assert.equal(hyStart.growthDivisor, 4);
  for (let i = 0; i < 7; i++) hyStart.acknowledged(59, false);
  assert.equal(hyStart.growthDivisor, 4);
  hyStart.acknowledged(59, true);
  assert.equal(hyStart.growthDivisor, 1);
  // And may be left again.
  round(hyStart, 50);
  round(hyStart, 60);
  assert.equal(hyStart.growthDivisor, 4);
});

test('acknowledgments that measure nothing still count rounds', () => {
  const hyStart = new HyStart();
  round(hyStart, 50);
  round(hyStart, 60);
  const ends = [1, 2, 3, 4].map(() => hyStart.acknowledged(undefined, true));
  assert.deepEqual(ends, [false, false, false, true]);
});
