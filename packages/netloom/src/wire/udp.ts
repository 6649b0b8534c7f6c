import { readUint16, writeUint16 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** The UDP header (RFC 768). */
export const UDP_HEADER_LENGTH = 8;
/** Where in the header its checksum is. */
export const UDP_CHECKSUM_OFFSET = 6;

/** A UDP header. */
export class UdpHeader {
  sourcePort = 0;
  destinationPort = 0;
  /** Bytes of header and payload. */
  length: number = UDP_HEADER_LENGTH;
  /** 0: none was computed (RFC 768; not allowed over IPv6, RFC 8200, section 8.1). */
  checksum = 0;
}

/** Reads the header at `start`. The payload reaches to `start + length`, which is within `end`. The checksum is not checked here: it covers the IP addresses. */
export function parseUdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: UdpHeader = new UdpHeader(),
): UdpHeader | WireFault {
  if (end - start < UDP_HEADER_LENGTH) return 'truncated';
  const length = readUint16(bytes, start + 4);
  if (length < UDP_HEADER_LENGTH) return 'bad-length';
  if (start + length > end) return 'truncated';
  into.sourcePort = readUint16(bytes, start);
  into.destinationPort = readUint16(bytes, start + 2);
  into.length = length;
  into.checksum = readUint16(bytes, start + 6);
  return into;
}

/** Writes the header at `at` as it stands, its checksum field included, and answers where the payload begins. */
export function emitUdp(header: UdpHeader, bytes: Uint8Array, at: number): number {
  writeUint16(bytes, at, header.sourcePort);
  writeUint16(bytes, at + 2, header.destinationPort);
  writeUint16(bytes, at + 4, header.length);
  writeUint16(bytes, at + 6, header.checksum);
  return at + UDP_HEADER_LENGTH;
}
