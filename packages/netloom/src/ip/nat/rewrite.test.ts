/** Checksums that are changed come out as checksums that are made anew (RFC 1624). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MacAddress, copyBytes, type IpAddress } from '../../core/index.ts';
import { NO_OFFLOAD, finishFrameChecksum } from '../../link/index.ts';
import { IpProtocol, TcpFlag, TcpHeader, foldSum } from '../../wire/index.ts';
import { bytes, ipv4, ipv6, uint16 } from '../../../test/arbitraries.ts';
import {
  icmpFrame,
  pseudoHeaderSum,
  tcpFrame,
  udpFrame,
  type Ends,
} from '../../../test/ip/frames.ts';
import { NatBench, end } from '../../../test/ip/nat-bench.ts';
import { pattern } from '../../../test/ip/stack-bench.ts';
import { rewriteEnds, type PacketPlace } from './rewrite.ts';

const MACS = { sourceMac: MacAddress.ZERO, destinationMac: MacAddress.ZERO };
const START = 14;

type Kind = 'tcp' | 'udp' | 'echo';

/** A frame of each kind between two ends; of an echo request the source port is the identifier. */
function frameOf(
  kind: Kind,
  source: IpAddress,
  destination: IpAddress,
  ports: readonly [number, number],
  data: Uint8Array,
): Uint8Array {
  const ends: Ends = { source, destination, ...MACS };
  if (kind === 'udp') return udpFrame(ends, ports[0], ports[1], data);
  if (kind === 'echo')
    return icmpFrame(ends, source.family === 4 ? 8 : 128, 0, (ports[0] << 16) | 1, data);
  const header = Object.assign(new TcpHeader(), {
    sourcePort: ports[0],
    destinationPort: ports[1],
    flags: TcpFlag.ACK,
  });
  return tcpFrame(ends, header, data);
}

function placeOf(frame: Uint8Array, family: 4 | 6, kind: Kind): PacketPlace {
  const echo = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
  const protocol = { tcp: IpProtocol.TCP, udp: IpProtocol.UDP, echo }[kind];
  const transport = START + (family === 4 ? 20 : 40);
  return { start: START, transport, end: frame.length, family, protocol };
}

for (const family of [4, 6] as const) {
  const address = family === 4 ? ipv4 : ipv6;

  test(`a packet with other ends is the packet that had them from the start (IPv${family})`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Kind>('tcp', 'udp', 'echo'),
        fc.tuple(address, address, address, address),
        fc.tuple(uint16, uint16, uint16, uint16),
        bytes(100),
        fc.constantFrom('source', 'destination', 'both'),
        (kind, [from, to, newFrom, newTo], ports, data, which) => {
          const source = which !== 'destination';
          // An echo request has no port at its other end.
          const destination = which !== 'source' && kind !== 'echo';
          const frame = frameOf(kind, from, to, [ports[0], ports[1]], data);
          rewriteEnds(frame, placeOf(frame, family, kind), {
            source: source ? { address: newFrom, port: ports[2] } : undefined,
            destination: destination ? { address: newTo, port: ports[3] } : undefined,
          });
          const expected = frameOf(
            kind,
            source ? newFrom : from,
            destination ? newTo : to,
            [source ? ports[2] : ports[0], destination ? ports[3] : ports[1]],
            data,
          );
          assert.deepEqual(frame, expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test(`a checksum that is left to the link comes out right (IPv${family})`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Kind>('tcp', 'udp'),
        fc.tuple(address, address, address),
        fc.tuple(uint16, uint16, uint16),
        bytes(100),
        (kind, [from, to, newFrom], ports, data) => {
          const frame = frameOf(kind, from, to, [ports[0], ports[1]], data);
          const place = placeOf(frame, family, kind);
          const offset = kind === 'tcp' ? 16 : 6;
          const pseudo = pseudoHeaderSum(
            { source: from, destination: to },
            place.protocol,
            frame.length - place.transport,
          );
          const sum = foldSum(pseudo);
          frame[place.transport + offset] = sum >>> 8;
          frame[place.transport + offset + 1] = sum;
          rewriteEnds(
            frame,
            place,
            { source: { address: newFrom, port: ports[2] }, destination: undefined },
            true,
          );
          finishFrameChecksum(frame, {
            checksumStart: place.transport,
            checksumOffset: offset,
            segmentSize: 0,
          });
          assert.deepEqual(frame, frameOf(kind, newFrom, to, [ports[2], ports[1]], data));
        },
      ),
    );
  });
}

test('a UDP datagram without a checksum stays so (RFC 4787, section 3; RFC 768)', () => {
  const bench = new NatBench();
  bench.send(end('10.0.0.2:5000'), end('198.51.100.7:53'), (ends) => {
    const frame = udpFrame(ends, 5000, 53, new Uint8Array(4));
    frame[START + 20 + 6] = frame[START + 20 + 7] = 0;
    return frame;
  });
  assert.deepEqual([...bench.last.subarray(START + 26, START + 28)], [0, 0]);
});

test('what is wrong stays wrong, so that its receiver sees it', () => {
  const bench = new NatBench();
  const broken = (): string[] =>
    bench.send(end('10.0.0.2:5000'), end('198.51.100.7:53'), (ends) => {
      const frame = udpFrame(ends, 5000, 53, new Uint8Array(4));
      frame[frame.length - 1]! ^= 1;
      return frame;
    });
  assert.throws(broken, /checksum of protocol 17/);
});

for (const outsideOffload of [NO_OFFLOAD, { checksum: true, segmentation: 65_550 }]) {
  const how = outsideOffload === NO_OFFLOAD ? 'is cut for a link that cannot' : 'goes on whole';
  test(`a segment that its link was to cut, and to sum, ${how}`, () => {
    const bench = new NatBench({
      inside: { offload: { checksum: true, segmentation: 65_550 } },
      outside: { offload: outsideOffload },
    });
    const data = pattern(0, 5000);
    assert.equal(bench.tcp('10.0.0.2:5000', '198.51.100.7:80', 'S').length, 1);
    bench.tcp('198.51.100.7:80', '203.0.113.1:5000', 'S.');
    bench.learn();
    const ends = {
      source: end('10.0.0.2:0').address,
      destination: end('198.51.100.7:0').address,
      ...MACS,
    };
    const frame = frameOf('tcp', ends.source, ends.destination, [5000, 80], data);
    frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    const sum = foldSum(pseudoHeaderSum(ends, IpProtocol.TCP, frame.length - 34));
    frame[34 + 16] = sum >>> 8;
    frame[34 + 17] = sum;
    bench.bench.inject(frame, { checksumStart: 34, checksumOffset: 16, segmentSize: 1460 });
    const sent = bench.outside.take();
    const payload: number[] = [];
    for (const { bytes: each, offload } of sent) {
      const whole = copyBytes(each);
      if (offload !== undefined) finishFrameChecksum(whole, offload);
      bench.check(whole);
      payload.push(...whole.subarray(54));
    }
    assert.deepEqual(Uint8Array.from(payload), data);
    assert.equal(sent.length, outsideOffload === NO_OFFLOAD ? 4 : 1);
  });
}
