import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../core/index.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';
import type { FrameOffload, Link } from './link.ts';
import { linkPair } from './pair.ts';

function strictPair(): { clock: ManualClock; a: Link; b: Link } {
  const clock = new ManualClock();
  const [a, b] = linkPair(clock, { strict: true });
  return { clock, a, b };
}

function send(link: Link, frame: Uint8Array, offload?: FrameOffload): boolean {
  const copy = link.allocate(frame.length);
  copy.set(frame);
  return link.transmit(copy, offload);
}

const BROKEN = { code: 'LINK_CONTRACT_BROKEN' };
const isPoison = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0xdb);

test('who keeps the contract sees no difference', async () => {
  const { clock, a, b } = strictPair();
  const recorder = new Recorder();
  b.attach(recorder);
  const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 0 };
  assert.ok(send(a, numberedFrame(1), offload));
  assert.ok(send(a, numberedFrame(2)));
  clock.runDeferred();
  assert.deepEqual(
    recorder.received.map((each) => [each.frame, each.offload]),
    [
      [numberedFrame(1), offload],
      [numberedFrame(2), undefined],
    ],
  );
  assert.deepEqual(recorder.batches, [2]);
  assert.equal(a.statistics.sentFrames, 2);
  assert.deepEqual([a.name, a.mtu, String(a.mac)], ['pair0', 1500, '02:00:00:00:00:01']);
  const closed = a.close();
  clock.runDeferred();
  await closed;
  assert.equal(recorder.ends.length, 1);
  assert.equal(send(a, numberedFrame(3)), false);
});

test('a receiver that keeps a borrowed frame or its offload finds it overwritten', () => {
  const { clock, a, b } = strictPair();
  let kept: Uint8Array | undefined;
  let keptOffload: FrameOffload | undefined;
  b.attach({
    receive(frame, offload) {
      assert.deepEqual(frame, numberedFrame(1));
      kept = frame;
      keptOffload = offload;
    },
    batchEnd() {},
  });
  send(a, numberedFrame(1), { checksumStart: 34, checksumOffset: 16, segmentSize: 0 });
  clock.runDeferred();
  assert.ok(isPoison(kept!));
  assert.ok(keptOffload!.checksumStart > 0xffff / 2);
});

test('what was not written is not zero', () => {
  const { a } = strictPair();
  assert.ok(isPoison(a.allocate(100)));
});

test('one frame at a time: what was allocated before is overwritten, and may not be sent', () => {
  const { a } = strictPair();
  const first = a.allocate(60).fill(1);
  const second = a.allocate(60);
  assert.ok(isPoison(first));
  assert.throws(() => a.transmit(first), BROKEN);
  assert.ok(a.transmit(second));
});

test('a frame given away is not the sender’s any more: not to read, and not to send again', () => {
  const { a } = strictPair();
  const frame = a.allocate(60).fill(1);
  assert.ok(a.transmit(frame));
  assert.ok(isPoison(frame));
  assert.throws(() => a.transmit(frame), BROKEN);
});

test('a frame that the link did not allocate is refused', () => {
  const { a } = strictPair();
  assert.throws(() => a.transmit(numberedFrame(1)), BROKEN);
  const allocated = a.allocate(60);
  assert.throws(() => a.transmit(allocated.subarray(0, 50)), BROKEN);
});
