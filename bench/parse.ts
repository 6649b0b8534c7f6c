import { seededRandom } from 'netloom/core';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  EthernetHeader,
  IpProtocol,
  Ipv4Header,
  TcpHeader,
  emitEthernet,
  emitIpv4,
  emitTcp,
  isTransportChecksumValid,
  parseEthernet,
  parseIpv4,
  parseTcp,
  pseudoHeaderSumV4,
  transportChecksum,
} from 'netloom/wire';
import type { Bench } from './frame/bench.ts';
import { keep, marginalThroughput, rate } from './frame/measure.ts';

/** Frames from the smallest to the largest that segmentation offload hands over. */
const SIZES = [64, 512, 1500, 9000, 65_535];

/** Says whether a frame is a good TCP segment: all headers read, both checksums verified. 0: it is not. */
type Parse = (frame: Uint8Array) => number;

/** A segment of an established connection with timestamps, in a frame of `size` bytes. */
function makeFrame(size: number): Uint8Array {
  const frame = seededRandom(size).fill(new Uint8Array(size));
  const ethernet = Object.assign(new EthernetHeader(), { type: EtherType.IPV4 });
  const ip = Object.assign(new Ipv4Header(), {
    totalLength: size - ETHERNET_HEADER_LENGTH,
    protocol: IpProtocol.TCP,
    source: 0x0a000001,
    destination: 0x0a000002,
  });
  // The smallest frame has no room for options.
  const tcp = Object.assign(new TcpHeader(), { hasTimestamps: size > 66, flags: 0x10 });
  const ipAt = emitEthernet(ethernet, frame, 0);
  const tcpAt = emitIpv4(ip, frame, ipAt);
  emitTcp(tcp, frame, tcpAt);
  const pseudoSum = pseudoHeaderSumV4(ip.source, ip.destination, IpProtocol.TCP, size - tcpAt);
  tcp.checksum = transportChecksum(frame, tcpAt, size, pseudoSum);
  emitTcp(tcp, frame, tcpAt);
  return frame;
}

const ethernet = new EthernetHeader();
const ip = new Ipv4Header();
const tcp = new TcpHeader();

const ours: Parse = (frame) => {
  if (parseEthernet(frame, 0, frame.length, ethernet) !== ethernet) return 0;
  if (ethernet.type !== EtherType.IPV4) return 0;
  if (parseIpv4(frame, ETHERNET_HEADER_LENGTH, frame.length, ip) !== ip) return 0;
  if (ip.protocol !== IpProtocol.TCP) return 0;
  const start = ETHERNET_HEADER_LENGTH + ip.headerLength;
  const end = ETHERNET_HEADER_LENGTH + ip.totalLength;
  if (parseTcp(frame, start, end, tcp) !== tcp) return 0;
  const pseudoSum = pseudoHeaderSumV4(ip.source, ip.destination, IpProtocol.TCP, end - start);
  return isTransportChecksumValid(frame, start, end, pseudoSum) ? tcp.headerLength : 0;
};

/** The ones' complement sum of a view's range, folded. */
function plainSum(view: DataView, start: number, end: number, initial: number): number {
  let sum = initial;
  let at = start;
  for (; at + 1 < end; at += 2) sum += view.getUint16(at);
  if (at < end) sum += view.getUint8(at) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** What one would write first: a `DataView` for each frame, fields into an object. */
const plainDataView: Parse = (frame) => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.byteLength < 14 || view.getUint16(12) !== 0x0800) return 0;
  const ipv4 = readPlainIpv4(view);
  if (ipv4 === null || ipv4.protocol !== 6) return 0;
  const segment = readPlainTcp(view, 14 + ipv4.headerLength);
  const { transport, source, destination } = ipv4;
  const length = 14 + ipv4.totalLength - transport;
  const pseudoSum =
    (source >>> 16) +
    (source & 0xffff) +
    (destination >>> 16) +
    (destination & 0xffff) +
    6 +
    length;
  keep(segment);
  const valid = plainSum(view, transport, transport + length, pseudoSum) === 0xffff;
  return valid ? segment.headerLength : 0;
};

function readPlainIpv4(view: DataView) {
  const headerLength = (view.getUint8(14) & 15) * 4;
  if (view.getUint8(14) >>> 4 !== 4) return null;
  if (plainSum(view, 14, 14 + headerLength, 0) !== 0xffff) return null;
  return {
    headerLength,
    totalLength: view.getUint16(16),
    identification: view.getUint16(18),
    fragment: view.getUint16(20),
    timeToLive: view.getUint8(22),
    protocol: view.getUint8(23),
    source: view.getUint32(26),
    destination: view.getUint32(30),
    transport: 14 + headerLength,
  };
}

function readPlainTcp(view: DataView, at: number) {
  const headerLength = (view.getUint8(at + 12) >>> 4) * 4;
  const options: { kind: number; at: number; length: number }[] = [];
  for (let next = at + 20; next < at + headerLength;) {
    const kind = view.getUint8(next);
    if (kind === 0) break;
    const length = kind === 1 ? 1 : view.getUint8(next + 1);
    if (length === 0) break;
    options.push({ kind, at: next, length });
    next += length;
  }
  return {
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    sequence: view.getUint32(at + 4),
    acknowledgment: view.getUint32(at + 8),
    headerLength,
    flags: view.getUint8(at + 13),
    window: view.getUint16(at + 14),
    options,
  };
}

/** A round that answers frames per second. */
function frames(parse: Parse, frame: Uint8Array): () => number {
  if (parse(frame) === 0) throw new Error(`a frame of ${frame.length} bytes was refused`);
  return () =>
    rate((count) => {
      let good = 0;
      for (let i = 0; i < count; i++) good += parse(frame);
      keep(good);
    });
}

/** Our parsers against a plain `DataView` parser. */
export const bench: Bench = {
  name: 'parse',
  description:
    'Ethernet, IPv4 and TCP with both checksums, against a plain DataView parser, over sizes',
  async run(report) {
    const own: [number, number][] = [];
    const plain: [number, number][] = [];
    for (const size of SIZES) {
      const frame = makeFrame(size);
      const { netloom, peers } = await report.compare({
        case: `${size} bytes`,
        unit: 'frames/s',
        netloom: frames(ours, frame),
        peers: { dataview: frames(plainDataView, frame) },
      });
      own.push([size, netloom]);
      plain.push([size, peers['dataview'] ?? NaN]);
    }
    report.record({
      case: 'slope',
      unit: 'GB/s',
      netloom: marginalThroughput(own),
      peers: { dataview: marginalThroughput(plain) },
    });
  },
};
