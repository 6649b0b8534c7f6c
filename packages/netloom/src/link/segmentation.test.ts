import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, readInt32, readUint16, writeUint16 } from '../core/index.ts';
import {
  emitIpv4,
  emitTcp,
  foldSum,
  Ipv4Header,
  isFault,
  parseIpv4,
  parseTcp,
  parseUdp,
  sumWords,
  TcpFlag,
  TcpHeader,
} from '../wire/index.ts';
import type { FrameOffload } from './link.ts';
import { finishFrameChecksum, segmentFrame } from './segmentation.ts';

interface FrameShape {
  readonly family: 4 | 6;
  readonly tags?: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly identification?: number;
  /** Bytes of a destination options header between IPv6 and TCP. */
  readonly extension?: number;
}

/** A TCP frame with timestamps, its checksum left unfinished, and what its sender would say of it. */
function tcpFrame(
  shape: FrameShape,
  segmentSize: number,
): { frame: Uint8Array; offload: FrameOffload } {
  const ip = 14 + 4 * (shape.tags ?? 0);
  const extension = shape.extension ?? 0;
  const tcp = ip + (shape.family === 4 ? 20 : 40 + extension);
  const frame = new Uint8Array(tcp + 32 + shape.payload.length);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
  for (let at = 12; at < ip - 2; at += 4) frame.set([0x81, 0, 0, 5], at);
  writeUint16(frame, ip - 2, shape.family === 4 ? 0x0800 : 0x86dd);
  const header = new TcpHeader();
  header.flags = shape.flags;
  header.sequence = -1000;
  header.acknowledgment = 77;
  header.hasTimestamps = true;
  header.checksum = 0x1234;
  emitTcp(header, frame, tcp);
  frame.set(shape.payload, tcp + 32);
  writeIp(frame, ip, shape, frame.length - ip);
  return { frame, offload: { checksumStart: tcp, checksumOffset: 16, segmentSize } };
}

function writeIp(frame: Uint8Array, ip: number, shape: FrameShape, length: number): void {
  if (shape.family === 4) {
    const header = new Ipv4Header();
    header.totalLength = length;
    header.identification = shape.identification ?? 0xfffe;
    header.dontFragment = true;
    header.protocol = 6;
    header.source = 0x0a000001;
    header.destination = 0x0a000002;
    emitIpv4(header, frame, ip);
    return;
  }
  const extension = shape.extension ?? 0;
  frame.set([0x60, 0, 0, 0, (length - 40) >>> 8, length - 40, extension > 0 ? 60 : 6, 64], ip);
  for (let i = 8; i < 40; i++) frame[ip + i] = i;
  // PadN over the whole of it (RFC 8200, section 4.2).
  if (extension > 0) frame.set([6, extension / 8 - 1, 1, extension - 4], ip + 40);
}

function cut(frame: Uint8Array, offload: FrameOffload): Uint8Array[] {
  const segments: Uint8Array[] = [];
  const fault = segmentFrame(
    frame,
    offload,
    (length) => new Uint8Array(length).fill(0xee),
    (segment) => segments.push(segment),
  );
  assert.equal(fault, undefined);
  return segments;
}

/** Checks the TCP checksum of a frame by the plain rule (RFC 9293, section 3.1), and answers the parsed header. */
function checkedTcp(frame: Uint8Array, ip: number, tcp: number, family: 4 | 6): TcpHeader {
  const addresses =
    family === 4 ? sumWords(frame, ip + 12, ip + 20) : sumWords(frame, ip + 8, ip + 40);
  const sum = sumWords(frame, tcp, frame.length, addresses + 6 + frame.length - tcp);
  assert.equal(foldSum(sum), 0xffff, 'the TCP checksum is complete');
  const header = parseTcp(frame, tcp, frame.length);
  assert.ok(!isFault(header));
  return header;
}

const payloadOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7);

test('flags: FIN and PSH on the last segment only, CWR on the first only, ACK on all', () => {
  const flags = TcpFlag.FIN | TcpFlag.PSH | TcpFlag.ACK | TcpFlag.CWR | TcpFlag.ECE;
  const { frame, offload } = tcpFrame({ family: 4, flags, payload: payloadOf(2500) }, 1000);
  const seen = cut(frame, offload).map((segment) => checkedTcp(segment, 14, 34, 4).flags);
  const middle = TcpFlag.ACK | TcpFlag.ECE;
  assert.deepEqual(seen, [middle | TcpFlag.CWR, middle, middle | TcpFlag.FIN | TcpFlag.PSH]);
});

test('IPv4 identification counts on, over its end', () => {
  const { frame, offload } = tcpFrame(
    { family: 4, flags: TcpFlag.ACK, payload: payloadOf(40), identification: 0xfffe },
    10,
  );
  const seen = cut(frame, offload).map((segment) => readUint16(segment, 18));
  assert.deepEqual(seen, [0xfffe, 0xffff, 0, 1]);
});

