/** Frames made by hand, to be fed to a stack: Ethernet, IP of both families, and what they carry. */
import type { IpAddress } from 'netloom/core';
import { MacAddress } from 'netloom/core';
import type { TcpHeader } from 'netloom/wire';
import {
  ARP_LENGTH,
  ArpPacket,
  ETHERNET_HEADER_LENGTH,
  EtherType,
  EthernetHeader,
  ICMPV4_HEADER_LENGTH,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Icmpv4Header,
  Icmpv6Header,
  IpProtocol,
  Ipv4Header,
  Ipv6Header,
  TCP_HEADER_LENGTH,
  UDP_HEADER_LENGTH,
  UdpHeader,
  emitArp,
  emitEthernet,
  emitIcmpv4,
  emitIcmpv6,
  emitIpv4,
  emitIpv6,
  emitNdp,
  emitTcp,
  emitUdp,
  finishIcmpv6,
  ndpLength,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  tcpOptionsLength,
  transportChecksum,
  udpChecksum,
  type NdpMessage,
} from 'netloom/wire';

/** Where a packet comes from and goes to. */
export interface Ends {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourceMac: MacAddress;
  readonly destinationMac: MacAddress;
  readonly hopLimit?: number;
  /** Fields of the IPv4 header to be other than usual. */
  readonly v4?: Partial<Ipv4Header>;
}

/** The same ends, the other way round. */
export function reversed({ source, destination, sourceMac, destinationMac }: Ends): Ends {
  return {
    source: destination,
    destination: source,
    sourceMac: destinationMac,
    destinationMac: sourceMac,
  };
}

/** A frame with `payload` behind its Ethernet header. */
export function ethernetFrame(
  source: MacAddress,
  destination: MacAddress,
  type: number,
  payload: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + payload.length);
  const header = new EthernetHeader();
  header.sourceHigh = source.high;
  header.sourceLow = source.low;
  header.destinationHigh = destination.high;
  header.destinationLow = destination.low;
  header.type = type;
  frame.set(payload, emitEthernet(header, frame, 0));
  return frame;
}

/** A frame with an IP packet of the ends' family around `payload`. */
export function ipFrame(ends: Ends, protocol: number, payload: Uint8Array): Uint8Array {
  const { source, destination, hopLimit = 64 } = ends;
  const isV4 = source.family === 4;
  const headerLength = isV4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const packet = new Uint8Array(headerLength + payload.length);
  packet.set(payload, headerLength);
  if (isV4) {
    const header = Object.assign(new Ipv4Header(), {
      totalLength: packet.length,
      timeToLive: hopLimit,
      dontFragment: true,
      protocol,
      source: source.word3,
      destination: destination.word3,
      ...ends.v4,
    });
    emitIpv4(header, packet, 0);
  } else {
    const header = new Ipv6Header();
    header.payloadLength = payload.length;
    header.nextHeader = protocol;
    header.hopLimit = hopLimit;
    header.setSource(source);
    header.setDestination(destination);
    emitIpv6(header, packet, 0);
  }
  const type = isV4 ? EtherType.IPV4 : EtherType.IPV6;
  return ethernetFrame(ends.sourceMac, ends.destinationMac, type, packet);
}

/** The sum of the pseudo-header between these ends. */
export function pseudoHeaderSum(
  { source: s, destination: d }: Pick<Ends, 'source' | 'destination'>,
  protocol: number,
  length: number,
): number {
  return s.family === 4
    ? pseudoHeaderSumV4(s.word3, d.word3, protocol, length)
    : pseudoHeaderSumV6(
        s.word0,
        s.word1,
        s.word2,
        s.word3,
        d.word0,
        d.word1,
        d.word2,
        d.word3,
        protocol,
        length,
      );
}

/** A frame with a TCP segment, its checksum right. */
export function tcpFrame(ends: Ends, header: TcpHeader, data: Uint8Array): Uint8Array {
  const segment = new Uint8Array(TCP_HEADER_LENGTH + tcpOptionsLength(header) + data.length);
  header.checksum = 0;
  segment.set(data, emitTcp(header, segment, 0));
  const sum = pseudoHeaderSum(ends, IpProtocol.TCP, segment.length);
  const checksum = transportChecksum(segment, 0, segment.length, sum);
  segment[16] = checksum >>> 8;
  segment[17] = checksum;
  return ipFrame(ends, IpProtocol.TCP, segment);
}

/** The UDP datagram alone, its checksum right. */
export function udpDatagram(
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(UDP_HEADER_LENGTH + data.length);
  const header = new UdpHeader();
  header.sourcePort = sourcePort;
  header.destinationPort = destinationPort;
  header.length = datagram.length;
  datagram.set(data, emitUdp(header, datagram, 0));
  const sum = pseudoHeaderSum(ends, IpProtocol.UDP, datagram.length);
  header.checksum = udpChecksum(datagram, 0, datagram.length, sum);
  emitUdp(header, datagram, 0);
  return datagram;
}

/** A frame with a UDP datagram. */
export function udpFrame(
  ends: Ends,
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array,
): Uint8Array {
  return ipFrame(ends, IpProtocol.UDP, udpDatagram(ends, sourcePort, destinationPort, data));
}

/** A frame with an ICMP message of the ends' family; `data` stands behind the header's second word. */
export function icmpFrame(
  ends: Ends,
  type: number,
  code: number,
  rest: number,
  data: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(ICMPV4_HEADER_LENGTH + data.length);
  message.set(data, ICMPV4_HEADER_LENGTH);
  if (ends.source.family === 4) {
    const header = Object.assign(new Icmpv4Header(), { type, code, rest });
    emitIcmpv4(header, message, 0, message.length);
    return ipFrame(ends, IpProtocol.ICMP, message);
  }
  const header = Object.assign(new Icmpv6Header(), { type, code, rest });
  emitIcmpv6(header, message, 0);
  const sum = pseudoHeaderSum(ends, IpProtocol.ICMPV6, message.length);
  finishIcmpv6(message, 0, message.length, sum);
  return ipFrame(ends, IpProtocol.ICMPV6, message);
}

/** A frame with a neighbour discovery message. */
export function ndpFrame(ends: Ends, message: NdpMessage): Uint8Array {
  const bytes = new Uint8Array(ndpLength(message));
  emitNdp(message, bytes, 0);
  const sum = pseudoHeaderSum(ends, IpProtocol.ICMPV6, bytes.length);
  finishIcmpv6(bytes, 0, bytes.length, sum);
  return ipFrame({ ...ends, hopLimit: ends.hopLimit ?? 255 }, IpProtocol.ICMPV6, bytes);
}

/** What an ARP packet says. */
export interface ArpFields {
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly sender: IpAddress;
  readonly targetMac?: MacAddress;
  readonly target: IpAddress;
}

/** A frame with an ARP packet. */
export function arpFrame(destination: MacAddress, fields: ArpFields): Uint8Array {
  const { senderMac, targetMac = MacAddress.ZERO } = fields;
  const packet = Object.assign(new ArpPacket(), {
    operation: fields.operation,
    senderMacHigh: senderMac.high,
    senderMacLow: senderMac.low,
    senderAddress: fields.sender.word3,
    targetMacHigh: targetMac.high,
    targetMacLow: targetMac.low,
    targetAddress: fields.target.word3,
  });
  const bytes = new Uint8Array(ARP_LENGTH);
  emitArp(packet, bytes, 0);
  return ethernetFrame(senderMac, destination, EtherType.ARP, bytes);
}
