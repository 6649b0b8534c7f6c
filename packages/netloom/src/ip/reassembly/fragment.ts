import {
  IPV6_FRAGMENT_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  type Ipv4Header,
  type Ipv6Chain,
  type Ipv6Header,
} from '../../wire/index.ts';

/** Why a fragment is refused for what it says itself. */
export type FragmentFault = 'empty' | 'bad-length' | 'too-long' | 'tiny';

/** The largest datagram: what the length field of either header can say. */
const MAX_LENGTH = 0xffff;

/** A fragment as the reassembly looks at it. One mutable instance serves all; the bytes are borrowed. */
export class Fragment {
  bytes!: Uint8Array;
  family: 4 | 6 = 4;
  /** Index of the IP header. */
  start = 0;
  /** Index of the fragment's data: behind the header, or behind the Fragment header. */
  data = 0;
  end = 0;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  identification = 0;
  /** Part of what makes a datagram in IPv4 (RFC 791, section 3.2), but not in IPv6 (RFC 8200, section 4.5): there 0. */
  protocol = 0;
  offset = 0;
  moreFragments = false;
  /** The two bits of RFC 3168. */
  ecn = 0;
  /** IPv6: where in the header the field stands that names the Fragment header. */
  fragmentField = 0;

  setV4(header: Ipv4Header, bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.family = 4;
    this.start = start;
    this.data = start + header.headerLength;
    this.end = start + header.totalLength;
    this.source0 = this.source1 = this.destination0 = this.destination1 = 0;
    this.source2 = this.destination2 = 0xffff;
    this.source3 = header.source;
    this.destination3 = header.destination;
    this.identification = header.identification;
    this.protocol = header.protocol;
    this.offset = header.fragmentOffset;
    this.moreFragments = header.moreFragments;
    this.ecn = header.trafficClass & 3;
  }

  setV6(header: Ipv6Header, chain: Ipv6Chain, bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.family = 6;
    this.start = start;
    this.data = chain.fragment + IPV6_FRAGMENT_LENGTH;
    this.end = start + IPV6_HEADER_LENGTH + header.payloadLength;
    this.source0 = header.source0;
    this.source1 = header.source1;
    this.source2 = header.source2;
    this.source3 = header.source3;
    this.destination0 = header.destination0;
    this.destination1 = header.destination1;
    this.destination2 = header.destination2;
    this.destination3 = header.destination3;
    this.identification = chain.identification;
    this.protocol = 0;
    this.offset = chain.fragmentOffset;
    this.moreFragments = chain.moreFragments;
    this.ecn = header.trafficClass & 3;
    this.fragmentField = chain.fragmentField - start;
  }

  get length(): number {
    return this.end - this.data;
  }

  /** Source or destination means something on one link only (RFC 4007, section 6). */
  get isLinkScoped(): boolean {
    if (this.family === 4) return false;
    return this.source0 >>> 22 === 0x3fa || this.destination0 >>> 22 === 0x3fa;
  }

  /** What is wrong with it, whatever else has come. */
  fault(): FragmentFault | undefined {
    const { offset, length } = this;
    if (length <= 0) return 'empty';
    if (this.moreFragments && length % 8 !== 0) return 'bad-length';
    // RFC 8200, section 4.5; in IPv4 the "ping of death".
    if (this.headerLength + offset + length > MAX_LENGTH) return 'too-long';
    return this.#isTiny() ? 'tiny' : undefined;
  }

  /** Bytes of the reassembled packet's header that count in its length field. */
  get headerLength(): number {
    const length = this.data - this.start;
    return this.family === 4 ? length : length - IPV6_HEADER_LENGTH - IPV6_FRAGMENT_LENGTH;
  }

  /**
   * The transport header does not stand whole in the first fragment: a filter on the way could not have judged it, and what it lets
   * through might be completed by the next (RFC 1858, section 3; RFC 3128). For IPv6 `walkIpv6` sees to this (RFC 7112).
   */
  #isTiny(): boolean {
    const needed = minimumLength(this.protocol);
    return this.offset === 0 ? this.length < needed : this.offset < needed;
  }
}

/** Bytes of the fixed transport header. */
function minimumLength(protocol: number): number {
  switch (protocol) {
    case IpProtocol.TCP:
      return 20;
    case IpProtocol.UDP:
    case IpProtocol.ICMP:
      return 8;
    default:
      return 0;
  }
}
