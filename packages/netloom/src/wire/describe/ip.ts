import { isFault, type WireFault } from '../fault.ts';
import { IpProtocol } from '../ip-protocol.ts';
import { Ipv4Header, parseIpv4, parseQuotedIpv4 } from '../ipv4.ts';
import { Ipv6Chain, walkIpv6 } from '../ipv6-extensions.ts';
import { IPV6_HEADER_LENGTH, Ipv6Header, parseIpv6, parseQuotedIpv6 } from '../ipv6.ts';
import { describeIcmpv4, describeIcmpv6 } from './icmp.ts';
import { describeIgmp } from './groups.ts';
import { flow, hex, protocolName, words, type Envelope } from './names.ts';
import { describeTcp, describeUdp } from './transport.ts';

/** The ECN bits that say that a router is congested (RFC 3168, section 5). */
const CONGESTION_EXPERIENCED = 3;

/** Where an IP packet's payload is, and as what part of which datagram. */
interface Payload {
  readonly protocol: number;
  readonly start: number;
  readonly end: number;
  readonly fragment: Fragment | undefined;
}

interface Fragment {
  readonly identification: string;
  readonly offset: number;
  readonly more: boolean;
}

/** One line on the IPv4 packet at `start`. */
export function describeIpv4(bytes: Uint8Array, start: number, end: number): string {
  const header = new Ipv4Header();
  const fault = faultOf(parseIpv4(bytes, start, end, header));
  // A capture may have cut it off, or its checksum is wrong: what there is, is described all the same.
  const quoted = fault === undefined ? header : parseQuotedIpv4(bytes, start, end, header);
  if (isFault(quoted)) return `IPv4 (${quoted})`;
  const { identification, fragmentOffset, moreFragments } = header;
  const packetEnd = start + Math.max(header.totalLength, header.headerLength);
  const payload: Payload = {
    protocol: header.protocol,
    start: start + header.headerLength,
    end: Math.min(end, packetEnd),
    fragment: header.isFragment
      ? {
          identification: hex(identification, 4),
          offset: fragmentOffset,
          more: moreFragments,
        }
      : undefined,
  };
  const envelope = {
    source: header.sourceAddress,
    destination: header.destinationAddress,
    hopLimit: header.timeToLive,
    isFragment: header.isFragment,
    missing: Math.max(0, packetEnd - end),
  };
  return words(describePayload(bytes, payload, envelope), marks(header.trafficClass, fault));
}

/** One line on the IPv6 packet at `start`. */
export function describeIpv6(bytes: Uint8Array, start: number, end: number): string {
  const header = new Ipv6Header();
  const fault = faultOf(parseIpv6(bytes, start, end, header));
  const quoted = fault === undefined ? header : parseQuotedIpv6(bytes, start, end, header);
  if (isFault(quoted)) return `IPv6 (${quoted})`;
  const wholeEnd = start + IPV6_HEADER_LENGTH + header.payloadLength;
  const packetEnd = Math.min(end, wholeEnd);
  const chain = new Ipv6Chain();
  const chainFault = faultOf(walkIpv6(bytes, start, packetEnd, header, chain));
  const envelope = {
    source: header.sourceAddress,
    destination: header.destinationAddress,
    hopLimit: header.hopLimit,
    isFragment: chain.isFragment,
    missing: wholeEnd - packetEnd,
  };
  const marked = marks(header.trafficClass, fault ?? chainFault);
  if (chainFault !== undefined) {
    return words(flow(envelope), protocolName(chain.protocol), marked);
  }
  const payload: Payload = {
    protocol: chain.protocol,
    start: chain.transport,
    end: packetEnd,
    fragment: chain.isFragment
      ? {
          identification: hex(chain.identification, 8),
          offset: chain.fragmentOffset,
          more: chain.moreFragments,
        }
      : undefined,
  };
  return words(describePayload(bytes, payload, envelope), marked);
}

function faultOf(answer: object | WireFault): WireFault | undefined {
  return isFault(answer) ? answer : undefined;
}

function marks(trafficClass: number, fault: WireFault | undefined): string {
  return words(
    (trafficClass & 3) === CONGESTION_EXPERIENCED && 'CE',
    fault !== undefined && `(${fault})`,
  );
}

function describePayload(bytes: Uint8Array, payload: Payload, envelope: Envelope): string {
  const { fragment, protocol, start, end } = payload;
  if (fragment === undefined) return describeProtocol(bytes, payload, envelope);
  const part = words(
    `fragment id=${fragment.identification} offset=${fragment.offset} bytes=${end - start + envelope.missing}`,
    fragment.more ? 'more' : 'last',
  );
  // Only the first has the header of what it carries.
  return fragment.offset === 0
    ? words(describeProtocol(bytes, payload, envelope), part)
    : words(flow(envelope), protocolName(protocol), part);
}

function describeProtocol(bytes: Uint8Array, payload: Payload, envelope: Envelope): string {
  const { protocol, start, end } = payload;
  switch (protocol) {
    case IpProtocol.TCP:
      return describeTcp(bytes, start, end, envelope);
    case IpProtocol.UDP:
      return describeUdp(bytes, start, end, envelope);
    case IpProtocol.ICMP:
      return words(flow(envelope), describeIcmpv4(bytes, start, end, envelope));
    case IpProtocol.ICMPV6:
      return words(flow(envelope), describeIcmpv6(bytes, start, end, envelope));
    case IpProtocol.IGMP:
      return words(flow(envelope), describeIgmp(bytes, start, end));
    default:
      return words(flow(envelope), protocolName(protocol), `len=${end - start + envelope.missing}`);
  }
}
