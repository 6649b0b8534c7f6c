import { readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** The TCP header without options (RFC 9293, section 3.1). */
export const TCP_HEADER_LENGTH = 20;
/** Where in the header its checksum is. */
export const TCP_CHECKSUM_OFFSET = 16;

/** The control bits of a TCP header (RFC 9293, section 3.1; ECE and CWR of RFC 3168). */
export const TcpFlag = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const;

/** Kinds of TCP options (IANA "TCP Option Kind Numbers"). */
export const TcpOption = {
  END: 0,
  NO_OPERATION: 1,
  MAXIMUM_SEGMENT_SIZE: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
} as const;

/** Up to four blocks fit beside nothing else; three beside timestamps (RFC 2018, section 3). */
export const MAX_SACK_BLOCKS = 4;

/** A TCP header with the options this library knows, read out. Sequence numbers are signed 32-bit integers. */
export class TcpHeader {
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  /** Bytes of the header with its options: 20 to 60. */
  headerLength: number = TCP_HEADER_LENGTH;
  /** The three reserved bits and NS, kept so that a segment is re-encoded as it was. */
  reserved = 0;
  /** {@link TcpFlag} bits. */
  flags = 0;
  /** As sent: not scaled. */
  window = 0;
  checksum = 0;
  urgentPointer = 0;
  /** The option's value; 0: not present. */
  maximumSegmentSize = 0;
  /** The option's value; -1: not present. */
  windowScale = -1;
  sackPermitted = false;
  hasTimestamps = false;
  timestampValue = 0;
  timestampEcho = 0;
  /** How many pairs of {@link sackEdges} count. */
  sackCount = 0;
  /** Left and right edge of each block (RFC 2018, section 3). */
  readonly sackEdges: Int32Array = new Int32Array(2 * MAX_SACK_BLOCKS);
}

/**
 * Reads the header at `start`. The payload reaches from `start + headerLength` to `end`. The checksum is not checked here:
 * it covers the IP addresses. A malformed option is the fault `bad-option`; unknown ones are passed over (RFC 9293, 3.1, MUST-6).
 */
export function parseTcp(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: TcpHeader = new TcpHeader(),
): TcpHeader | WireFault {
  if (end - start < TCP_HEADER_LENGTH) return 'truncated';
  const headerLength = (bytes[start + 12]! >>> 4) * 4;
  if (headerLength < TCP_HEADER_LENGTH) return 'bad-length';
  if (start + headerLength > end) return 'truncated';
  into.sourcePort = readUint16(bytes, start);
  into.destinationPort = readUint16(bytes, start + 2);
  into.sequence = readInt32(bytes, start + 4);
  into.acknowledgment = readInt32(bytes, start + 8);
  into.headerLength = headerLength;
  into.reserved = bytes[start + 12]! & 0x0f;
  into.flags = bytes[start + 13]!;
  into.window = readUint16(bytes, start + 14);
  into.checksum = readUint16(bytes, start + 16);
  into.urgentPointer = readUint16(bytes, start + 18);
  into.maximumSegmentSize = 0;
  into.windowScale = -1;
  into.sackPermitted = false;
  into.hasTimestamps = false;
  into.sackCount = 0;
  return headerLength === TCP_HEADER_LENGTH
    ? into
    : parseOptions(bytes, start + TCP_HEADER_LENGTH, start + headerLength, into);
}

function parseOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: TcpHeader,
): TcpHeader | WireFault {
  // What nearly every segment of an established connection carries: NOP, NOP, timestamps (RFC 7323, appendix A).
  if (end - start === 12 && readInt32(bytes, start) === 0x0101080a) {
    return readTimestamps(bytes, start + 2, into);
  }
  let at = start;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === TcpOption.END) break;
    if (kind === TcpOption.NO_OPERATION) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return 'bad-option';
    if (!readOption(kind, bytes, at, length, into)) return 'bad-option';
    at += length;
  }
  return into;
}

