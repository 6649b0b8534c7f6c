import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock, type Clock } from '../../core/index.ts';
import { SimClock } from './sim-clock.ts';

function runAll(clock: SimClock, until = Infinity): void {
  while (clock.step(until)) {
    // One callback after the other.
  }
}

test('time jumps from one timer to the next, and stands still while anything is deferred', () => {
  const clock = new SimClock(100);
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(`${what} at ${clock.now()}`);
  clock.timer(note('late')).set(20);
  clock
    .timer(() => {
      note('early')();
      clock.defer(note('deferred by early'));
    })
    .set(5);
  clock.defer(note('first'));
  assert.equal(clock.deadline(), 0);
  runAll(clock, 10);
  assert.deepEqual(seen, ['first at 0', 'early at 5', 'deferred by early at 5']);
  assert.equal(clock.deadline(), 20);
  clock.skip(10);
  assert.equal(clock.now(), 10);
  runAll(clock);
  assert.equal(seen.at(-1), 'late at 20');
  assert.equal(clock.deadline(), Infinity);
  assert.equal(clock.wallTime(), Date.UTC(2020, 0, 1) + 20);
});

test('a step is one callback', () => {
  const clock = new SimClock(100);
  let ran = 0;
  for (let i = 0; i < 3; i++) clock.defer(() => ran++);
  assert.equal(clock.step(0), true);
  assert.equal(ran, 1);
  assert.equal(clock.steps, 1);
});

test('a callback that throws is over; the others stay in line', () => {
  const clock = new SimClock(100);
  let ran = false;
  clock.defer(() => {
    throw new Error('out of order');
  });
  clock.defer(() => {
    ran = true;
  });
  assert.throws(() => clock.step(0), /out of order/);
  assert.equal(clock.step(0), true);
  assert.ok(ran);
});

test('callbacks that lead to others at the same instant for ever are SIM_STUCK', () => {
  const clock = new SimClock(100);
  const again = (): void => clock.defer(again);
  again();
  assert.throws(() => runAll(clock), { code: 'SIM_STUCK' });
  const other = new SimClock(100);
  let time = 0;
  const timer = other.timer(() => timer.set(++time));
  timer.set(0);
  runAll(other, 1000);
  assert.equal(time, 1001, 'many callbacks are no offence if time goes on');
});

/** Timers and deferred callbacks that set further ones, all drawn by fast-check: what is run when. */
function storyOf(clock: Clock, plan: readonly (readonly [delay: number, deferrals: number])[]) {
  const story: string[] = [];
  for (const [index, [delay, deferrals]] of plan.entries()) {
    const timer = clock.timer(() => {
      story.push(`timer ${index} at ${clock.now()}`);
      for (let i = 0; i < deferrals; i++) {
        clock.defer(() => {
          story.push(`deferral ${i} of ${index} at ${clock.now()}`);
          if (i === 1) clock.timer(() => story.push(`child of ${index}`)).set(clock.now());
        });
      }
    });
    timer.set(delay);
    if (deferrals === 3) timer.clear();
  }
  return story;
}

test('the order is that of ManualClock', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(3)), { maxLength: 20 }), (plan) => {
      const [simulated, manual] = [new SimClock(1000), new ManualClock()];
      const story = storyOf(simulated, plan);
      runAll(simulated);
      const expected = storyOf(manual, plan);
      manual.advance(10);
      assert.deepEqual(story, expected);
    }),
  );
});
