import { IpAddress, readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** The fixed header (RFC 8200, section 3). */
export const IPV6_HEADER_LENGTH = 40;

/** Every link carries at least this (RFC 8200, section 5). */
export const IPV6_MINIMUM_MTU = 1280;

/** The groups of all nodes and of all routers on a link (RFC 4291, section 2.7.1). */
export const IPV6_ALL_NODES: IpAddress = IpAddress.parse('ff02::1');
export const IPV6_ALL_ROUTERS: IpAddress = IpAddress.parse('ff02::2');

/** The fixed IPv6 header. Addresses are words (see {@link IpAddress}), so that parsing allocates nothing. */
export class Ipv6Header {
  /** Differentiated services and ECN (RFC 2474, RFC 3168). */
  trafficClass = 0;
  /** 20 bits (RFC 6437). */
  flowLabel = 0;
  /** Bytes after the fixed header, extension headers included. */
  payloadLength = 0;
  /** An `IpProtocol`: of the first extension header or, without any, of the payload. */
  nextHeader = 0;
  hopLimit = 64;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;

  get sourceAddress(): IpAddress {
    return IpAddress.v6(this.source0, this.source1, this.source2, this.source3);
  }

  get destinationAddress(): IpAddress {
    return IpAddress.v6(this.destination0, this.destination1, this.destination2, this.destination3);
  }

  /** Takes over an address's words. */
  setSource(address: IpAddress): void {
    this.source0 = address.word0;
    this.source1 = address.word1;
    this.source2 = address.word2;
    this.source3 = address.word3;
  }

  /** Takes over an address's words. */
  setDestination(address: IpAddress): void {
    this.destination0 = address.word0;
    this.destination1 = address.word1;
    this.destination2 = address.word2;
    this.destination3 = address.word3;
  }
}

/**
 * Reads the fixed header at `start` and checks version and length. What follows reaches from
 * `start + IPV6_HEADER_LENGTH` for `payloadLength` bytes, which is within `end`; bytes after it are padding of the
 * link. Extension headers are read by `walkIpv6`.
 */
export function parseIpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Ipv6Header = new Ipv6Header(),
): Ipv6Header | WireFault {
  const answer = parseQuotedIpv6(bytes, start, end, into);
  return answer === into && start + IPV6_HEADER_LENGTH + into.payloadLength > end
    ? 'truncated'
    : answer;
}

/** As {@link parseIpv6}, for a packet quoted in an ICMP error: it may be cut off after the fixed header (RFC 4443, section 2.4 c). */
export function parseQuotedIpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Ipv6Header = new Ipv6Header(),
): Ipv6Header | WireFault {
  if (end - start < IPV6_HEADER_LENGTH) return 'truncated';
  const first = readInt32(bytes, start);
  if (first >>> 28 !== 6) return 'bad-version';
  into.trafficClass = (first >>> 20) & 0xff;
  into.flowLabel = first & 0xfffff;
  into.payloadLength = readUint16(bytes, start + 4);
  into.nextHeader = bytes[start + 6]!;
  into.hopLimit = bytes[start + 7]!;
  into.source0 = readInt32(bytes, start + 8);
  into.source1 = readInt32(bytes, start + 12);
  into.source2 = readInt32(bytes, start + 16);
  into.source3 = readInt32(bytes, start + 20);
  into.destination0 = readInt32(bytes, start + 24);
  into.destination1 = readInt32(bytes, start + 28);
  into.destination2 = readInt32(bytes, start + 32);
  into.destination3 = readInt32(bytes, start + 36);
  return into;
}

/** Writes the fixed header at `at`, and answers where what follows begins. */
export function emitIpv6(header: Ipv6Header, bytes: Uint8Array, at: number): number {
  writeUint32(bytes, at, 0x6000_0000 | (header.trafficClass << 20) | header.flowLabel);
  writeUint16(bytes, at + 4, header.payloadLength);
  bytes[at + 6] = header.nextHeader;
  bytes[at + 7] = header.hopLimit;
  writeUint32(bytes, at + 8, header.source0);
  writeUint32(bytes, at + 12, header.source1);
  writeUint32(bytes, at + 16, header.source2);
  writeUint32(bytes, at + 20, header.source3);
  writeUint32(bytes, at + 24, header.destination0);
  writeUint32(bytes, at + 28, header.destination1);
  writeUint32(bytes, at + 32, header.destination2);
  writeUint32(bytes, at + 36, header.destination3);
  return at + IPV6_HEADER_LENGTH;
}
