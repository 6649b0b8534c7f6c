import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, ManualClock, seededRandom, toHex } from '../core/index.ts';
import { captureReader, foldSum, sumWords, type CapturedPacket } from '../wire/index.ts';
import { CapturedLink, PcapngSink, type CaptureSink } from './capture.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';
import { ImpairedLink } from './impairment/index.ts';
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
      // Of the number 1,600,000,000,123.456 these are the nanoseconds.
      ['left', 'out', 1_600_000_000_123_456_055n],
      ['right', 'in', 1_600_000_000_123_456_055n],
    ],
  );
});

test('a frame that an impaired link loses is in the file with a comment, if its observer says so', () => {
  const clock = new ManualClock();
  const blocks: Uint8Array[] = [];
  const sink = new PcapngSink((block) => blocks.push(block));
  const [inner] = linkPair(clock);
  const link = new ImpairedLink(inner, {
    clock,
    random: seededRandom(1),
    outbound: { loss: 1 },
    observe: (direction, effect, frame, offload) =>
      sink.frame(inner, direction, frame, offload, clock.wallTime(), `lost here: ${effect}`),
  });
  link.transmit(numberedFrame(1));
  const packet = blocks.at(-1)!;
  assert.ok(toHex(packet).includes(toHex(numberedFrame(1))));
  // The option: number 1, 15 bytes, padded to 16, and the end of options.
  const option = concatBytes([
    Uint8Array.of(1, 0, 15, 0),
    new TextEncoder().encode('lost here: loss\0'),
    new Uint8Array(4),
  ]);
  assert.ok(toHex(packet).includes(toHex(option)));
});

test('times that differ as numbers differ in the file, and come back as the same numbers', () => {
  const times = [0, 0.000_001, 0.5, 1, 1.25, 1_600_000_000_000];
  // The next number there is.
  times.push(1_600_000_000_000 + 2 ** -12, 1_600_000_000_000 + 2 ** -11);
  const blocks: Uint8Array[] = [];
  const sink = new PcapngSink((block) => blocks.push(block));
  const [link] = linkPair(new ManualClock());
  for (const time of times) sink.frame(link, 'out', numberedFrame(1), undefined, time);
  const back: number[] = [];
  const reader = captureReader({
    packet: ({ time }) => {
      const whole = time! / 1_000_000n;
      back.push(Number(whole) + Number(time! - whole * 1_000_000n) / 1e6);
    },
  });
  reader.push(concatBytes(blocks));
  assert.equal(reader.end(), undefined);
  assert.deepEqual(back, times);
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
