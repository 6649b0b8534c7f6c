import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RTT_LIMITS, RttEstimator } from './rtt-estimator.ts';

/** RFC 6298 to the letter: one second at least, a clock of one millisecond. */
const LETTER = { ...RTT_LIMITS, minimumTimeout: 1000, minimumMargin: 1 };

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}

test('before there is a sample the timeout is one second (RFC 6298, 2.1)', () => {
  const rtt = new RttEstimator();
  assert.equal(rtt.hasSample, false);
  assert.equal(rtt.timeout(), 1000);
  assert.equal(rtt.minimum, Infinity);
});

test('the formulas of RFC 6298, 2.2 and 2.3, computed by hand', () => {
  // [sample, SRTT, RTTVAR, RTO]
  const table: [number, number, number, number][] = [
    [500, 500, 250, 1500],
    // RTTVAR = 3/4 * 250 + 1/4 * |500 - 700|; SRTT = 7/8 * 500 + 1/8 * 700
    [700, 525, 237.5, 1475],
    // RTTVAR = 3/4 * 237.5 + 1/4 * |525 - 125|; SRTT = 7/8 * 525 + 1/8 * 125
    [125, 475, 278.125, 1587.5],
    [475, 475, 208.59375, 1309.375],
  ];
  const rtt = new RttEstimator(LETTER);
  for (const [sample, smoothed, variation, timeout] of table) {
    rtt.sample(sample, 0);
    close(rtt.smoothed, smoothed);
    close(rtt.variation, variation);
    close(rtt.timeout(), timeout);
    assert.equal(rtt.latest, sample);
  }
});

test('the minimum and the granularity: RFC 6298, 2.4 and G of 2.3', () => {
  const rtt = new RttEstimator(LETTER);
  rtt.sample(10, 0);
  assert.equal(rtt.timeout(), 1000);
  const coarse = new RttEstimator({ ...LETTER, minimumTimeout: 0, minimumMargin: 100 });
  coarse.sample(8, 0);
  // 8 + max(100, 4 * 4)
  assert.equal(coarse.timeout(), 108);
});

test('on a steady long path the defaults keep a margin', () => {
  const rtt = new RttEstimator();
  for (let i = 0; i < 1000; i++) rtt.sample(400, i);
  assert.ok(rtt.variation < 1);
  assert.equal(rtt.timeout(), 600);
});

test('each timeout in a row doubles the next, up to the maximum (5.5, 2.5)', () => {
  const rtt = new RttEstimator();
  const timeouts = [0, 1, 2, 3, 4, 5, 6, 7, 60].map((inARow) => rtt.timeout(inARow));
  assert.deepEqual(timeouts, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a SYN sent more than once makes the first timeout three seconds (5.7), unless something was measured', () => {
  const rtt = new RttEstimator();
  rtt.handshakeRetransmitted();
  assert.equal(rtt.timeout(), 3000);
  rtt.sample(100, 0);
  assert.equal(rtt.timeout(), 300);
  rtt.handshakeRetransmitted();
  assert.equal(rtt.timeout(), 300);
});

test('many samples in a round trip weigh together about as much as one (RFC 7323, appendix G)', () => {
  const one = new RttEstimator();
  const many = new RttEstimator();
  one.sample(100, 0);
  many.sample(100, 0);
  one.sample(200, 1);
  for (let i = 0; i < 4; i++) many.sample(200, 1, 4);
  close(one.smoothed, 112.5);
  // 200 - 100 * (1 - 1/32)^4
  close(many.smoothed, 200 - 100 * (31 / 32) ** 4);
  assert.ok(Math.abs(many.smoothed - one.smoothed) < 1);
  // Without the weights the four samples would have moved it to 141.
});

test('the least round-trip time is forgotten with its window', () => {
  const rtt = new RttEstimator({ ...RTT_LIMITS, minimumWindow: 1000 });
  rtt.sample(50, 0);
  rtt.sample(80, 400);
  assert.equal(rtt.minimum, 50);
  rtt.sample(70, 600);
  assert.equal(rtt.minimum, 50);
  rtt.sample(90, 1100);
  assert.equal(rtt.minimum, 70);
  rtt.sample(95, 5000);
  assert.equal(rtt.minimum, 95);
});

test('the least round-trip time covers between half of the window and all of it', () => {
  const steps = fc.array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 2000 })),
      fc.nat(1000),
    ),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(steps, (samples) => {
      const rtt = new RttEstimator({ ...RTT_LIMITS, minimumWindow: 1000 });
      const seen: { at: number; value: number }[] = [];
      let now = 0;
      for (const [pause, value] of samples) {
        now += pause;
        rtt.sample(value, now);
        seen.push({ at: now, value });
        const least = (window: number): number =>
          Math.min(...seen.filter(({ at }) => now - at < window).map((one) => one.value));
        assert.ok(rtt.minimum <= least(500), `${rtt.minimum} is above a recent sample`);
        assert.ok(rtt.minimum >= least(1000), `${rtt.minimum} is older than the window`);
      }
    }),
  );
});

test('whatever is measured, the estimate stays among the samples and the timeout within its bounds', () => {
  const sample = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e7, noNaN: true }));
  const steps = fc.array(fc.tuple(sample, fc.nat(1000)), { minLength: 1 });
  fc.assert(
    fc.property(steps, fc.nat(100), (samples, inARow) => {
      const rtt = new RttEstimator();
      for (const [value, expected] of samples) {
        rtt.sample(value, 0, expected);
        assert.ok(rtt.timeout(inARow) >= RTT_LIMITS.minimumTimeout);
        assert.ok(rtt.timeout(inARow) <= RTT_LIMITS.maximumTimeout);
        assert.ok(rtt.variation >= 0);
      }
      const values = samples.map(([value]) => value);
      assert.ok(rtt.smoothed >= Math.min(...values) * (1 - 1e-9));
      assert.ok(rtt.smoothed <= Math.max(...values) * (1 + 1e-9));
      assert.equal(rtt.minimum, Math.min(...values));
    }),
  );
});

test('a clock that went backwards counts as no time', () => {
  const rtt = new RttEstimator();
  rtt.sample(-5, 0);
  assert.equal(rtt.smoothed, 0);
  assert.equal(rtt.timeout(), 200);
});
