import { readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  finishChecksum,
  foldSum,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  isVlanType,
  sumWords,
  TCP_CHECKSUM_OFFSET,
  TCP_HEADER_LENGTH,
  TcpFlag,
  UDP_CHECKSUM_OFFSET,
  UDP_HEADER_LENGTH,
  VLAN_TAG_LENGTH,
  type WireFault,
} from '../wire/index.ts';
import type { FrameOffload } from './link.ts';

/** IEEE 802.1Q allows one tag, 802.1ad two. */
const MAX_VLAN_TAGS = 2;

/** Where the headers of a TCP or UDP frame begin, and what of them the cutting needs. */
interface Layout {
  readonly ip: number;
  readonly transport: number;
  readonly isUdp: boolean;
  readonly payload: number;
  readonly end: number;
  readonly isIpv4: boolean;
}

/**
 * Cuts a frame that was left to the link to segment into frames of `segmentSize` bytes of TCP payload, as a NIC would:
 * lengths, sequence numbers, IPv4 identification and checksums are each segment's own; FIN and PSH are on the last only, and
 * CWR on the first only (RFC 3168, section 6.1.2: it answers one ECE once). Where the checksum to be finished is UDP's, by its place, it is cut
 * into datagrams of `segmentSize` bytes (`UDP_SEGMENT` in udp(7)).
 *
 * Each segment is written in what `allocate` gives and handed to `emit`, which owns it. A frame that is not a whole TCP
 * segment or datagram in IPv4 or IPv6 is a fault, and nothing is emitted.
 */
export function segmentFrame(
  frame: Uint8Array,
  offload: FrameOffload,
  allocate: (length: number) => Uint8Array,
  emit: (segment: Uint8Array) => void,
): WireFault | undefined {
  const layout = findHeaders(frame, offload);
  if (typeof layout === 'string') return layout;
  const size = offload.segmentSize > 0 ? offload.segmentSize : layout.end - layout.payload;
  let index = 0;
  let from = layout.payload;
  do {
    const to = Math.min(from + size, layout.end);
    const segment = allocate(layout.payload + to - from);
    segment.set(frame.subarray(0, layout.payload));
    segment.set(frame.subarray(from, to), layout.payload);
    patchIp(segment, layout, index);
    if (layout.isUdp) patchUdp(segment, layout);
    else patchTcp(segment, layout, from - layout.payload, index === 0, to === layout.end);
    emit(segment);
    from = to;
    index++;
  } while (from < layout.end);
  return undefined;
}

/**
 * Completes a transport checksum that was left unfinished, in place: the field holds the sum of the pseudo-header, and
 * what is covered reaches to the frame's end. A field outside the frame is a fault, and nothing is changed.
 */
export function finishFrameChecksum(
  frame: Uint8Array,
  offload: FrameOffload,
): WireFault | undefined {
  const { checksumStart, checksumOffset } = offload;
  if (checksumStart === 0) return undefined;
  if (checksumStart + checksumOffset + 2 > frame.length) return 'bad-length';
  const checksum = finishChecksum(sumWords(frame, checksumStart, frame.length));
  // In UDP 0 would mean that there is none (RFC 768).
  const isUdp = checksumOffset === UDP_CHECKSUM_OFFSET;
  writeUint16(frame, checksumStart + checksumOffset, checksum === 0 && isUdp ? 0xffff : checksum);
  return undefined;
}

function findHeaders(frame: Uint8Array, offload: FrameOffload): Layout | WireFault {
  let ip = ETHERNET_HEADER_LENGTH;
  for (let tags = 0; tags < MAX_VLAN_TAGS && hasTag(frame, ip - 2); tags++) {
    ip += VLAN_TAG_LENGTH;
  }
  if (frame.length < ip + IPV4_HEADER_LENGTH) return 'truncated';
  const type = readUint16(frame, ip - 2);
  if (type === EtherType.IPV4) return findTransport(frame, ip, offload, true);
  return type === EtherType.IPV6 ? findTransport(frame, ip, offload, false) : 'bad-version';
}

/** Whether the type at `at` is followed by a tag, and another type. */
function hasTag(frame: Uint8Array, at: number): boolean {
  return at + VLAN_TAG_LENGTH + 2 <= frame.length && isVlanType(readUint16(frame, at));
}