test('a frame of one segment has its checksum completed and nothing else changed', () => {
  const { frame, offload } = tcpFrame({ family: 6, flags: TcpFlag.SYN, payload: payloadOf(0) }, 0);
  const [only, ...others] = cut(frame, offload);
  assert.deepEqual(others, []);
  checkedTcp(only!, 14, 54, 6);
  writeUint16(only!, 54 + 16, 0x1234);
  assert.deepEqual(only, frame);
});

test('any payload is cut into valid segments that together are the payload', () => {
  fc.assert(
    fc.property(
      fc.record({
        family: fc.constantFrom<4 | 6>(4, 6),
        tags: fc.integer({ min: 0, max: 2 }),
        extension: fc.constantFrom(0, 8, 16),
        flags: fc.integer({ min: 0, max: 255 }),
        payload: fc.uint8Array({ maxLength: 5000 }),
      }),
      fc.integer({ min: 1, max: 1500 }),
      (shape, segmentSize) => {
        const { frame, offload } = tcpFrame(shape, segmentSize);
        const ip = 14 + 4 * shape.tags;
        const collected: number[] = [];
        for (const segment of cut(frame, offload)) {
          const header = checkedTcp(segment, ip, offload.checksumStart, shape.family);
          const start = offload.checksumStart + header.headerLength;
          assert.ok(segment.length - start <= segmentSize);
          assert.equal(header.sequence, (-1000 + collected.length) | 0);
          assert.equal(header.acknowledgment, 77);
          collected.push(...segment.subarray(start));
          if (shape.family === 4) assert.ok(!isFault(parseIpv4(segment, ip, segment.length)));
          else assert.equal(readUint16(segment, ip + 4), segment.length - ip - 40);
        }
        assert.deepEqual(Uint8Array.from(collected), shape.payload);
      },
    ),
  );
});

/** Datagrams of one flow in one frame (`UDP_SEGMENT`), and what their sender would say of it. */
function udpFrame(
  shape: Omit<FrameShape, 'flags'>,
  segmentSize: number,
): { frame: Uint8Array; offload: FrameOffload } {
  const { frame, offload } = tcpFrame({ ...shape, flags: 0 }, segmentSize);
  const { checksumStart: udp } = offload;
  const ip = 14 + 4 * (shape.tags ?? 0);
  // The 32 bytes of the TCP header give way to the 8 of UDP's.
  const shorter = new Uint8Array(frame.length - 24);
  shorter.set(frame.subarray(0, udp));
  shorter.set(shape.payload, udp + 8);
  shorter.set([0x1f, 0x90, 0, 53, 0, 0, 0x12, 0x34], udp);
  const length = shorter.length - ip;
  writeUint16(shorter, udp + 4, shorter.length - udp);
  if (shape.family === 4) {
    writeUint16(shorter, ip + 2, length);
    shorter[ip + 9] = 17;
  } else {
    writeUint16(shorter, ip + 4, length - 40);
    shorter[(shape.extension ?? 0) > 0 ? ip + 40 : ip + 6] = 17;
  }
  return { frame: shorter, offload: { ...offload, checksumOffset: 6 } };
}

test('datagrams that came as one are cut into valid ones, whatever is in them', () => {
  fc.assert(
    fc.property(
      fc.record({
        family: fc.constantFrom<4 | 6>(4, 6),
        tags: fc.integer({ min: 0, max: 2 }),
        extension: fc.constantFrom(0, 8, 16),
        payload: fc.uint8Array({ minLength: 1, maxLength: 5000 }),
      }),
      fc.integer({ min: 1, max: 1500 }),
      (shape, segmentSize) => {
        const { frame, offload } = udpFrame(shape, segmentSize);
        const { checksumStart: udp } = offload;
        const ip = 14 + 4 * shape.tags;
        const [from, to] = shape.family === 4 ? [12, 20] : [8, 40];
        const datagrams = cut(frame, offload);
        for (const datagram of datagrams) {
          const header = parseUdp(datagram, udp, datagram.length);
          assert.ok(!isFault(header));
          assert.equal(header.length, datagram.length - udp);
          assert.notEqual(header.checksum, 0);
          const addresses = sumWords(datagram, ip + from, ip + to);
          const sum = sumWords(datagram, udp, datagram.length, addresses + 17 + header.length);
          assert.equal(foldSum(sum), 0xffff);
          if (shape.family === 4) assert.ok(!isFault(parseIpv4(datagram, ip, datagram.length)));
          else assert.equal(readUint16(datagram, ip + 4), datagram.length - ip - 40);
        }
        const payloads = datagrams.map((datagram) => datagram.subarray(udp + 8));
        for (const payload of payloads.slice(0, -1)) assert.equal(payload.length, segmentSize);
        assert.deepEqual(concatBytes(payloads), shape.payload);
      },
    ),
  );
});

