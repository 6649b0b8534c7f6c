import { readUint16 } from '../../core/index.ts';
import { DHCPV4_CLIENT_PORT, DHCPV4_SERVER_PORT } from '../dhcpv4.ts';
import { DHCPV6_CLIENT_PORT, DHCPV6_SERVER_PORT } from '../dhcpv6.ts';
import { isFault } from '../fault.ts';
import { parseTcp, TcpFlag, type TcpHeader } from '../tcp.ts';
import { UDP_HEADER_LENGTH } from '../udp.ts';
import { describeDhcpv4, describeDhcpv6 } from './dhcp.ts';
import { flow, portFlow, words, type Envelope } from './names.ts';

/** A TCP segment: addresses with ports, flags, numbers, options. Sequence numbers are those of the wire. */
export function describeTcp(
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: Envelope,
): string {
  if (end - start < 4) return words(flow(envelope), 'TCP (truncated)');
  const from = portFlow(envelope, readUint16(bytes, start), readUint16(bytes, start + 2));
  const header = parseTcp(bytes, start, end);
  if (isFault(header)) return words(from, `TCP (${header})`);
  return words(
    from,
    'TCP',
    flagNames(header.flags),
    `seq=${header.sequence >>> 0}`,
    (header.flags & TcpFlag.ACK) !== 0 && `ack=${header.acknowledgment >>> 0}`,
    `win=${header.window}`,
    (header.flags & TcpFlag.URG) !== 0 && `urg=${header.urgentPointer}`,
    `len=${end - start - header.headerLength + envelope.missing}`,
    tcpOptions(header),
  );
}

function flagNames(flags: number): string {
  // In the order in which they matter to a reader, not in that of the bits.
  const order = ['SYN', 'FIN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'] as const;
  const names = order.filter((name) => (flags & TcpFlag[name]) !== 0);
  return names.length === 0 ? 'no-flags' : names.join(',');
}

function tcpOptions(header: TcpHeader): string {
  return words(
    header.maximumSegmentSize > 0 && `mss=${header.maximumSegmentSize}`,
    header.windowScale >= 0 && `wscale=${header.windowScale}`,
    header.sackPermitted && 'sackOK',
    header.hasTimestamps && `ts=${header.timestampValue >>> 0}/${header.timestampEcho >>> 0}`,
    header.sackCount > 0 && `sack=${sackBlocks(header)}`,
  );
}

function sackBlocks({ sackCount, sackEdges }: TcpHeader): string {
  return Array.from(
    { length: sackCount },
    (_, i) => `${sackEdges[2 * i]! >>> 0}..${sackEdges[2 * i + 1]! >>> 0}`,
  ).join(',');
}

/** A UDP datagram, and what is in it if its ports say that we can read it. */
export function describeUdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: Envelope,
): string {
  if (end - start < UDP_HEADER_LENGTH) return words(flow(envelope), 'UDP (truncated)');
  const sourcePort = readUint16(bytes, start);
  const destinationPort = readUint16(bytes, start + 2);
  const length = readUint16(bytes, start + 4);
  const from = portFlow(envelope, sourcePort, destinationPort);
  if (length < UDP_HEADER_LENGTH) return words(from, 'UDP (bad-length)');
  const isCut = !envelope.isFragment && start + length > end + envelope.missing;
  const payloadEnd = Math.min(start + length, end);
  const inside = describeDatagram(bytes, start + UDP_HEADER_LENGTH, payloadEnd, destinationPort);
  return words(from, inside ?? `UDP len=${length - UDP_HEADER_LENGTH}`, isCut && '(truncated)');
}

function describeDatagram(
  bytes: Uint8Array,
  start: number,
  end: number,
  destinationPort: number,
): string | undefined {
  switch (destinationPort) {
    case DHCPV4_CLIENT_PORT:
    case DHCPV4_SERVER_PORT:
      return describeDhcpv4(bytes, start, end);
    case DHCPV6_CLIENT_PORT:
    case DHCPV6_SERVER_PORT:
      return describeDhcpv6(bytes, start, end);
    default:
      return undefined;
  }
}