/** Reads one option whose `length` bytes are there; false if that length is not the kind's. */
function readOption(
  kind: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  into: TcpHeader,
): boolean {
  switch (kind) {
    case TcpOption.MAXIMUM_SEGMENT_SIZE:
      if (length !== 4) return false;
      into.maximumSegmentSize = readUint16(bytes, at + 2);
      return true;
    case TcpOption.WINDOW_SCALE:
      if (length !== 3) return false;
      into.windowScale = bytes[at + 2]!;
      return true;
    case TcpOption.SACK_PERMITTED:
      into.sackPermitted = true;
      return length === 2;
    case TcpOption.SACK:
      if (length < 10 || (length - 2) % 8 !== 0) return false;
      into.sackCount = (length - 2) / 8;
      for (let i = 0; i < 2 * into.sackCount; i++) {
        into.sackEdges[i] = readInt32(bytes, at + 2 + 4 * i);
      }
      return true;
    case TcpOption.TIMESTAMPS:
      if (length !== 10) return false;
      readTimestamps(bytes, at, into);
      return true;
    default:
      return true;
  }
}

function readTimestamps(bytes: Uint8Array, at: number, into: TcpHeader): TcpHeader {
  into.hasTimestamps = true;
  into.timestampValue = readInt32(bytes, at + 2);
  into.timestampEcho = readInt32(bytes, at + 6);
  return into;
}

/** Bytes the options of `header` take, padded to a multiple of four. */
export function tcpOptionsLength(header: TcpHeader): number {
  return (
    (header.maximumSegmentSize > 0 ? 4 : 0) +
    (header.windowScale >= 0 ? 4 : 0) +
    (header.sackPermitted ? 4 : 0) +
    (header.hasTimestamps ? 12 : 0) +
    (header.sackCount > 0 ? 4 + 8 * header.sackCount : 0)
  );
}

/**
 * Writes the header with its options at `at`, the checksum field as it stands, and answers where the payload begins.
 * `headerLength` is set from the options. Options are aligned to four bytes with NOPs (RFC 7323, appendix A).
 */
export function emitTcp(header: TcpHeader, bytes: Uint8Array, at: number): number {
  header.headerLength = TCP_HEADER_LENGTH + tcpOptionsLength(header);
  emitTcpFixed(header, bytes, at);
  let next = at + TCP_HEADER_LENGTH;
  if (header.maximumSegmentSize > 0) {
    writeUint32(
      bytes,
      next,
      (TcpOption.MAXIMUM_SEGMENT_SIZE << 24) | 0x040000 | header.maximumSegmentSize,
    );
    next += 4;
  }
  if (header.windowScale >= 0) {
    writeUint32(bytes, next, 0x01030300 | header.windowScale);
    next += 4;
  }
  if (header.sackPermitted) {
    writeUint32(bytes, next, 0x01010402);
    next += 4;
  }
  if (header.hasTimestamps) {
    writeUint32(bytes, next, 0x0101080a);
    writeUint32(bytes, next + 4, header.timestampValue);
    writeUint32(bytes, next + 8, header.timestampEcho);
    next += 12;
  }
  if (header.sackCount > 0) {
    writeUint32(bytes, next, 0x01010500 | (2 + 8 * header.sackCount));
    next += 4;
    for (let i = 0; i < 2 * header.sackCount; i++, next += 4) {
      writeUint32(bytes, next, header.sackEdges[i]!);
    }
  }
  return next;
}

/** Writes the 20 bytes every segment has; options, if `headerLength` leaves room, are the caller's. */
export function emitTcpFixed(header: TcpHeader, bytes: Uint8Array, at: number): void {
  writeUint16(bytes, at, header.sourcePort);
  writeUint16(bytes, at + 2, header.destinationPort);
  writeUint32(bytes, at + 4, header.sequence);
  writeUint32(bytes, at + 8, header.acknowledgment);
  bytes[at + 12] = (header.headerLength << 2) | header.reserved;
  bytes[at + 13] = header.flags;
  writeUint16(bytes, at + 14, header.window);
  writeUint16(bytes, at + 16, header.checksum);
  writeUint16(bytes, at + 18, header.urgentPointer);
}
