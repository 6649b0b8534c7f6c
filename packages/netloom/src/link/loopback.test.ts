import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../core/index.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';
import type { Link } from './link.ts';
import { loopbackLink } from './loopback.ts';

function send(link: Link, number: number): boolean {
  const frame = link.allocate(60);
  frame.set(numberedFrame(number));
  return link.transmit(frame);
}

test('every frame comes back, deferred, in one batch; frames, bytes and depth are counted', () => {
  const clock = new ManualClock();
  const link = loopbackLink(clock);
  const recorder = new Recorder();
  link.attach(recorder);
  for (let number = 0; number < 3; number++) assert.ok(send(link, number));
  assert.equal(link.statistics.queueDepth, 3);
  assert.deepEqual(recorder.numbers(), []);
  clock.runDeferred();
  assert.deepEqual(recorder.numbers(), [0, 1, 2]);
  assert.deepEqual(recorder.batches, [3]);
  const { sentFrames, sentBytes, receivedFrames, receivedBytes, queueDepth } = link.statistics;
  assert.deepEqual([sentFrames, sentBytes, receivedFrames, receivedBytes], [3, 180, 3, 180]);
  assert.equal(queueDepth, 0);
});

test('what is sent from receive comes back in a batch of its own', () => {
  const clock = new ManualClock();
  const link = loopbackLink(clock);
  const depths: number[] = [];
  const recorder = new Recorder();
  link.attach({
    receive(frame, offload) {
      recorder.receive(frame, offload);
      if (recorder.received.length < 3) send(link, recorder.received.length);
      depths.push(link.statistics.queueDepth);
    },
    batchEnd: () => recorder.batchEnd(),
  });
  send(link, 0);
  clock.runDeferred();
  assert.deepEqual(recorder.numbers(), [0, 1, 2]);
  assert.deepEqual(recorder.batches, [1, 2, 3]);
  assert.deepEqual(depths, [1, 1, 0]);
});

test('every frame that does not come back is counted by its reason', () => {
  const clock = new ManualClock();
  const link = loopbackLink(clock);
  send(link, 0);
  clock.runDeferred();
  assert.deepEqual(link.statistics.drops.snapshot(), { 'not-attached': 1 });
  const recorder = new Recorder();
  link.attach(recorder);
  let sent = 0;
  while (send(link, sent & 0xffff)) sent++;
  assert.equal(link.statistics.queueDepth, sent);
  clock.runDeferred();
  assert.equal(recorder.received.length, sent);
  send(link, 1);
  send(link, 2);
  void link.close();
  assert.equal(send(link, 3), false);
  clock.runDeferred();
  assert.deepEqual(link.statistics.drops.snapshot(), {
    'not-attached': 1,
    'queue-full': 1,
    'link-down': 3,
  });
  assert.equal(link.statistics.queueDepth, 0);
  assert.deepEqual(recorder.ends, [undefined]);
});
