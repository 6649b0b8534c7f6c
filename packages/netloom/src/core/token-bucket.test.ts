import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

test('it begins full, empties, and fills at its rate up to its size', () => {
  const bucket = new TokenBucket(1000, 3);
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => bucket.take(now)),
    [true, true, true, false],
  );
  assert.deepEqual(
    [0.5, 1, 1.5, 2].map((now) => bucket.take(now)),
    [false, true, false, true],
  );
  assert.deepEqual(
    [100, 100, 100, 100].map((now) => bucket.take(now)),
    [true, true, true, false],
  );
});

test('what is larger than the bucket passes a full one, and is paid for afterwards', () => {
  const bucket = new TokenBucket(1000, 10);
  assert.equal(bucket.take(0, 30), true);
  assert.equal(bucket.readyAt(0, 10), 30);
  assert.equal(bucket.take(20, 1), false);
  assert.equal(bucket.take(21, 1), true);
});

test('a bucket that holds nothing gives nothing, and one that is never filled gives its burst', () => {
  const none = new TokenBucket(1000, 0);
  assert.equal(none.take(1e9), false);
  assert.equal(none.readyAt(0), Infinity);
  const once = new TokenBucket(0, 1);
  assert.equal(once.take(0), true);
  assert.equal(once.readyAt(0), Infinity);
});

test('a bucket that is drained begins from nothing, and keeps its debt', () => {
  const bucket = new TokenBucket(1000, 10);
  bucket.drain(100);
  assert.equal(bucket.readyAt(100), 101);
  assert.equal(bucket.take(110, 30), true);
  bucket.drain(111);
  assert.equal(bucket.readyAt(111), 131);
});

test('a clock that goes back takes nothing away', () => {
  const bucket = new TokenBucket(1000, 2);
  assert.equal(bucket.take(10, 2), true);
  assert.equal(bucket.take(5), false);
  assert.equal(bucket.take(11), true);
});

test('taking whenever it is ready gives exactly the rate, and never more than rate and burst', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000_000 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 200 }),
      (rate, burst, amounts) => {
        const bucket = new TokenBucket(rate, burst);
        let now = 0;
        let taken = 0;
        for (const amount of amounts) {
          const before = taken;
          now = bucket.readyAt(now, amount);
          assert.equal(bucket.take(now, amount), true, 'when it said so');
          taken += amount;
          const due = (now * rate) / 1000;
          // Before the last was taken, no more than the burst was ahead of the rate, and what is larger waited for a full bucket.
          assert.ok(before <= due + burst + 1, `${before} by ${now}`);
          assert.ok(now === 0 || taken - Math.max(burst, amount) <= due + 1);
        }
      },
    ),
  );
});