/** What a datagram of so few bytes says after it was cut. */
function checksumOf(payload: Uint8Array): number {
  const { frame, offload } = udpFrame({ family: 4, payload }, 500);
  return readUint16(cut(frame, offload)[0]!, 34 + 6);
}

test('a datagram whose checksum would be zero says all ones', () => {
  const checksum = checksumOf(new Uint8Array(2));
  assert.equal(checksumOf(Uint8Array.of(checksum >>> 8, checksum)), 0xffff);
});

test('what is in a tunnel is a fault: the headers around it would not fit its segments', () => {
  for (const family of [4, 6] as const) {
    const outer = udpFrame({ family, payload: payloadOf(2000) }, 500);
    for (const checksumOffset of [6, 16]) {
      const checksumStart = outer.offload.checksumStart + 8 + 8 + 34;
      const offload = { checksumStart, checksumOffset, segmentSize: 500 };
      const fault = segmentFrame(
        outer.frame,
        offload,
        (length) => new Uint8Array(length),
        () => {},
      );
      assert.equal(fault, 'bad-value');
    }
  }
});

test('any bytes with any offload are cut or are a fault', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(0x0800, 0x86dd, 0x8100, 0x0806),
      fc.record({
        checksumStart: fc.nat(300),
        checksumOffset: fc.nat(70_000),
        segmentSize: fc.nat(2000),
      }),
      (frame, type, offload) => {
        if (frame.length > 15) {
          writeUint16(frame, 12, type);
          frame[14] = type === 0x0800 ? 0x45 : 0x60;
        }
        let emitted = 0;
        const fault = segmentFrame(
          frame,
          offload,
          (length) => new Uint8Array(length),
          () => emitted++,
        );
        assert.equal(fault === undefined, emitted > 0);
        finishFrameChecksum(frame, offload);
      },
    ),
    { numRuns: 2000 },
  );
});

test('faults are named', () => {
  const { frame, offload } = tcpFrame({ family: 4, flags: 0, payload: payloadOf(100) }, 10);
  const faultOf = (change: (copy: Uint8Array) => void, start = offload.checksumStart): unknown => {
    const copy = frame.slice();
    change(copy);
    return segmentFrame(
      copy,
      { ...offload, checksumStart: start },
      (n) => new Uint8Array(n),
      () => {
        assert.fail('emitted');
      },
    );
  };
  assert.equal(
    faultOf((copy) => writeUint16(copy, 12, 0x0806)),
    'bad-version',
  );
  assert.equal(
    faultOf((copy) => writeUint16(copy, 16, 60_000)),
    'truncated',
  );
  assert.equal(
    faultOf((copy) => (copy[23] = 17)),
    'bad-value',
  );
  assert.equal(
    faultOf((copy) => (copy[34 + 12] = 0x40)),
    'bad-length',
  );
  assert.equal(
    faultOf(() => undefined, 20),
    'bad-length',
  );
  assert.equal(
    faultOf(() => undefined, 5000),
    'truncated',
  );
});

test('an unfinished UDP checksum is completed in place, 0 written as ffff', () => {
  // UDP of 10 bytes over IPv4 from 10.0.0.1 to 10.0.0.2; its field holds the pseudo-header's sum.
  const pseudoHeader = foldSum(0x0a00 + 1 + 0x0a00 + 2 + 17 + 10);
  const datagram = (word: number): Uint8Array => {
    const frame = new Uint8Array(44);
    frame.set([0, 7, 0, 9, 0, 10, pseudoHeader >>> 8, pseudoHeader, word >>> 8, word], 34);
    return frame;
  };
  const offload = { checksumStart: 34, checksumOffset: 6, segmentSize: 0 };
  const usual = datagram(0x4142);
  assert.equal(finishFrameChecksum(usual, offload), undefined);
  assert.equal(readUint16(usual, 40), ~foldSum(pseudoHeader + 7 + 9 + 10 + 0x4142) & 0xffff);
  const toZero = datagram(0xffff - foldSum(pseudoHeader + 7 + 9 + 10));
  finishFrameChecksum(toZero, offload);
  assert.equal(readUint16(toZero, 40), 0xffff);
  const before = readInt32(usual, 38);
  assert.equal(finishFrameChecksum(usual, { ...offload, checksumStart: 0 }), undefined);
  assert.equal(finishFrameChecksum(usual, { ...offload, checksumOffset: 9 }), 'bad-length');
  assert.equal(readInt32(usual, 38), before);
});
