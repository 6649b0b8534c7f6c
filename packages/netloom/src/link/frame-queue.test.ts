import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FrameQueue } from './frame-queue.ts';
import type { FrameOffload } from './link.ts';

const offloads = fc.option(
  fc.record({
    checksumStart: fc.constantFrom(0, 34),
    checksumOffset: fc.nat(20),
    segmentSize: fc.constantFrom(0, 1460),
    checksumVerified: fc.boolean(),
  }),
  { nil: undefined },
);
const steps = fc.array(
  fc.oneof(
    fc.record({ push: fc.nat(100), offload: offloads }),
    fc.record({ push: fc.nat(100), offload: offloads }),
    fc.constant('shift' as const),
  ),
  { maxLength: 300 },
);

test('it is what an array bounded in frames and bytes would be', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 70 }), fc.nat(3000), (each, frames, bytes) => {
      const queue = new FrameQueue(frames, bytes);
      const model: { frame: Uint8Array; offload: FrameOffload | undefined }[] = [];
      const held = (): number => model.reduce((sum, { frame }) => sum + frame.length, 0);
      for (const step of each) {
        if (step !== 'shift') {
          const frame = new Uint8Array(step.push);
          const fits = model.length < frames && held() + step.push <= bytes;
          assert.equal(queue.push(frame, step.offload), fits);
          if (fits) model.push({ frame, offload: step.offload });
        } else if (model.length > 0) {
          const { frame, offload } = model.shift()!;
          assert.equal(queue.shift(), frame);
          const matters =
            offload &&
            (offload.checksumStart > 0 || offload.segmentSize > 0 || offload.checksumVerified);
          assert.deepEqual(queue.offload, matters ? { ...offload } : undefined);
        }
        assert.equal(queue.length, model.length);
        assert.equal(queue.bytes, held());
      }
    }),
  );
});

test('it grows in order, wherever its first frame stands', () => {
  const queue = new FrameQueue(1000, 1e6);
  let sent = 0;
  let seen = 0;
  const push = (): void => assert.ok(queue.push(Uint8Array.of(sent++), undefined));
  for (let i = 0; i < 10; i++) push();
  for (let i = 0; i < 10; i++) assert.deepEqual(queue.shift(), Uint8Array.of(seen++));
  for (let i = 0; i < 200; i++) push();
  while (queue.length > 0) assert.deepEqual(queue.shift(), Uint8Array.of(seen++));
  assert.equal(seen, sent);
});

test('it takes none when it may hold none', () => {
  assert.equal(new FrameQueue(0, 1000).push(new Uint8Array(1), undefined), false);
});
