/** TCP on whole lines, in virtual time: figures that do not depend on the machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cubic, NewReno } from 'netloom/ip';
import { transferOnLine, type Line } from './simulated-line.ts';

const LONG: Line = {
  name: 'long',
  roundTrip: 100,
  impairment: { rate: 100e6, queueBytes: 1_000_000 },
};

test('the same seed gives the same outcome, another one another', () => {
  const lossy: Line = { name: 'lossy', roundTrip: 20, impairment: { rate: 20e6, loss: 0.02 } };
  const outcome = transferOnLine(lossy, { duration: 2000, seed: 1 });
  assert.deepEqual(transferOnLine(lossy, { duration: 2000, seed: 1 }), outcome);
  assert.notDeepEqual(transferOnLine(lossy, { duration: 2000, seed: 2 }), outcome);
});

test('CUBIC fills a long line with a large queue without a loss: slow start ends in time', () => {
  const outcome = transferOnLine(LONG, {
    duration: 3000,
    seed: 1,
    congestion: (options) => new Cubic(options),
  });
  assert.equal(outcome.retransmissions, 0);
  assert.ok(outcome.goodput > 65, `${outcome.goodput} Mbit/s`);
  assert.ok(outcome.peakQueue < 1_000_000);
});

test('NewReno, which overshoots there, is back at the whole rate soon, without a timeout', () => {
  const outcome = transferOnLine(LONG, {
    duration: 5000,
    seed: 1,
    congestion: (options) => new NewReno(options),
  });
  assert.ok(outcome.retransmissions > 0);
  assert.equal(outcome.timeouts, 0);
  assert.ok(outcome.goodput > 70, `${outcome.goodput} Mbit/s`);
});

test('losses by a queue that is too short are no needless retransmissions, and do not hold the window up', () => {
  const short: Line = {
    name: 'short queue',
    roundTrip: 40,
    impairment: { rate: 10e6, queueBytes: 30_000 },
  };
  const outcome = transferOnLine(short, {
    duration: 5000,
    seed: 1,
    congestion: (options) => new NewReno(options),
  });
  assert.equal(outcome.spurious, 0);
  assert.ok(outcome.retransmissions < 60, `${outcome.retransmissions} retransmissions`);
  assert.ok(outcome.goodput > 8.5, `${outcome.goodput} Mbit/s`);
});

test('CUBIC comes back from a loss on a long line with a short queue: its user is asked for more while the loss is repaired', () => {
  const line: Line = {
    name: 'long, short queue',
    roundTrip: 100,
    impairment: { rate: 100e6, queueBytes: 250_000 },
  };
  const outcome = transferOnLine(line, {
    duration: 5000,
    seed: 1,
    congestion: (options) => new Cubic(options),
  });
  assert.ok(outcome.goodput > 60, `${outcome.goodput} Mbit/s`);
});

test('a line that puts segments out of order costs few needless retransmissions', () => {
  const disorderly: Line = {
    name: 'disorderly',
    roundTrip: 20,
    impairment: { rate: 50e6, reorder: 0.02, reorderDelay: 5 },
  };
  const outcome = transferOnLine(disorderly, { duration: 5000, seed: 1 });
  assert.ok(outcome.spurious < 10, `${outcome.spurious} needless retransmissions`);
  assert.ok(outcome.goodput > 44, `${outcome.goodput} Mbit/s`);
});
