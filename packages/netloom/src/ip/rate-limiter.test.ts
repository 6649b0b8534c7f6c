import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RateLimiter } from './rate-limiter.ts';

/** How many of `tries` at the same instant are allowed. */
function allowed(limiter: RateLimiter, now: number, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (limiter.take(now)) count++;
  return count;
}

test('a burst is allowed at once, and then the rate', () => {
  const limiter = new RateLimiter(10, 3);
  assert.equal(allowed(limiter, 5000, 10), 3);
  assert.equal(limiter.take(5099), false);
  assert.equal(limiter.take(5100), true);
  assert.equal(limiter.take(5100), false);
});

test('a quiet time fills the bucket to the burst and no further', () => {
  const limiter = new RateLimiter(10, 3);
  allowed(limiter, 0, 3);
  assert.equal(allowed(limiter, 1_000_000, 100), 3);
});

test('what is refused costs nothing', () => {
  const limiter = new RateLimiter(1, 1);
  assert.equal(limiter.take(0), true);
  for (let now = 1; now < 1000; now++) assert.equal(limiter.take(now), false, `at ${now}`);
  assert.equal(limiter.take(1001), true);
});

test('no burst, or no rate: nothing, or nothing more', () => {
  assert.equal(new RateLimiter(1000, 0).take(1e9), false);
  const unfed = new RateLimiter(0, 2);
  assert.equal(allowed(unfed, 0, 5) + allowed(unfed, 1e12, 5), 2);
});

test('in any span no more is allowed than the burst and the rate give', () => {
  const calls = fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { maxLength: 300 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      calls,
      (rate, burst, gaps) => {
        const limiter = new RateLimiter(rate, burst);
        const taken: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          if (limiter.take(now)) taken.push(now);
        }
        for (let from = 0; from < taken.length; from++) {
          for (let to = from; to < taken.length; to++) {
            const most = burst + ((taken[to]! - taken[from]!) * rate) / 1000;
            assert.ok(to - from + 1 <= most + 1e-6);
          }
        }
      },
    ),
  );
});
