import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, ManualClock } from '../core/index.ts';
import { captureReader, foldSum, sumWords, type CapturedPacket } from '../wire/index.ts';
import { CapturedLink, PcapngSink, type CaptureSink } from './capture.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';
import type { FrameOffload } from './link.ts';
import { linkPair } from './pair.ts';

test('every frame is shown once, with direction, time and offload, and goes its way', async () => {
  const clock = new ManualClock({ wallTime: 1_000_000 });
  const [inner, far] = linkPair(clock);
  const seen: unknown[] = [];
  const sink: CaptureSink = {
    frame: (link, direction, frame, offload, time) =>
      seen.push([link.name, direction, frame[15], offload?.segmentSize, time]),
  };
  const link = new CapturedLink(inner, clock, sink);
  const near = new Recorder();
  const atFar = new Recorder();
  link.attach(near);
  far.attach(atFar);
  link.transmit(numberedFrame(1), { checksumStart: 34, checksumOffset: 16, segmentSize: 9 });
  clock.advance(5);
  far.transmit(numberedFrame(2));
  clock.advance(7.25);
  assert.deepEqual(seen, [
    ['pair0', 'out', 1, 9, 1_000_000],
    ['pair0', 'in', 2, undefined, 1_000_005],
  ]);
  assert.deepEqual([near.numbers(), atFar.numbers()], [[2], [1]]);
  assert.equal(near.batches.length, 1);
  const closed = link.close();
  clock.runDeferred();
  await closed;
  assert.deepEqual(near.ends, [undefined]);
  assert.equal(link.transmit(numberedFrame(3)), false);
  assert.equal(link.statistics.drops.get('link-down'), 1);
});

/** A TCP frame over IPv4 with 2,500 bytes of payload, left to the link to cut. */
function wholeSegment(): Uint8Array {
  const frame = new Uint8Array(54 + 2500);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 2540 >>> 8, 2540 & 255], 0);
  frame.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 22);
  frame[34 + 12] = 0x50;
  return frame;
}
const toCut: FrameOffload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };

/** What a file holds after these frames were sent over two captured links. */
function captured(asOnWire: boolean, frames: readonly [Uint8Array, FrameOffload?][]) {
  const clock = new ManualClock({ wallTime: 1_600_000_000_123.456 });
  const blocks: Uint8Array[] = [];
  const sink = new PcapngSink((block) => blocks.push(block), { asOnWire });
  const [a, b] = linkPair(clock, { names: ['left', 'right'] });
  const left = new CapturedLink(a, clock, sink);
  const right = new CapturedLink(b, clock, sink);
  const atRight = new Recorder();
  right.attach(atRight);
  for (const [frame, offload] of frames) left.transmit(frame, offload);
  clock.runDeferred();
  const packets: CapturedPacket[] = [];
  const reader = captureReader({
    packet: (packet) => packets.push({ ...packet, data: packet.data.slice() }),
  });
  assert.equal(reader.push(concatBytes(blocks)), undefined);
  assert.equal(reader.end(), undefined);
  return { packets, atRight };
}

test('a pcapng file has an interface for each link, and its frames with time and direction', () => {
  const { packets } = captured(true, [[numberedFrame(1)]]);
  assert.deepEqual(
    packets.map(({ interface: from, direction, time }) => [from.name, direction, time]),
    [
      ['left', 'out', 1_600_000_000_123_456_000n],
      ['right', 'in', 1_600_000_000_123_456_000n],
    ],
  );
});

test('the file shows frames as on a wire, cut and with checksums; what passes stays as it was', () => {
  const single = wholeSegment().subarray(0, 100).slice();
  const { packets, atRight } = captured(true, [
    [wholeSegment(), toCut],
    [single, { ...toCut, segmentSize: 0 }],
    [numberedFrame(1, 3000), toCut],
  ]);
  const sent = packets.filter(({ direction }) => direction === 'out');
  assert.deepEqual(
    sent.map(({ data }) => data.length),
    [1054, 1054, 554, 100, 3000],
  );
  assert.equal(foldSum(sumWords(sent[3]!.data, 34, 100)), 0xffff);
  assert.deepEqual(atRight.received[0], { frame: wholeSegment(), offload: toCut, at: 0 });
});

test('or as they passed', () => {
  const { packets } = captured(false, [[wholeSegment(), toCut]]);
  assert.deepEqual(packets[0]!.data, wholeSegment());
});
