import { IpAddress, readUint16 } from '../../core/index.ts';
import { foldSum, sumWords } from '../checksum.ts';
import { isFault } from '../fault.ts';
import { Icmpv4Header, ICMPV4_HEADER_LENGTH, Icmpv4Type, isIcmpv4Error } from '../icmpv4.ts';
import { ICMPV6_HEADER_LENGTH, Icmpv6Type, parseIcmpv6, type Icmpv6Header } from '../icmpv6.ts';
import { IpProtocol } from '../ip-protocol.ts';
import { Ipv4Header, parseQuotedIpv4 } from '../ipv4.ts';
import { Ipv6Chain, walkIpv6 } from '../ipv6-extensions.ts';
import { Ipv6Header, parseQuotedIpv6 } from '../ipv6.ts';
import { isMldType } from '../mld.ts';
import { isNdpType } from '../ndp.ts';
import { describeMld } from './groups.ts';
import { flow, nameOr, portFlow, protocolName, words, type Envelope } from './names.ts';
import { describeNdp } from './ndp.ts';

const UNREACHABLE_V4: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  4: 'fragmentation needed',
  5: 'source route failed',
  9: 'network prohibited',
  10: 'host prohibited',
  13: 'communication prohibited',
};

const UNREACHABLE_V6: Readonly<Record<number, string>> = {
  0: 'no route',
  1: 'communication prohibited',
  2: 'beyond scope of source',
  3: 'address unreachable',
  4: 'port unreachable',
  5: 'source policy failed',
  6: 'route rejected',
};

const TIME_EXCEEDED: Readonly<Record<number, string>> = {
  0: 'time to live exceeded',
  1: 'reassembly time exceeded',
};

/** An ICMPv4 message, without the addresses of its packet. */
export function describeIcmpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  { isFragment, missing }: Envelope,
): string {
  if (end - start < ICMPV4_HEADER_LENGTH) return 'ICMP (truncated)';
  // Read by hand: the parser would refuse a wrong checksum, and a reader wants to know of what it is.
  const header = new Icmpv4Header();
  header.type = bytes[start]!;
  header.code = bytes[start + 1]!;
  header.rest = (readUint16(bytes, start + 4) << 16) | readUint16(bytes, start + 6);
  const isWhole = !isFragment && missing === 0;
  const isSound = !isWhole || foldSum(sumWords(bytes, start, end)) === 0xffff;
  const data = start + ICMPV4_HEADER_LENGTH;
  return words(
    'ICMP',
    icmpv4Kind(header, end - data + missing),
    isIcmpv4Error(header.type) && `for ${describeQuotedIpv4(bytes, data, end)}`,
    !isSound && '(bad-checksum)',
  );
}

function icmpv4Kind(header: Icmpv4Header, length: number): string {
  switch (header.type) {
    case Icmpv4Type.ECHO_REQUEST:
      return `echo request id=${header.identifier} seq=${header.sequence} len=${length}`;
    case Icmpv4Type.ECHO_REPLY:
      return `echo reply id=${header.identifier} seq=${header.sequence} len=${length}`;
    case Icmpv4Type.DESTINATION_UNREACHABLE:
      return words(
        nameOr(UNREACHABLE_V4, header.code, 'unreachable, code'),
        header.code === 4 && `mtu=${header.mtu}`,
      );
    case Icmpv4Type.TIME_EXCEEDED:
      return nameOr(TIME_EXCEEDED, header.code, 'time exceeded, code');
    case Icmpv4Type.PARAMETER_PROBLEM:
      return `parameter problem at byte ${header.pointer}`;
    case Icmpv4Type.REDIRECT:
      return `redirect to ${IpAddress.v4(header.gateway)}`;
    default:
      return `type ${header.type} code ${header.code} len=${length}`;
  }
}

/** An ICMPv6 message, without the addresses of its packet. */
export function describeIcmpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: Envelope,
): string {
  const header = parseIcmpv6(bytes, start, end);
  if (isFault(header)) return `ICMPv6 (${header})`;
  if (isNdpType(header.type)) return describeNdp(bytes, start, end, envelope);
  if (isMldType(header.type)) return describeMld(bytes, start, end);
  const data = start + ICMPV6_HEADER_LENGTH;
  return words(
    'ICMPv6',
    icmpv6Kind(header, end - data + envelope.missing),
    header.isError && `for ${describeQuotedIpv6(bytes, data, end)}`,
  );
}

function icmpv6Kind(header: Icmpv6Header, length: number): string {
  switch (header.type) {
    case Icmpv6Type.ECHO_REQUEST:
      return `echo request id=${header.identifier} seq=${header.sequence} len=${length}`;
    case Icmpv6Type.ECHO_REPLY:
      return `echo reply id=${header.identifier} seq=${header.sequence} len=${length}`;
    case Icmpv6Type.DESTINATION_UNREACHABLE:
      return nameOr(UNREACHABLE_V6, header.code, 'unreachable, code');
    case Icmpv6Type.PACKET_TOO_BIG:
      return `packet too big mtu=${header.mtu}`;
    case Icmpv6Type.TIME_EXCEEDED:
      return nameOr(TIME_EXCEEDED, header.code, 'time exceeded, code');
    case Icmpv6Type.PARAMETER_PROBLEM:
      return `parameter problem code ${header.code} at byte ${header.pointer}`;
    default:
      return `type ${header.type} code ${header.code} len=${length}`;
  }
}

/** The packet an error quotes, in short: whose it was. */
function describeQuotedIpv4(bytes: Uint8Array, start: number, end: number): string {
  const header = new Ipv4Header();
  const fault = parseQuotedIpv4(bytes, start, end, header);
  if (isFault(fault)) return `IPv4 (${fault})`;
  const envelope = {
    source: header.sourceAddress,
    destination: header.destinationAddress,
    hopLimit: header.timeToLive,
    isFragment: header.isFragment,
    missing: 0,
  };
  // Ports are in the first fragment only.
  const transport = header.fragmentOffset > 0 ? end : start + header.headerLength;
  return describeQuoted(bytes, transport, end, header.protocol, envelope);
}

function describeQuotedIpv6(bytes: Uint8Array, start: number, end: number): string {
  const header = new Ipv6Header();
  const fault = parseQuotedIpv6(bytes, start, end, header);
  if (isFault(fault)) return `IPv6 (${fault})`;
  const chain = new Ipv6Chain();
  const isWalked = !isFault(walkIpv6(bytes, start, end, header, chain));
  const envelope = {
    source: header.sourceAddress,
    destination: header.destinationAddress,
    hopLimit: header.hopLimit,
    isFragment: chain.isFragment,
    missing: 0,
  };
  const transport = isWalked && chain.fragmentOffset === 0 ? chain.transport : end;
  return describeQuoted(bytes, transport, end, chain.protocol, envelope);
}

function describeQuoted(
  bytes: Uint8Array,
  transport: number,
  end: number,
  protocol: number,
  envelope: Envelope,
): string {
  const hasPorts = protocol === IpProtocol.TCP || protocol === IpProtocol.UDP;
  if (!hasPorts || transport + 4 > end) return words(flow(envelope), protocolName(protocol));
  const ports = [readUint16(bytes, transport), readUint16(bytes, transport + 2)] as const;
  return words(portFlow(envelope, ...ports), protocolName(protocol));
}
