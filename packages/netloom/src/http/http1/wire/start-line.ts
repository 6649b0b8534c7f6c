import { CHARACTERS, FIELD_VALUE, TARGET, TOKEN } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';

const SP = 0x20;
const CR = 0x0d;
/** `HTTP/` */
const HTTP_NAME: readonly number[] = [0x48, 0x54, 0x54, 0x50, 0x2f];
/** Bytes of `HTTP/1.1`. */
const VERSION_LENGTH = 8;
/** No registered method is half as long (IANA's HTTP method registry). */
const LONGEST_METHOD = 40;

/** Where the parts of a start line are, as indices into the bytes; and its version. */
export class StartLine {
  /** Request: one past the method. Response: where the reason begins. */
  first = 0;
  /** Request: one past the target, which begins after one space. Response: the end of the line. */
  second = 0;
  minorVersion: 0 | 1 = 1;
  /** Of a response. */
  status = 0;
}

/** Reads a request line (RFC 9112, section 3) that stands from `start` to `end`, without its CRLF. */
export function parseRequestLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: StartLine,
): Http1Fault | undefined {
  let at = start;
  while (at < end && (CHARACTERS[bytes[at]!]! & TOKEN) !== 0) at++;
  if (at === start || at === end || bytes[at] !== SP) return faultAt(bytes, at, 'method-invalid');
  if (at - start > LONGEST_METHOD) return 'method-too-long';
  into.first = at++;
  const targetStart = at;
  while (at < end && (CHARACTERS[bytes[at]!]! & TARGET) !== 0) at++;
  if (at === targetStart) return faultAt(bytes, at, 'target-invalid');
  into.second = at;
  // A request without a version is HTTP/0.9's; it is refused as any other.
  if (at === end) return 'version-invalid';
  if (bytes[at] !== SP) return faultAt(bytes, at, 'target-invalid');
  return end - at - 1 === VERSION_LENGTH
    ? parseVersion(bytes, at + 1, into)
    : faultAt(bytes, at + 1, 'version-invalid');
}

/** Reads a status line (RFC 9112, section 4) that stands from `start` to `end`, without its CRLF. */
export function parseStatusLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: StartLine,
): Http1Fault | undefined {
  if (end - start < VERSION_LENGTH) return 'version-invalid';
  const fault = parseVersion(bytes, start, into);
  if (fault !== undefined) return fault;
  const statusStart = start + VERSION_LENGTH + 1;
  const statusEnd = statusStart + 3;
  if (statusEnd > end || bytes[statusStart - 1] !== SP) return 'status-invalid';
  let status = 0;
  for (let at = statusStart; at < statusEnd; at++) {
    if (!isDigit(bytes[at]!)) return 'status-invalid';
    status = status * 10 + bytes[at]! - 0x30;
  }
  if (status < 100 || status > 599) return 'status-invalid';
  into.status = status;
  // The space after the status belongs there even when no reason follows (RFC 9112, section 4); many servers leave
  // it out, and no other reading is possible.
  if (statusEnd < end && bytes[statusEnd] !== SP)
    return faultAt(bytes, statusEnd, 'status-invalid');
  into.first = Math.min(statusEnd + 1, end);
  into.second = end;
  for (let at = into.first; at < end; at++) {
    if ((CHARACTERS[bytes[at]!]! & FIELD_VALUE) === 0) return faultAt(bytes, at, 'status-invalid');
  }
  return undefined;
}

/** What is wrong with a start line of which more than `limit` bytes have come and no end. */
export function overlongStartLine(
  bytes: Uint8Array,
  start: number,
  limit: number,
  isRequest: boolean,
): Http1Fault {
  if (!isRequest) return 'status-line-too-long';
  const space = bytes.subarray(start, limit).indexOf(SP);
  return space < 0 || space > LONGEST_METHOD ? 'method-too-long' : 'target-too-long';
}

/** Whether a start line may begin so. It is asked before the line is whole: a TLS handshake, say, never ends one. */
export function mayBeginStartLine(byte: number, isRequest: boolean): boolean {
  return isRequest ? (CHARACTERS[byte]! & TOKEN) !== 0 : byte === HTTP_NAME[0];
}

function parseVersion(bytes: Uint8Array, at: number, into: StartLine): Http1Fault | undefined {
  for (let i = 0; i < HTTP_NAME.length; i++) {
    if (bytes[at + i] !== HTTP_NAME[i]) return faultAt(bytes, at + i, 'version-invalid');
  }
  const major = bytes[at + 5]!;
  const minor = bytes[at + 7]!;
  if (!isDigit(major) || bytes[at + 6] !== 0x2e || !isDigit(minor)) return 'version-invalid';
  if (major !== 0x31) return 'version-unsupported';
  into.minorVersion = minor === 0x30 ? 0 : 1;
  return undefined;
}

/** A CR within a line has a fault of its own, whatever was expected there. */
function faultAt(bytes: Uint8Array, at: number, otherwise: Http1Fault): Http1Fault {
  return bytes[at] === CR && bytes[at + 1] !== 0x0a ? 'bare-carriage-return' : otherwise;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
