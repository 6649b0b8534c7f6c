import { NOT_QUEUED, TimerQueue, seededRandom, type TimerEntry } from 'netloom/core';
import type { Bench } from './frame/bench.ts';
import { rate } from './frame/measure.ts';

/** As many as a busy server has: one or two for each connection. */
const LIVE = 100_000;

/** Deadlines lie within two minutes, as those of retransmission, keep-alive and TIME-WAIT do. */
const SPAN = 120_000;

/** The same deadlines for all, worked out beforehand: drawing them is not what is measured. */
const DEADLINES = makeDeadlines();

function makeDeadlines(): Float64Array {
  const random = seededRandom(1);
  return Float64Array.from({ length: 1 << 16 }, () => 1 + random.below(SPAN));
}

function filledQueue(): { queue: TimerQueue<TimerEntry>; entries: TimerEntry[] } {
  const queue = new TimerQueue<TimerEntry>();
  const entries = Array.from({ length: LIVE }, (): TimerEntry => ({ ...NOT_QUEUED }));
  for (const [index, entry] of entries.entries()) queue.set(entry, DEADLINES[index & 0xffff]!);
  return { queue, entries };
}

/** Visits the live timers in no order that either side could profit from. */
function indexAt(step: number): number {
  return (step * 7919) % LIVE;
}

/** A timer of the platform's that does not ring while the bench runs. */
function start(delay: number): NodeJS.Timeout {
  return setTimeout(nothing, delay + SPAN).unref();
}

function nothing(): void {}

/** A queue of ours, and the platform's timers, both with as many live as the bench has. */
function contenders() {
  const { queue, entries } = filledQueue();
  const timeouts = Array.from({ length: LIVE }, (_, index) => start(DEADLINES[index & 0xffff]!));
  return { queue, entries, timeouts };
}

/** Our timer queue against the platform's timers. */
export const bench: Bench = {
  name: 'timers',
  description: `TimerQueue with ${LIVE.toLocaleString('en-US')} live timers against setTimeout`,
  async run(report) {
    const { queue, entries, timeouts } = contenders();
    await report.compare({
      case: 'move one of 100,000',
      unit: 'moves/s',
      netloom: () =>
        rate((count) => {
          for (let i = 0; i < count; i++) queue.set(entries[indexAt(i)]!, DEADLINES[i & 0xffff]!);
        }),
      peers: {
        setTimeout: () =>
          rate((count) => {
            for (let i = 0; i < count; i++) {
              const index = indexAt(i);
              clearTimeout(timeouts[index]);
              timeouts[index] = start(DEADLINES[i & 0xffff]!);
            }
          }),
      },
    });
    await report.compare({
      case: 'set and clear beside 100,000',
      unit: 'pairs/s',
      netloom: () => {
        const extra: TimerEntry = { ...NOT_QUEUED };
        return rate((count) => {
          for (let i = 0; i < count; i++) {
            queue.set(extra, DEADLINES[i & 0xffff]!);
            queue.clear(extra);
          }
        });
      },
      peers: {
        setTimeout: () =>
          rate((count) => {
            for (let i = 0; i < count; i++) clearTimeout(start(DEADLINES[i & 0xffff]!));
          }),
      },
    });
    for (const timeout of timeouts) clearTimeout(timeout);
    await report.compare({
      case: 'take the earliest of 100,000 and set it again',
      unit: 'turns/s',
      netloom: () =>
        rate((count) => {
          for (let i = 0; i < count; i++) {
            const due = queue.deadline();
            queue.set(queue.takeDue(due)!, due + DEADLINES[i & 0xffff]!);
          }
        }),
      peers: {},
    });
  },
};
