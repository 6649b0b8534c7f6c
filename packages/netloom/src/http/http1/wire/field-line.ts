import { CHARACTERS, FIELD_VALUE, TOKEN } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';

const HTAB = 0x09;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

/**
 * Reads a field line (RFC 9112, section 5) that stands from `start` to `end`, without its CRLF, and appends to `marks` where
 * its name ends, and where its value begins and ends; the name begins at `start`, which is appended first.
 */
export function parseFieldLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  marks: number[],
): Http1Fault | undefined {
  // RFC 9112, section 5.2: obs-fold may be refused, and two readers of it may see two different messages.
  if (isSpace(bytes[start]!)) return 'line-folded';
  let at = start;
  while (at < end && (CHARACTERS[bytes[at]!]! & TOKEN) !== 0) at++;
  if (at === end || bytes[at] !== COLON) return nameFault(bytes, at, start, end);
  if (at === start) return 'field-name-invalid';
  const nameEnd = at++;
  while (at < end && isSpace(bytes[at]!)) at++;
  const valueStart = at;
  for (; at < end; at++) {
    if ((CHARACTERS[bytes[at]!]! & FIELD_VALUE) === 0) {
      return bytes[at] === CR ? 'bare-carriage-return' : 'field-value-invalid';
    }
  }
  while (at > valueStart && isSpace(bytes[at - 1]!)) at--;
  marks.push(start, nameEnd, valueStart, at);
  return undefined;
}

/** RFC 9112, section 5.1: white space before the colon must be refused, not passed over. */
function nameFault(bytes: Uint8Array, stop: number, start: number, end: number): Http1Fault {
  let at = stop;
  while (at < end && isSpace(bytes[at]!)) at++;
  if (at < end && at > stop && stop > start && bytes[at] === COLON) return 'space-before-colon';
  return bytes[stop] === CR && stop < end ? 'bare-carriage-return' : 'field-name-invalid';
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
