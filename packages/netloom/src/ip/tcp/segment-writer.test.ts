/** Segments as they leave: their bytes, their checksum, and what of it is left to the link. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { finishFrameChecksum, NO_OFFLOAD, type LinkOffload } from '../../link/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  TcpFlag,
  isFault,
  isTransportChecksumValid,
  parseTcp,
} from '../../wire/index.ts';
import { pseudoHeaderSum } from '../../../test/ip/frames.ts';
import { SegmentBench } from '../../../test/ip/segment-bench.ts';
import type { Path } from '../route/path.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SendQueue } from './send-queue.ts';

const CHECKSUM_ONLY: LinkOffload = { checksum: true, segmentation: 0 };
const EVERYTHING: LinkOffload = { checksum: true, segmentation: 65_550 };

class Bench extends SegmentBench {
  readonly writer: SegmentWriter = new SegmentWriter(this.stack.output);
  readonly queue: SendQueue = new SendQueue();
  readonly path: Path = this.stack.paths.find(this.peerAddress, undefined);

  /** Where the TCP header begins in a frame. */
  get at(): number {
    const ipLength = this.stackAddress.family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
    return ETHERNET_HEADER_LENGTH + ipLength;
  }

  /** Whether the checksum of a complete frame is right. */
  isRight(frame: Uint8Array): boolean {
    const ends = { source: this.stackAddress, destination: this.peerAddress };
    const sum = pseudoHeaderSum(ends, IpProtocol.TCP, frame.length - this.at);
    return isTransportChecksumValid(frame, this.at, frame.length, sum);
  }
}

test('a segment carries the header as it was filled in, the text from its place, and a checksum that is right', () => {
  const text = fc.record({
    family: fc.constantFrom(4 as const, 6 as const),
    offload: fc.constantFrom(NO_OFFLOAD, CHECKSUM_ONLY),
    bytes: fc.uint8Array({ maxLength: 1000, size: 'max' }),
    from: fc.nat(50),
    sequence: fc.integer(),
    acknowledgment: fc.integer(),
    window: fc.nat(0xffff),
    sackCount: fc.nat(3),
    hasTimestamps: fc.boolean(),
  });
  fc.assert(
    fc.property(text, ({ family, offload, bytes, from: offset, ...fields }) => {
      const bench = new Bench({ family, offload });
      const from = Math.min(offset, bytes.length);
      bench.queue.append(bytes);
      const header = bench.writer.begin(80, 5000);
      Object.assign(header, fields, { flags: TcpFlag.ACK });
      const sent = bench.writer.send(bench.path, bench.queue, from, bytes.length - from, 1400);
      assert.ok(sent);
      const [frame] = bench.take();
      assert.ok(frame !== undefined);
      if (offload.checksum) {
        const { checksumStart, checksumOffset, segmentSize } = frame.offload!;
        assert.deepEqual([checksumStart, checksumOffset, segmentSize], [bench.at, 16, 0]);
        assert.equal(finishFrameChecksum(frame.bytes, frame.offload!), undefined);
      } else assert.equal(frame.offload, undefined);
      assert.ok(bench.isRight(frame.bytes));
      const parsed = parseTcp(frame.bytes, bench.at, frame.bytes.length);
      assert.ok(!isFault(parsed));
      for (const [name, value] of Object.entries(fields)) {
        assert.equal(parsed[name as keyof typeof fields], value, name);
      }
      assert.deepEqual([parsed.sourcePort, parsed.destinationPort], [80, 5000]);
      assert.deepEqual(frame.bytes.slice(bench.at + parsed.headerLength), bytes.slice(from));
    }),
    { numRuns: 60 },
  );
});

test('what is longer than a segment goes whole to a link that cuts, which is told where', () => {
  const bench = new Bench({ offload: EVERYTHING });
  bench.queue.append(new Uint8Array(5000));
  for (const [length, segmentSize] of [
    [5000, 1460],
    [1460, 0],
  ] as const) {
    bench.writer.begin(80, 5000);
    assert.ok(bench.writer.send(bench.path, bench.queue, 0, length, 1460));
    const [frame] = bench.take();
    assert.equal(frame!.bytes.length, bench.at + 20 + length);
    assert.equal(frame!.offload!.segmentSize, segmentSize);
  }
});

test('nothing of the segment before is left in the next', () => {
  const bench = new Bench();
  const header = bench.writer.begin(80, 5000);
  const fresh = structuredClone({ ...header, sackEdges: undefined });
  Object.assign(header, {
    flags: 0xff,
    window: 1,
    sequence: 1,
    acknowledgment: 1,
    maximumSegmentSize: 1,
    windowScale: 1,
    sackPermitted: true,
    hasTimestamps: true,
    sackCount: 2,
    checksum: 1,
  });
  const again = bench.writer.begin(80, 5000);
  assert.deepEqual({ ...again, sackEdges: undefined }, fresh);
});

test('a segment that the link does not take is not sent, and says so', () => {
  const bench = new Bench();
  bench.interface.isUp = false;
  bench.writer.begin(80, 5000);
  assert.equal(bench.writer.send(bench.path, undefined, 0, 0, 0), false);
  assert.deepEqual(bench.take(), []);
});
