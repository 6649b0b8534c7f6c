import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ManualClock } from './manual-clock.ts';

/** A clock, and a log in which callbacks note their name and the time. */
function logged(clock = new ManualClock()) {
  const log: string[] = [];
  return { clock, log, note: (name: string) => () => log.push(`${name}@${clock.now()}`) };
}

test('timers run at their own instants, in order of deadline, equal ones in the order they were set', () => {
  const { clock, log, note } = logged();
  clock.timer(note('late')).set(30);
  clock.timer(note('first')).set(10);
  clock.timer(note('second')).set(10);
  clock.timer(note('never')).set(50.5);
  assert.equal(clock.deadline(), 10);
  clock.advance(50);
  assert.deepEqual(log, ['first@10', 'second@10', 'late@30']);
  assert.equal(clock.now(), 50);
  assert.equal(clock.deadline(), 50.5);
});

test('at one instant due timers come before deferred callbacks, and those before what they defer', () => {
  const { clock, log, note } = logged();
  const again = clock.timer(note('set by deferred'));
  clock
    .timer(() => {
      note('timer a')();
      clock.defer(() => {
        note('deferred 1')();
        clock.defer(note('deferred 3'));
        again.set(clock.now());
      });
      clock.defer(note('deferred 2'));
    })
    .set(5);
  clock.timer(note('timer b')).set(5);
  clock.advance(5);
  assert.deepEqual(
    log,
    ['timer a', 'timer b', 'deferred 1', 'deferred 2', 'set by deferred', 'deferred 3'].map(
      (name) => `${name}@5`,
    ),
  );
});

test('a callback deferred before the clock goes on runs at the instant it was deferred', () => {
  const { clock, log, note } = logged();
  clock.defer(note('deferred'));
  assert.equal(clock.deadline(), 0);
  clock.advance(100);
  assert.deepEqual(log, ['deferred@0']);
});

test('runDeferred leaves timers alone, due or not', () => {
  const { clock, log, note } = logged();
  clock.timer(note('timer')).set(0);
  clock.defer(() => clock.defer(note('inner')));
  clock.runDeferred();
  assert.deepEqual(log, ['inner@0']);
  assert.equal(clock.deadline(), 0);
});

test('step runs one callback at a time', () => {
  const { clock, log, note } = logged();
  clock.defer(note('a'));
  clock.timer(note('t')).set(0);
  clock.defer(note('b'));
  const seen: string[][] = [];
  while (clock.step()) seen.push([...log]);
  assert.deepEqual(seen, [['t@0'], ['t@0', 'a@0'], ['t@0', 'a@0', 'b@0']]);
});

test('a timer can be moved and cleared, also by another timer at the same instant', () => {
  const { clock, log, note } = logged();
  const moved = clock.timer(note('moved'));
  moved.set(10);
  moved.set(20);
  const cleared = clock.timer(note('cleared'));
  clock.timer(() => cleared.clear()).set(15);
  cleared.set(15);
  const off = clock.timer(note('off'));
  off.set(3);
  off.set(Infinity);
  assert.equal(off.deadline, Infinity);
  clock.advance(100);
  assert.deepEqual(log, ['moved@20']);
  assert.equal(clock.deadline(), Infinity);
});

test('a deadline that has passed is met now, and time does not go back', () => {
  const { clock, log, note } = logged(new ManualClock({ start: 100 }));
  clock.timer(note('overdue')).set(1);
  assert.equal(clock.deadline(), 100);
  clock.advance(50);
  assert.deepEqual(log, ['overdue@100']);
  assert.equal(clock.now(), 100);
});

test('wall time goes with the clock from a fixed moment', () => {
  const clock = new ManualClock({ start: 7, wallTime: 1000 });
  clock.advance(10.5);
  assert.equal(clock.wallTime(), 1003.5);
  assert.equal(new ManualClock().wallTime(), Date.UTC(2020, 0, 1));
});

test('what a callback throws reaches the driver, and the other callbacks still run', () => {
  const { clock, log, note } = logged();
  clock.defer(note('a'));
  clock.defer(() => {
    throw new Error('mine');
  });
  clock.defer(note('b'));
  assert.throws(() => clock.advance(0), /mine/);
  clock.advance(0);
  assert.deepEqual(log, ['a@0', 'b@0']);
});

test('callbacks that never let time go on are found out', () => {
  const clock = new ManualClock({ limits: { callbacksPerInstant: 100 } });
  const stuck = clock.timer(() => stuck.set(clock.now()));
  stuck.set(1);
  assert.throws(() => clock.advance(2), { code: 'CLOCK_STUCK' });
});

test('a callback may not drive the clock', () => {
  const clock = new ManualClock();
  clock.defer(() => clock.advance(5));
  assert.throws(() => clock.advance(1), { code: 'CLOCK_REENTERED' });
});

test('a long round of deferred callbacks ends where it ends: timers they set come before what they defer', () => {
  const { clock, log, note } = logged();
  const timer = clock.timer(note('timer'));
  for (let i = 0; i < 5000; i++) clock.defer(() => undefined);
  clock.defer(() => {
    clock.defer(note('deferred'));
    timer.set(0);
  });
  clock.advance(0);
  assert.deepEqual(log, ['timer@0', 'deferred@0']);
});

test('a long chain of deferred callbacks runs in order', () => {
  const clock = new ManualClock();
  let count = 0;
  const seen: number[] = [];
  const again = (): void => {
    if (++count < 10_000) clock.defer(again);
    if (count % 2500 === 0) clock.defer(() => seen.push(count));
  };
  clock.defer(again);
  clock.runDeferred();
  assert.equal(count, 10_000);
  assert.deepEqual(seen, [2501, 5001, 7501, 10_000]);
});

test('any set of timers fires as a stable sort by deadline would have it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(20)),
      fc.array(fc.nat(25), { maxLength: 5 }),
      (deadlines, stops) => {
        const clock = new ManualClock();
        const fired: [number, number][] = [];
        deadlines.forEach((deadline, i) => {
          clock.timer(() => fired.push([i, clock.now()])).set(deadline);
        });
        for (const stop of [...stops, 25]) clock.advance(stop);
        const expected = deadlines.map((deadline, i): [number, number] => [i, deadline]);
        assert.deepEqual(
          fired,
          expected.sort((a, b) => a[1] - b[1]),
        );
      },
    ),
  );
});
