/** Puts checksums right that a mutation has broken, so that what lies behind their check is reached as well. */
import { readUint16, writeUint16 } from 'netloom/core';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv6Header,
  finishChecksum,
  isFault,
  parseQuotedIpv6,
  sumWords,
  walkIpv6,
} from 'netloom/wire';

/** Where the checksum is in what each protocol sends. */
const CHECKSUM_OFFSETS: ReadonlyMap<number, number> = new Map([
  [IpProtocol.TCP, 16],
  [IpProtocol.UDP, 6],
  [IpProtocol.ICMP, 2],
  [IpProtocol.ICMPV6, 2],
  [IpProtocol.IGMP, 2],
]);

/** Makes lengths and checksums of the IP packet in a frame right, in place; a frame that has none is left as it is. */
export function mendFrame(frame: Uint8Array): void {
  const start = ETHERNET_HEADER_LENGTH;
  if (frame.length < start + IPV4_HEADER_LENGTH) return;
  const type = readUint16(frame, 12);
  if (type === EtherType.IPV4) mendV4(frame, start);
  else if (type === EtherType.IPV6 && frame.length >= start + IPV6_HEADER_LENGTH) {
    mendV6(frame, start);
  }
}

function mendV4(frame: Uint8Array, start: number): void {
  const words = Math.min(Math.max(frame[start]! & 0x0f, 5), (frame.length - start) >>> 2);
  frame[start] = 0x40 | words;
  const data = start + 4 * words;
  const claimed = start + readUint16(frame, start + 2);
  const end = claimed >= data && claimed <= frame.length ? claimed : frame.length;
  writeUint16(frame, start + 2, Math.min(end - start, 0xffff));
  writeUint16(frame, start + 10, 0);
  writeUint16(frame, start + 10, finishChecksum(sumWords(frame, start, data)));
  // Only the whole of a datagram has a checksum.
  if ((readUint16(frame, start + 6) & 0x3fff) !== 0) return;
  const protocol = frame[start + 9]!;
  const hasPseudoHeader = protocol === IpProtocol.TCP || protocol === IpProtocol.UDP;
  const addresses = hasPseudoHeader ? sumWords(frame, start + 12, start + 20) : 0;
  mendTransport(frame, protocol, data, end, addresses, hasPseudoHeader);
}

function mendV6(frame: Uint8Array, start: number): void {
  frame[start] = 0x60 | (frame[start]! & 0x0f);
  const claimed = start + IPV6_HEADER_LENGTH + readUint16(frame, start + 4);
  const end = claimed <= frame.length ? claimed : frame.length;
  writeUint16(frame, start + 4, Math.min(end - start - IPV6_HEADER_LENGTH, 0xffff));
  const header = parseQuotedIpv6(frame, start, end, new Ipv6Header());
  if (isFault(header)) return;
  const chain = walkIpv6(frame, start, end, header);
  if (isFault(chain) || chain.isFragment) return;
  const addresses = sumWords(frame, start + 8, start + 40);
  mendTransport(frame, chain.protocol, chain.transport, end, addresses, true);
}

function mendTransport(
  frame: Uint8Array,
  protocol: number,
  at: number,
  end: number,
  addresses: number,
  hasPseudoHeader: boolean,
): void {
  const offset = CHECKSUM_OFFSETS.get(protocol);
  if (offset === undefined || at + offset + 2 > end) return;
  if (protocol === IpProtocol.UDP) writeUint16(frame, at + 4, Math.min(end - at, 0xffff));
  const pseudoHeader = hasPseudoHeader ? addresses + protocol + (end - at) : 0;
  writeUint16(frame, at + offset, 0);
  const checksum = finishChecksum(sumWords(frame, at, end, pseudoHeader));
  writeUint16(frame, at + offset, checksum);
}
