import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkStatus } from '@netloom/edge/status';
import { HISTORY_SECONDS, LineHistory, type CountedPort } from './line-history.ts';

function port(received: number, sent: number, drops = 0, queuedBytes = 0): CountedPort {
  const link: LinkStatus = {
    delay: 0,
    jitter: 0,
    rate: null,
    loss: 0,
    reorder: 0,
    duplicate: 0,
    corrupt: 0,
    partition: false,
    queuedBytes,
  };
  return {
    received: { frames: 0, bytes: received },
    sent: { frames: 0, bytes: sent },
    drops: { loss: drops, queue: 1 },
    link,
  };
}

test('rates are what counters have grown by, for each second that passed', () => {
  const history = new LineHistory();
  history.add(port(1000, 0), 10_000);
  assert.deepEqual(history.latest, { fromStation: 0, toStation: 0, drops: 0, queue: 0 });
  history.add(port(2000, 250, 3, 77), 12_000);
  assert.deepEqual(history.columns(), {
    times: [12],
    fromStation: [4000],
    toStation: [1000],
    drops: [1.5],
    queue: [77],
  });
  assert.equal(history.latest.fromStation, 4000);
});

test('counters that begin anew are no traffic', () => {
  const history = new LineHistory();
  history.add(port(5000, 5000), 1000);
  history.add(port(100, 6000), 2000);
  assert.deepEqual(history.columns().times, []);
  history.add(port(200, 6000), 3000);
  assert.deepEqual(history.columns().fromStation, [800]);
});

test('what is older than two minutes is forgotten', () => {
  const history = new LineHistory();
  for (let second = 0; second < 1000; second++) history.add(port(second, 0), second * 1000);
  const { times, fromStation } = history.columns();
  assert.deepEqual([times[0], times.at(-1)], [999 - HISTORY_SECONDS, 999]);
  assert.ok(fromStation.every((rate) => rate === 8));
});
