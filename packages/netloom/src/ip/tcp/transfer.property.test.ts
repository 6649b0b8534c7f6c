/** Whole transfers between two stacks, over lines of all sorts: every byte arrives, both sides close, and nothing is left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, transfer, type Weather } from '../../../test/ip/transfer.ts';

/** What is tried in each weather. */
interface Trial {
  /** The first seed, and how many. A failure names its seed: put it here alone to see it again. */
  readonly from: number;
  readonly count: number;
  /** Which share of the segments is sent again, at least and at most: whether the weather is what it is said to be. */
  readonly again: readonly [number, number];
}

const TRIALS: Readonly<Record<Weather, Trial>> = {
  fair: { from: 1, count: 80, again: [0, 0.001] },
  bad: { from: 1001, count: 150, again: [0.01, 0.1] },
  foul: { from: 2001, count: 150, again: [0.05, 0.3] },
};

for (const [weather, { from, count, again }] of Object.entries(TRIALS)) {
  test(`transfers in ${weather} weather: ${count} plans, seeds ${from} and on`, () => {
    let sent = 0;
    let sentAgain = 0;
    for (let seed = from; seed < from + count; seed++) {
      const plan = planOf(seed, weather as Weather);
      try {
        for (const { tcp } of transfer(plan).stacks) {
          sent += tcp.statistics.segmentsSent;
          sentAgain += tcp.statistics.segmentsRetransmitted;
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${JSON.stringify(plan)}`, { cause: error });
      }
    }
    const [least, most] = again;
    const share = sentAgain / sent;
    assert.ok(share >= least && share <= most, `${sentAgain} of ${sent} segments were sent again`);
  });
}
