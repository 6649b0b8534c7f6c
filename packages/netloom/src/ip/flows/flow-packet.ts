import { IpAddress, readUint16 } from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Chain,
  Ipv6Header,
  LinkType,
  TcpHeader,
  UdpHeader,
  VLAN_TAG_LENGTH,
  UDP_HEADER_LENGTH,
  isFault,
  isVlanType,
  parseIpv4,
  parseIpv6,
  parseTcp,
  parseUdp,
  walkIpv6,
  type WireFault,
} from '../../wire/index.ts';

/** Why a frame belongs to no flow: it has no TCP or UDP, is a fragment, or is damaged or cut off. */
export type NoFlow = 'other-protocol' | 'fragment' | WireFault;

/** Tags in tags beyond this are not followed. */
const MOST_TAGS = 4;

/**
 * The TCP segment or UDP datagram of a frame, its headers read out. One object serves all frames. Checksums above IP are not looked
 * at: a capture on the sending machine has them unfinished.
 */
export class FlowPacket {
  protocol: 'tcp' | 'udp' = 'tcp';
  source: IpAddress = IpAddress.ANY4;
  destination: IpAddress = IpAddress.ANY4;
  sourcePort = 0;
  destinationPort = 0;
  /** Of a TCP segment. */
  readonly tcp: TcpHeader = new TcpHeader();
  /** What is carried: a part of the frame. */
  payload: Uint8Array = new Uint8Array(0);
  readonly #ipv4 = new Ipv4Header();
  readonly #ipv6 = new Ipv6Header();
  readonly #chain = new Ipv6Chain();
  readonly #udp = new UdpHeader();

  /** Reads a frame; anything but `undefined` says why it is of no flow. */
  read(frame: Uint8Array, linkType: number = LinkType.ETHERNET): NoFlow | undefined {
    if (linkType !== LinkType.ETHERNET) return this.#readPacket(frame, 0);
    let at = ETHERNET_HEADER_LENGTH;
    for (let tags = 0; tags <= MOST_TAGS; tags++) {
      if (frame.length < at) return 'truncated';
      const type = readUint16(frame, at - 2);
      if (type === EtherType.IPV4 || type === EtherType.IPV6) return this.#readPacket(frame, at);
      if (!isVlanType(type)) return 'other-protocol';
      at += VLAN_TAG_LENGTH;
    }
    return 'too-many';
  }

  #readPacket(frame: Uint8Array, at: number): NoFlow | undefined {
    if (at >= frame.length) return 'truncated';
    return frame[at]! >>> 4 === 4 ? this.#readIpv4(frame, at) : this.#readIpv6(frame, at);
  }

  #readIpv4(frame: Uint8Array, at: number): NoFlow | undefined {
    const header = parseIpv4(frame, at, frame.length, this.#ipv4);
    if (isFault(header)) return header;
    if (header.isFragment) return 'fragment';
    this.source = header.sourceAddress;
    this.destination = header.destinationAddress;
    const end = at + header.totalLength;
    return this.#readTransport(frame, header.protocol, at + header.headerLength, end);
  }

  #readIpv6(frame: Uint8Array, at: number): NoFlow | undefined {
    const header = parseIpv6(frame, at, frame.length, this.#ipv6);
    if (isFault(header)) return header;
    const end = at + IPV6_HEADER_LENGTH + header.payloadLength;
    const chain = walkIpv6(frame, at, end, header, this.#chain);
    if (isFault(chain)) return chain;
    if (chain.isFragment) return 'fragment';
    this.source = header.sourceAddress;
    this.destination = header.destinationAddress;
    return this.#readTransport(frame, chain.protocol, chain.transport, end);
  }

  #readTransport(
    frame: Uint8Array,
    protocol: number,
    start: number,
    end: number,
  ): NoFlow | undefined {
    if (protocol === IpProtocol.TCP) {
      const header = parseTcp(frame, start, end, this.tcp);
      if (isFault(header)) return header;
      return this.#found('tcp', header, frame.subarray(start + header.headerLength, end));
    }
    if (protocol !== IpProtocol.UDP) return 'other-protocol';
    const header = parseUdp(frame, start, end, this.#udp);
    if (isFault(header)) return header;
    const payload = frame.subarray(start + UDP_HEADER_LENGTH, start + header.length);
    return this.#found('udp', header, payload);
  }

  #found(
    protocol: 'tcp' | 'udp',
    ports: { readonly sourcePort: number; readonly destinationPort: number },
    payload: Uint8Array,
  ): undefined {
    this.protocol = protocol;
    this.sourcePort = ports.sourcePort;
    this.destinationPort = ports.destinationPort;
    this.payload = payload;
    return undefined;
  }
}
