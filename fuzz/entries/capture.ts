/** Captures and what reads frames as a whole: the files, the one-line description, the cutting of segments, the gathering of records. */
import assert from 'node:assert/strict';
import { ByteGatherer, concatBytes, copyBytes, fromHex } from 'netloom/core';
import { segmentFrame } from 'netloom/link';
import { captureReader, describeFrame, PcapngWriter } from 'netloom/wire';
import { FRAMES } from '../../packages/netloom/test/frames.ts';
import type { FuzzEntry } from '../entry.ts';

const ALL_FRAMES: readonly Uint8Array[] = Object.values(FRAMES);

function pcapng(byteOrder: 'little' | 'big'): Uint8Array {
  const blocks: Uint8Array[] = [];
  const writer = new PcapngWriter((block) => blocks.push(block), { byteOrder });
  writer.addInterface({ name: 'lan0', snapLength: 100 });
  writer.packet({ interfaceId: 0, time: 10n ** 18n, data: ALL_FRAMES[0]!, direction: 'in' });
  writer.statistics({ interfaceId: 0, time: 0n, received: 1n });
  writer.packet({ interfaceId: 0, time: 10n ** 18n, data: ALL_FRAMES[1]! });
  return concatBytes(blocks);
}

/** A file header of pcap and one record of four bytes. */
const PCAP = fromHex(
  'd4c3b2a1 0200 0400 00000000 00000000 00000400 01000000' +
    '01000000 02000000 04000000 3c000000 01020304',
);

/** What a file says when it is read in two chunks. */
function read(file: Uint8Array, cut: number): unknown {
  const story: unknown[] = [];
  const reader = captureReader({
    packet: ({ data, ...rest }) => story.push({ ...rest, data: copyBytes(data) }),
    interface: (description) => story.push(description),
    statistics: (counts) => story.push(counts),
  });
  reader.push(copyBytes(file, 0, cut));
  reader.push(copyBytes(file, cut));
  return { story, fault: reader.end() };
}

/** The entries. */
export const CAPTURE_ENTRIES: readonly FuzzEntry[] = [
  {
    name: 'capture-file',
    seeds: [pcapng('little'), pcapng('big'), PCAP],
    run(input, random) {
      const cut = random.below(input.length + 1);
      assert.deepEqual(read(input, cut), read(input, 0), `cut at ${cut}`);
    },
  },
  {
    name: 'describe',
    seeds: ALL_FRAMES,
    run: (input) => assert.match(describeFrame(input), /^[\x20-\x7e]+$/),
  },
  {
    name: 'segmentation',
    seeds: [FRAMES.tcpSyn, FRAMES.tcpReset],
    run(input, random) {
      const checksumStart = random.below(4) === 0 ? random.below(80) : 34;
      const offload = { checksumStart, checksumOffset: 16, segmentSize: 1 + random.below(20) };
      let payload = 0;
      const fault = segmentFrame(
        input,
        offload,
        (length) => new Uint8Array(length),
        (segment) => {
          assert.ok(segment.length <= input.length);
          payload += segment.length;
        },
      );
      assert.equal(fault === undefined, payload > 0);
    },
  },
  {
    name: 'gatherer',
    seeds: [Uint8Array.of(3, 1, 2, 3, 0, 1, 9)],
    run(input, random) {
      const whole = records(input, input.length);
      assert.deepEqual(records(input, 1 + random.below(5)), whole);
    },
  },
];

/** The records of one length byte and that many bytes, the input cut into chunks of this size. */
function records(input: Uint8Array, size: number): string[] {
  const gatherer = new ByteGatherer();
  const found: string[] = [];
  for (let at = 0; at < input.length; at += size) {
    gatherer.feed(copyBytes(input, at, at + size));
    for (;;) {
      const length = gatherer.peek(1)?.[0];
      const record = length === undefined ? undefined : gatherer.peek(1 + length);
      if (record === undefined) break;
      found.push(record.join());
      gatherer.consume(record.length);
    }
  }
  return found;
}
