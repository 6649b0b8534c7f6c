import { readUint16 } from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  TCP_CHECKSUM_OFFSET,
  TCP_HEADER_LENGTH,
  TcpFlag,
  UDP_CHECKSUM_OFFSET,
  VLAN_TAG_LENGTH,
  isVlanType,
} from '../../wire/index.ts';
import type { FrameOffload } from '../index.ts';

/*
 * The header before each frame of a TAP opened with IFF_VNET_HDR, and of a packet socket with PACKET_VNET_HDR: `virtio_net_hdr` (virtio 1.2,
 * section 5.1.6), little-endian. A TAP can have the number of buffers behind it (`virtio_net_hdr_mrg_rxbuf`), and leaves that unused.
 *
 * | byte | field |
 * |---|---|
 * | 0 | flags |
 * | 1 | GSO type |
 * | 2 | length of the headers that each segment repeats |
 * | 4 | payload bytes of each segment |
 * | 6 | where the checksum starts |
 * | 8 | where its field is, from there |
 */

/** Bytes of the header. */
export const VIRTIO_HEADER_LENGTH = 10;

/** The checksum is unfinished. */
const NEEDS_CHECKSUM = 1;
/** The checksum has been verified; said of frames received only (virtio 1.2, section 5.1.6.4.1). */
const DATA_VALID = 2;
/** GSO types, and the bit beside them that says that CWR is set. */
const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const GSO_UDP = 5;
const GSO_ECN = 0x80;
/** IEEE 802.1Q allows one tag, 802.1ad two. */
const MAX_VLAN_TAGS = 2;

/**
 * Writes the header of the frame that follows it in `bytes`. False: `offload` does not fit the frame.
 *
 * The frame's fields are read only where it is to be cut, for the kernel wants to know what kind of packet it is.
 */
export function writeVirtioHeader(
  bytes: Uint8Array,
  frame: Uint8Array,
  offload: FrameOffload | undefined,
): boolean {
  bytes.fill(0, 0, VIRTIO_HEADER_LENGTH);
  if (offload === undefined) return true;
  const { checksumStart, checksumOffset, segmentSize } = offload;
  if (checksumStart > 0) {
    if (checksumStart + checksumOffset + 2 > frame.length) return false;
    bytes[0] = NEEDS_CHECKSUM;
    writeLittleEndian(bytes, 6, checksumStart);
    writeLittleEndian(bytes, 8, checksumOffset);
  }
  return segmentSize === 0 || writeSegmentation(bytes, frame, offload);
}

function writeSegmentation(bytes: Uint8Array, frame: Uint8Array, offload: FrameOffload): boolean {
  const { checksumStart: tcp, checksumOffset, segmentSize } = offload;
  // Segments have checksums of their own, so one that is complete cannot be asked for (virtio 1.2, section 5.1.6.2).
  if (tcp === 0 || checksumOffset !== TCP_CHECKSUM_OFFSET || segmentSize > 0xffff) return false;
  if (tcp + TCP_HEADER_LENGTH > frame.length) return false;
  const headers = tcp + (frame[tcp + 12]! >>> 4) * 4;
  const type = gsoType(frame);
  if (type === GSO_NONE || headers > frame.length) return false;
  bytes[1] = type | ((frame[tcp + 13]! & TcpFlag.CWR) === 0 ? 0 : GSO_ECN);
  writeLittleEndian(bytes, 2, headers);
  writeLittleEndian(bytes, 4, segmentSize);
  return true;
}

/** Of a frame that is longer than an Ethernet header and a TCP header. */
function gsoType(frame: Uint8Array): number {
  let at = ETHERNET_HEADER_LENGTH - 2;
  let type = readUint16(frame, at);
  for (let tags = 0; tags < MAX_VLAN_TAGS && isVlanType(type); tags++) {
    at += VLAN_TAG_LENGTH;
    type = readUint16(frame, at);
  }
  if (type === EtherType.IPV4) return GSO_TCPV4;
  return type === EtherType.IPV6 ? GSO_TCPV6 : GSO_NONE;
}

/**
 * Reads the header of a received frame of `frameLength` bytes. Undefined: the frame is as it would be on a wire. `bad-offload`: it asks
 * for what was not agreed upon.
 */
export function readVirtioHeader(
  bytes: Uint8Array,
  frameLength: number,
  into: FrameOffload,
): FrameOffload | undefined | 'bad-offload' {
  const needsChecksum = (bytes[0]! & NEEDS_CHECKSUM) !== 0;
  const gso = bytes[1]! & ~GSO_ECN;
  const isVerified = (bytes[0]! & DATA_VALID) !== 0;
  if (!needsChecksum && !isVerified && gso === GSO_NONE) return undefined;
  if (gso !== GSO_NONE && gso !== GSO_TCPV4 && gso !== GSO_TCPV6 && gso !== GSO_UDP) {
    return 'bad-offload';
  }
  into.segmentSize = gso === GSO_NONE ? 0 : readLittleEndian(bytes, 4);
  into.checksumStart = needsChecksum ? readLittleEndian(bytes, 6) : 0;
  into.checksumOffset = needsChecksum ? readLittleEndian(bytes, 8) : 0;
  into.checksumVerified = isVerified;
  const fits = into.checksumStart + into.checksumOffset + 2 <= frameLength;
  return fits && (gso === GSO_UDP) === isOfDatagrams(into) ? into : 'bad-offload';
}

/** Whether a frame received is several datagrams of UDP (`VIRTIO_NET_HDR_GSO_UDP_L4`), and not a segment of TCP. */
export function isOfDatagrams({ checksumOffset, segmentSize }: FrameOffload): boolean {
  return segmentSize > 0 && checksumOffset === UDP_CHECKSUM_OFFSET;
}

/** Makes the header fit the frame in which something was put, so many bytes of it, before the checksum's start. */
export function moveChecksumStart(bytes: Uint8Array, by: number): void {
  if ((bytes[0]! & NEEDS_CHECKSUM) === 0) return;
  writeLittleEndian(bytes, 6, readLittleEndian(bytes, 6) + by);
}

function readLittleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function writeLittleEndian(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
