import { readUint16, writeUint16, type SocketAddress } from '../../core/index.ts';
import { IpProtocol, finishChecksum, foldSum, sumWords } from '../../wire/index.ts';

/** Where a packet's parts are. */
export interface PacketPlace {
  /** Index of the IP header. */
  readonly start: number;
  readonly transport: number;
  /** Index one past the last byte that is there: a quoted packet may be cut off. */
  readonly end: number;
  readonly family: 4 | 6;
  readonly protocol: number;
}

/** What a packet's ends become; undefined: stays. */
export interface NewEnds {
  readonly source: SocketAddress | undefined;
  readonly destination: SocketAddress | undefined;
}

/** What is changed behind the addresses: ports, the identifier of an ICMP query, or nothing. */
type Ports = 'ports' | 'identifier' | 'none';

const V4_CHECKSUM = 10;
const ICMP_IDENTIFIER = 4;

/**
 * Changes the ends of a packet in place, and its checksums by what has changed (RFC 1624): what was wrong stays wrong, so that its receiver sees it.
 *
 * `isUnfinished`: the transport checksum is left to the link; its field holds the pseudo-header's sum, in which the addresses count and the ports do not.
 */
export function rewriteEnds(
  bytes: Uint8Array,
  place: PacketPlace,
  ends: NewEnds,
  isUnfinished = false,
): void {
  const { transport, end, protocol } = place;
  const addresses = rewriteAddresses(bytes, place, ends);
  const ports = portsOf(protocol);
  const before = portSum(bytes, place, ports);
  writePorts(bytes, place, ports, ends);
  const change = changeOf(before, portSum(bytes, place, ports));
  const field = transport + checksumOffset(protocol);
  if (field < transport || field + 2 > end) return;
  const pseudoHeader = protocol === IpProtocol.ICMP ? 0 : addresses;
  if (isUnfinished) adjustSum(bytes, field, pseudoHeader);
  else if (protocol === IpProtocol.UDP) adjustUdp(bytes, field, pseudoHeader + change);
  else adjust(bytes, field, pseudoHeader + change);
}

/** Changes the addresses of a packet and nothing behind them. Answers by what the sum of its pseudo-header has changed. */
export function rewriteAddresses(
  bytes: Uint8Array,
  { start, family }: Pick<PacketPlace, 'start' | 'family'>,
  ends: NewEnds,
): number {
  const length = family === 4 ? 4 : 16;
  const from = start + (family === 4 ? 12 : 8);
  const before = sumWords(bytes, from, from + 2 * length);
  ends.source?.address.copyTo(bytes, from);
  ends.destination?.address.copyTo(bytes, from + length);
  const change = changeOf(before, sumWords(bytes, from, from + 2 * length));
  if (family === 4) adjust(bytes, start + V4_CHECKSUM, change);
  return change;
}

/** By what a sum has changed, in ones' complement. */
function changeOf(before: number, after: number): number {
  return foldSum((~foldSum(before) & 0xffff) + after);
}

function portsOf(protocol: number): Ports {
  if (protocol === IpProtocol.TCP || protocol === IpProtocol.UDP) return 'ports';
  return protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6 ? 'identifier' : 'none';
}

/** Where in the transport header the checksum is; negative: unknown. */
function checksumOffset(protocol: number): number {
  switch (protocol) {
    case IpProtocol.TCP:
      return 16;
    case IpProtocol.UDP:
      return 6;
    case IpProtocol.ICMP:
    case IpProtocol.ICMPV6:
      return 2;
    default:
      return -1;
  }
}

function portSum(bytes: Uint8Array, { transport, end }: PacketPlace, ports: Ports): number {
  if (ports === 'ports' && transport + 4 <= end) return sumWords(bytes, transport, transport + 4);
  const at = transport + ICMP_IDENTIFIER;
  return ports === 'identifier' && at + 2 <= end ? readUint16(bytes, at) : 0;
}

function writePorts(
  bytes: Uint8Array,
  { transport, end }: PacketPlace,
  ports: Ports,
  { source, destination }: NewEnds,
): void {
  if (ports === 'ports' && transport + 4 <= end) {
    if (source !== undefined) writeUint16(bytes, transport, source.port);
    if (destination !== undefined) writeUint16(bytes, transport + 2, destination.port);
  } else if (ports === 'identifier' && transport + ICMP_IDENTIFIER + 2 <= end) {
    const identifier = source ?? destination;
    if (identifier !== undefined) writeUint16(bytes, transport + ICMP_IDENTIFIER, identifier.port);
  }
}

/** A checksum after what it covers has changed (RFC 1624, section 3, equation 3). */
function adjust(bytes: Uint8Array, at: number, change: number): void {
  writeUint16(bytes, at, finishChecksum((~readUint16(bytes, at) & 0xffff) + change));
}

/** Of a sum that is not complemented yet. */
function adjustSum(bytes: Uint8Array, at: number, change: number): void {
  writeUint16(bytes, at, foldSum(readUint16(bytes, at) + change));
}

/** In UDP 0 says that there is no checksum, and stays; one that comes out as 0 is sent as all ones (RFC 768). */
function adjustUdp(bytes: Uint8Array, at: number, change: number): void {
  if (readUint16(bytes, at) === 0) return;
  adjust(bytes, at, change);
  if (readUint16(bytes, at) === 0) writeUint16(bytes, at, 0xffff);
}
