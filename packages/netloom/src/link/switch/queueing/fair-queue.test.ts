import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FairQueue } from './fair-queue.ts';

const BOUNDS = { queueBytes: 1_000_000, queueFrames: 1000, quantum: 1500 };

function fairQueue(bounds: Partial<typeof BOUNDS> = {}) {
  const discarded: Uint8Array[] = [];
  const queue = new FairQueue(
    () => ({ ...BOUNDS, ...bounds }),
    (frame) => discarded.push(frame),
  );
  return { queue, discarded };
}

/** A frame that tells its flow. */
function frameOf(flow: number, length = 1000): Uint8Array {
  return new Uint8Array(length).fill(flow);
}

test('flows get the same number of bytes, whatever the length of their frames', () => {
  const { queue } = fairQueue({ queueFrames: 5000 });
  const lengths = [1500, 100, 700, 64];
  for (const [flow, length] of lengths.entries()) {
    for (let bytes = 0; bytes < 100_000; bytes += length) {
      assert.equal(queue.push(frameOf(flow, length), undefined, flow), true);
    }
  }
  const sent = [0, 0, 0, 0];
  let total = 0;
  while (total < 60_000) {
    const length = queue.nextLength();
    sent[queue.shift()[0]!]! += length;
    total += length;
  }
  for (const bytes of sent) assert.ok(Math.abs(bytes - 15_000) <= 1500, `${sent}`);
});

test('one flow is a queue: first in, first out, with what is left to do', () => {
  const { queue } = fairQueue();
  const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };
  queue.push(frameOf(1), undefined, 5);
  queue.push(frameOf(2), offload, 5);
  queue.push(frameOf(3), undefined, 5);
  const out: unknown[] = [];
  while (queue.nextLength() > 0) out.push([queue.shift()[0], queue.offload]);
  assert.deepEqual(out, [
    [1, undefined],
    [2, { ...offload, checksumVerified: false }],
    [3, undefined],
  ]);
});

test('when it is full, the flow that has most waiting pays; and if that is the one that comes, it waits outside', () => {
  const { queue, discarded } = fairQueue({ queueBytes: 10_000 });
  for (let i = 0; i < 10; i++) assert.equal(queue.push(frameOf(1), undefined, 1), true);
  assert.equal(queue.push(frameOf(1), undefined, 1), false);
  for (let i = 0; i < 5; i++) assert.equal(queue.push(frameOf(2), undefined, 2), true);
  assert.equal(queue.push(frameOf(2), undefined, 2), false, 'each has half of it');
  assert.deepEqual(
    discarded.map(([flow]) => flow),
    [1, 1, 1, 1, 1],
  );
  assert.deepEqual([queue.frames, queue.bytes], [10, 10_000]);
});

test('a flow that loses all it had is out of the round, wherever it was', () => {
  const { queue, discarded } = fairQueue({ queueBytes: 2500 });
  queue.push(frameOf(1, 100), undefined, 1);
  queue.push(frameOf(2, 2000), undefined, 2);
  queue.push(frameOf(3, 100), undefined, 3);
  assert.equal(queue.push(frameOf(1, 1500), undefined, 1), true);
  assert.deepEqual(
    discarded.map(([flow]) => flow),
    [2],
  );
  const out: number[] = [];
  while (queue.nextLength() > 0) out.push(queue.shift()[0]!);
  assert.deepEqual(out, [1, 3, 1]);
  assert.equal(queue.push(frameOf(2, 2000), undefined, 2), true);
  assert.equal(queue.nextLength(), 2000);
});

test('the last of the round may be the one that loses all it had', () => {
  const { queue } = fairQueue({ queueBytes: 2500 });
  queue.push(frameOf(1, 100), undefined, 1);
  queue.push(frameOf(2, 2000), undefined, 2);
  assert.equal(queue.push(frameOf(3, 1000), undefined, 3), true, 'in place of the other');
  const out: number[] = [];
  while (queue.nextLength() > 0) out.push(queue.shift()[0]!);
  assert.deepEqual(out, [1, 3]);
});

test('what is larger than all the room there is does not come in', () => {
  const { queue } = fairQueue({ queueBytes: 500 });
  assert.equal(queue.push(frameOf(1), undefined, 1), false);
  assert.equal(queue.nextLength(), 0);
});

const step = fc.oneof(
  fc.record({ flow: fc.nat(5), length: fc.integer({ min: 14, max: 3000 }) }),
  fc.constant('shift' as const),
);

test('whatever comes, it keeps each flow in order, its bounds, and account of every frame', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const { queue, discarded } = fairQueue({ queueBytes: 9000, queueFrames: 12, quantum: 400 });
      const waiting: Uint8Array[][] = [[], [], [], [], [], []];
      const leave = (frame: Uint8Array): void => {
        assert.equal(waiting[frame[0]!]!.shift(), frame, 'the first of its flow');
      };
      for (const what of steps) {
        if (what === 'shift') {
          const length = queue.nextLength();
          if (length === 0) continue;
          const frame = queue.shift();
          assert.equal(frame.length, length);
          leave(frame);
        } else {
          const frame = frameOf(what.flow, what.length);
          const taken = queue.push(frame, undefined, what.flow);
          for (const lost of discarded.splice(0)) leave(lost);
          if (taken) waiting[what.flow]!.push(frame);
        }
        const all = waiting.flat();
        assert.equal(queue.frames, all.length);
        assert.equal(
          queue.bytes,
          all.reduce((sum, { length }) => sum + length, 0),
        );
        assert.ok(queue.frames <= 12 && queue.bytes <= 9000);
      }
    }),
  );
});