function findTransport(
  frame: Uint8Array,
  ip: number,
  offload: FrameOffload,
  isIpv4: boolean,
): Layout | WireFault {
  if (frame[ip]! >>> 4 !== (isIpv4 ? 4 : 6)) return 'bad-version';
  if (!isIpv4 && frame.length < ip + IPV6_HEADER_LENGTH) return 'truncated';
  const least = isIpv4 ? (frame[ip]! & 0x0f) * 4 : IPV6_HEADER_LENGTH;
  const ipLength = isIpv4
    ? readUint16(frame, ip + 2)
    : IPV6_HEADER_LENGTH + readUint16(frame, ip + 4);
  const isUdp = offload.checksumStart > 0 && offload.checksumOffset === UDP_CHECKSUM_OFFSET;
  // Where extension headers come between, only the sender's word says where the transport header begins.
  const transport = offload.checksumStart > 0 ? offload.checksumStart : ip + least;
  const protocol = frame[isIpv4 ? ip + 9 : ip + 6]!;
  const wanted = isUdp ? IpProtocol.UDP : IpProtocol.TCP;
  const isExtended = !isIpv4 && protocol !== IpProtocol.TCP && protocol !== IpProtocol.UDP;
  if (!isExtended && protocol !== wanted) return 'bad-value';
  const end = ip + ipLength;
  if (least < IPV4_HEADER_LENGTH || transport < ip + least) return 'bad-length';
  const shortest = isUdp ? UDP_HEADER_LENGTH : TCP_HEADER_LENGTH;
  if (end > frame.length || transport + shortest > end) return 'truncated';
  // Behind a transport header of another kind, or a further one, it is a tunnel's, which is not cut here.
  if (isExtended === (transport === ip + least)) return 'bad-value';
  const length = isUdp ? UDP_HEADER_LENGTH : (frame[transport + 12]! >>> 4) * 4;
  const payload = transport + length;
  if (payload < transport + shortest || payload > end) return 'bad-length';
  return { ip, transport, isUdp, payload, end, isIpv4 };
}

/** Lengths, and what IPv4 has beside: identification and checksum. */
function patchIp(segment: Uint8Array, { ip, isIpv4 }: Layout, index: number): void {
  if (!isIpv4) {
    writeUint16(segment, ip + 4, segment.length - ip - IPV6_HEADER_LENGTH);
    return;
  }
  writeUint16(segment, ip + 2, segment.length - ip);
  // A datagram of its own (RFC 6864, section 4.2: it counts only where a router may fragment).
  writeUint16(segment, ip + 4, (readUint16(segment, ip + 4) + index) & 0xffff);
  writeUint16(segment, ip + 10, 0);
  const headerEnd = ip + (segment[ip]! & 0x0f) * 4;
  writeUint16(segment, ip + 10, finishChecksum(sumWords(segment, ip, headerEnd)));
}

function patchTcp(
  segment: Uint8Array,
  layout: Layout,
  sequenceOffset: number,
  isFirst: boolean,
  isLast: boolean,
): void {
  const tcp = layout.transport;
  writeUint32(segment, tcp + 4, readInt32(segment, tcp + 4) + sequenceOffset);
  let flags = segment[tcp + 13]!;
  if (!isLast) flags &= ~(TcpFlag.FIN | TcpFlag.PSH);
  if (!isFirst) flags &= ~TcpFlag.CWR;
  segment[tcp + 13] = flags;
  writeUint16(segment, tcp + TCP_CHECKSUM_OFFSET, 0);
  writeUint16(segment, tcp + TCP_CHECKSUM_OFFSET, transportChecksum(segment, layout));
}

function patchUdp(segment: Uint8Array, layout: Layout): void {
  const udp = layout.transport;
  writeUint16(segment, udp + 4, segment.length - udp);
  writeUint16(segment, udp + UDP_CHECKSUM_OFFSET, 0);
  // A sum of zero is sent as all ones: zero says that there is none (RFC 768).
  writeUint16(segment, udp + UDP_CHECKSUM_OFFSET, transportChecksum(segment, layout) || 0xffff);
}

/** Over the pseudo-header and the rest of the segment, whose checksum field is zero. */
function transportChecksum(segment: Uint8Array, { ip, transport, isUdp, isIpv4 }: Layout): number {
  const addresses = isIpv4
    ? sumWords(segment, ip + 12, ip + 20)
    : sumWords(segment, ip + 8, ip + 40);
  const protocol = isUdp ? IpProtocol.UDP : IpProtocol.TCP;
  const pseudoHeader = addresses + protocol + (segment.length - transport);
  return finishChecksum(sumWords(segment, transport, segment.length, foldSum(pseudoHeader)));
}
