/** What IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) have in common: group records, source lists, and times as small floating-point numbers. */
import { IpAddress, readUint16, writeUint16 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** What a group record tells (RFC 3376, section 4.2.12; RFC 3810, section 5.2.12). */
export const GroupRecordType = {
  MODE_IS_INCLUDE: 1,
  MODE_IS_EXCLUDE: 2,
  CHANGE_TO_INCLUDE: 3,
  CHANGE_TO_EXCLUDE: 4,
  ALLOW_NEW_SOURCES: 5,
  BLOCK_OLD_SOURCES: 6,
} as const;

/** From whom a member wants to hear a group. */
export interface GroupRecord {
  /** A {@link GroupRecordType}; one with another is to be passed over. */
  readonly type: number;
  readonly group: IpAddress;
  readonly sources: readonly IpAddress[];
}

/** How much of an IGMP or MLD message is read. */
export interface GroupLimits {
  /** Group records in one report. */
  readonly records: number;
  /** Sources in one query or record. */
  readonly sources: number;
}

/** As many as fit in an IPv4 packet of 1500 bytes. */
export const GROUP_LIMITS: GroupLimits = { records: 184, sources: 366 };

/** Bytes of a group record before its group. */
const RECORD_HEADER_LENGTH = 4;

/** Reads `count` group records from `start` on. Auxiliary data is passed over (RFC 3376, section 4.2.10). */
export function parseGroupRecords(
  family: 4 | 6,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  limits: GroupLimits,
): GroupRecord[] | WireFault {
  if (count > limits.records) return 'too-many';
  const size = addressLength(family);
  const records: GroupRecord[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const sourcesAt = at + RECORD_HEADER_LENGTH + size;
    if (sourcesAt > end) return 'truncated';
    const sourceCount = readUint16(bytes, at + 2);
    const sources = parseSources(family, bytes, sourcesAt, end, sourceCount, limits);
    if (typeof sources === 'string') return sources;
    const next = sourcesAt + size * sourceCount + 4 * bytes[at + 1]!;
    if (next > end) return 'truncated';
    const group = readAddress(family, bytes, at + RECORD_HEADER_LENGTH);
    if (!group.isMulticast) return 'bad-value';
    records.push({ type: bytes[at]!, group, sources });
    at = next;
  }
  return records;
}

/** Reads `count` addresses from `start` on. */
export function parseSources(
  family: 4 | 6,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  limits: GroupLimits,
): IpAddress[] | WireFault {
  if (count > limits.sources) return 'too-many';
  const size = addressLength(family);
  if (start + size * count > end) return 'truncated';
  const sources: IpAddress[] = [];
  for (let i = 0; i < count; i++) sources.push(readAddress(family, bytes, start + size * i));
  return sources;
}

function addressLength(family: 4 | 6): number {
  return family === 4 ? 4 : 16;
}

function readAddress(family: 4 | 6, bytes: Uint8Array, at: number): IpAddress {
  return family === 4 ? IpAddress.readV4(bytes, at) : IpAddress.readV6(bytes, at);
}

/** Bytes the records take. */
export function groupRecordsLength(family: 4 | 6, records: readonly GroupRecord[]): number {
  let addresses = 0;
  for (const record of records) addresses += 1 + record.sources.length;
  return RECORD_HEADER_LENGTH * records.length + addressLength(family) * addresses;
}

/** Writes the records at `at`, and answers where they end. */
export function emitGroupRecords(
  records: readonly GroupRecord[],
  bytes: Uint8Array,
  at: number,
): number {
  let next = at;
  for (const { type, group, sources } of records) {
    bytes[next] = type;
    bytes[next + 1] = 0;
    writeUint16(bytes, next + 2, sources.length);
    next = emitAddresses([group, ...sources], bytes, next + RECORD_HEADER_LENGTH);
  }
  return next;
}

/** Writes the addresses at `at`, and answers where they end. */
export function emitAddresses(
  addresses: readonly IpAddress[],
  bytes: Uint8Array,
  at: number,
): number {
  let next = at;
  for (const address of addresses) {
    address.copyTo(bytes, next);
    next += addressLength(address.family);
  }
  return next;
}

/**
 * The value of a code of `mantissaBits` + 4 bits: itself if the highest bit is 0, else a floating-point number of three exponent
 * bits (RFC 3376, sections 4.1.1 and 4.1.7: 4 mantissa bits; RFC 3810, section 5.1.3: 12).
 */
export function decodeTimeCode(code: number, mantissaBits: 4 | 12): number {
  if (code >>> (mantissaBits + 3) === 0) return code;
  const mantissa = (code & ((1 << mantissaBits) - 1)) | (1 << mantissaBits);
  const exponent = (code >>> mantissaBits) & 7;
  return mantissa << (exponent + 3);
}

/** The code whose value is the largest not above `value`: a time is never stretched. */
export function encodeTimeCode(value: number, mantissaBits: 4 | 12): number {
  const whole = Math.floor(value);
  if (whole < 1 << (mantissaBits + 3)) return Math.max(whole, 0);
  let exponent = 0;
  while (exponent < 7 && whole >>> (exponent + 3) >= 1 << (mantissaBits + 1)) exponent++;
  const full = (1 << (mantissaBits + 1)) - 1;
  const mantissa = Math.min(whole >>> (exponent + 3), full);
  return (1 << (mantissaBits + 3)) | (exponent << mantissaBits) | (mantissa & (full >>> 1));
}
