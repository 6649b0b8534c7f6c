/** Frames of TCP connections and UDP flows, as tests of what looks on want them. */
import { IpAddress } from '../../src/core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  EthernetHeader,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Header,
  TCP_HEADER_LENGTH,
  TcpHeader,
  UDP_HEADER_LENGTH,
  UdpHeader,
  VLAN_TAG_LENGTH,
  VlanTag,
  emitEthernet,
  emitIpv4,
  emitIpv6,
  emitTcp,
  emitUdp,
  emitVlan,
} from '../../src/wire/index.ts';

/** What is in a segment. */
export interface Segment {
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly text?: string;
  readonly bytes?: Uint8Array;
}

/** What the frames of a connection have around it. */
export interface Surroundings {
  readonly family?: 4 | 6;
  /** VLANs, the outermost first. */
  readonly tags?: readonly number[];
}

const PORTS = { client: 4000, server: 80 } as const;
const ADDRESSES = { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8::1', '2001:db8::2'] } as const;

/** Makes the segments of both sides of a connection from 192.0.2.1:4000 to 192.0.2.2:80, or of 2001:db8::1 and ::2. */
export function connection(around: Surroundings = {}) {
  return {
    client: (segment: Segment): Uint8Array => segmentFrame(segment, around, false),
    server: (segment: Segment): Uint8Array => segmentFrame(segment, around, true),
  };
}

function segmentFrame(segment: Segment, around: Surroundings, isBack: boolean): Uint8Array {
  const { flags, sequence = 0, acknowledgment = 0, text = '' } = segment;
  const payload = segment.bytes ?? new TextEncoder().encode(text);
  const { frame, at } = packet(IpProtocol.TCP, TCP_HEADER_LENGTH + payload.length, around, isBack);
  const ports = portsOf(isBack);
  const header = Object.assign(new TcpHeader(), { ...ports, flags, sequence, acknowledgment });
  frame.set(payload, emitTcp(header, frame, at));
  return frame;
}

/** A datagram between 192.0.2.1:4000 and 192.0.2.2:80. `fragment`: IPv4's field of flags and offset. */
export function udpFrame(
  text: string,
  { isBack = false, fragment = 0 }: { readonly isBack?: boolean; readonly fragment?: number } = {},
): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const length = UDP_HEADER_LENGTH + payload.length;
  const { frame, at } = packet(IpProtocol.UDP, length, { family: 4 }, isBack, fragment);
  const header = Object.assign(new UdpHeader(), { ...portsOf(isBack), length });
  frame.set(payload, emitUdp(header, frame, at));
  return frame;
}

function portsOf(isBack: boolean): { sourcePort: number; destinationPort: number } {
  const { client, server } = PORTS;
  return isBack
    ? { sourcePort: server, destinationPort: client }
    : { sourcePort: client, destinationPort: server };
}

/** A frame with room for `length` bytes above IP, its headers written. */
function packet(
  protocol: number,
  length: number,
  { family = 4, tags = [] }: Surroundings,
  isBack: boolean,
  fragment = 0,
): { frame: Uint8Array; at: number } {
  const header = family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const link = ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH * tags.length;
  const frame = new Uint8Array(link + header + length);
  const types = [...tags.map(() => EtherType.VLAN), family === 4 ? EtherType.IPV4 : EtherType.IPV6];
  let at = emitEthernet(Object.assign(new EthernetHeader(), { type: types[0] }), frame, 0);
  for (const [i, identifier] of tags.entries()) {
    at = emitVlan(Object.assign(new VlanTag(), { identifier, type: types[i + 1] }), frame, at);
  }
  const [near, far] = ADDRESSES[family].map((text) => IpAddress.parse(text));
  const [from, to] = isBack ? [far!, near!] : [near!, far!];
  if (family === 6) {
    const ip = Object.assign(new Ipv6Header(), { payloadLength: length, nextHeader: protocol });
    ip.setSource(from);
    ip.setDestination(to);
    return { frame, at: emitIpv6(ip, frame, at) };
  }
  const ip = Object.assign(new Ipv4Header(), {
    totalLength: IPV4_HEADER_LENGTH + length,
    protocol,
    source: from.word3,
    destination: to.word3,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
  });
  return { frame, at: emitIpv4(ip, frame, at) };
}
