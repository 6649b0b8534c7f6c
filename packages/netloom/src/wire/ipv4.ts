import { IpAddress, readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import { finishChecksum, foldSum, sumWords } from './checksum.ts';
import type { WireFault } from './fault.ts';

/** The IPv4 header without options (RFC 791, section 3.1). */
export const IPV4_HEADER_LENGTH = 20;

/** An IPv4 header. Addresses are words (see {@link IpAddress}), so that parsing allocates nothing. */
export class Ipv4Header {
  /** Bytes of the header with its options: 20 to 60. */
  headerLength: number = IPV4_HEADER_LENGTH;
  /** Differentiated services and ECN (RFC 2474, RFC 3168). */
  trafficClass = 0;
  /** Bytes of header and payload. */
  totalLength = 0;
  identification = 0;
  /** The bit that must be zero (RFC 791; RFC 6864 leaves it so). Kept, so that a packet is re-encoded as it was. */
  reservedFlag = false;
  dontFragment = false;
  moreFragments = false;
  /** Of this fragment in the datagram, in bytes. */
  fragmentOffset = 0;
  timeToLive = 64;
  /** An `IpProtocol`. */
  protocol = 0;
  checksum = 0;
  source = 0;
  destination = 0;

  get sourceAddress(): IpAddress {
    return IpAddress.v4(this.source);
  }

  get destinationAddress(): IpAddress {
    return IpAddress.v4(this.destination);
  }

  /** The packet is a part of a larger datagram. */
  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset !== 0;
  }
}

/**
 * Reads the header at `start` and checks version, lengths and checksum. The payload reaches from `start + headerLength`
 * to `start + totalLength`, which is within `end`; bytes after it are padding of the link.
 */
export function parseIpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Ipv4Header = new Ipv4Header(),
): Ipv4Header | WireFault {
  const answer = parseQuotedIpv4(bytes, start, end, into);
  if (answer !== into) return answer;
  if (into.totalLength < into.headerLength) return 'bad-length';
  if (start + into.totalLength > end) return 'truncated';
  const sum = foldSum(sumWords(bytes, start, start + into.headerLength));
  return sum === 0xffff ? into : 'bad-checksum';
}

/**
 * As {@link parseIpv4}, for a packet quoted in an ICMP error: it may be cut off after the header (RFC 792; RFC 1812,
 * section 4.3.2.3), and routers on its way may have left the checksum and the total length wrong.
 */
export function parseQuotedIpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Ipv4Header = new Ipv4Header(),
): Ipv4Header | WireFault {
  if (end - start < IPV4_HEADER_LENGTH) return 'truncated';
  const first = bytes[start]!;
  if (first >>> 4 !== 4) return 'bad-version';
  const headerLength = (first & 0x0f) * 4;
  if (headerLength < IPV4_HEADER_LENGTH) return 'bad-length';
  if (start + headerLength > end) return 'truncated';
  const fragment = readUint16(bytes, start + 6);
  into.headerLength = headerLength;
  into.trafficClass = bytes[start + 1]!;
  into.totalLength = readUint16(bytes, start + 2);
  into.identification = readUint16(bytes, start + 4);
  into.reservedFlag = (fragment & 0x8000) !== 0;
  into.dontFragment = (fragment & 0x4000) !== 0;
  into.moreFragments = (fragment & 0x2000) !== 0;
  into.fragmentOffset = (fragment & 0x1fff) * 8;
  into.timeToLive = bytes[start + 8]!;
  into.protocol = bytes[start + 9]!;
  into.checksum = readUint16(bytes, start + 10);
  into.source = readInt32(bytes, start + 12);
  into.destination = readInt32(bytes, start + 16);
  return into;
}

/**
 * Writes the header at `at` with its checksum computed, and answers where the payload begins. Options, if
 * `headerLength` leaves room for them, must already stand in their place.
 */
export function emitIpv4(header: Ipv4Header, bytes: Uint8Array, at: number): number {
  bytes[at] = 0x40 | (header.headerLength >>> 2);
  bytes[at + 1] = header.trafficClass;
  writeUint16(bytes, at + 2, header.totalLength);
  writeUint16(bytes, at + 4, header.identification);
  const flags =
    (header.reservedFlag ? 0x8000 : 0) |
    (header.dontFragment ? 0x4000 : 0) |
    (header.moreFragments ? 0x2000 : 0);
  writeUint16(bytes, at + 6, flags | (header.fragmentOffset >>> 3));
  bytes[at + 8] = header.timeToLive;
  bytes[at + 9] = header.protocol;
  writeUint16(bytes, at + 10, 0);
  writeUint32(bytes, at + 12, header.source);
  writeUint32(bytes, at + 16, header.destination);
  const payload = at + header.headerLength;
  header.checksum = finishChecksum(sumWords(bytes, at, payload));
  writeUint16(bytes, at + 10, header.checksum);
  return payload;
}
