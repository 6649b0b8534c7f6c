/** IGMP: version 1 (RFC 1112, appendix I), 2 (RFC 2236) and 3 (RFC 3376). */
import { IpAddress, readUint16, writeUint16 } from '../core/index.ts';
import { finishChecksum, foldSum, sumWords } from './checksum.ts';
import type { WireFault } from './fault.ts';
import {
  GROUP_LIMITS,
  decodeTimeCode,
  emitAddresses,
  emitGroupRecords,
  encodeTimeCode,
  groupRecordsLength,
  parseGroupRecords,
  parseSources,
  type GroupLimits,
  type GroupRecord,
} from './group-record.ts';

/** Types of IGMP messages (RFC 3376, section 4). */
export const IgmpType = {
  QUERY: 0x11,
  REPORT_V1: 0x12,
  REPORT_V2: 0x16,
  LEAVE: 0x17,
  REPORT_V3: 0x22,
} as const;

/** Messages of versions 1 and 2, and what every message has (RFC 2236, section 2). */
export const IGMP_LENGTH = 8;
const QUERY_V3_LENGTH = 12;

/** A router asks who is a member (RFC 3376, section 4.1). */
export interface IgmpQuery {
  readonly kind: 'query';
  /** The version that the sender's length and response time tell (RFC 3376, section 7.1). */
  readonly version: 1 | 2 | 3;
  /** 0.0.0.0: of any group. */
  readonly group: IpAddress;
  /** Milliseconds within which members answer. In version 1 always 10,000 (RFC 2236, section 4). */
  readonly maximumResponseTime: number;
  /** Version 3: routers that hear the query leave their timers as they are. */
  readonly suppressRouterProcessing: boolean;
  /** Version 3: the querier's robustness variable, 0 to 7. */
  readonly robustness: number;
  /** Version 3: seconds between the querier's general queries. */
  readonly queryInterval: number;
  /** Version 3: only whoever wants one of these is asked; empty: everybody. */
  readonly sources: readonly IpAddress[];
}

/** A member tells of one group: version 1 or 2. */
export interface IgmpReport {
  readonly kind: 'report';
  readonly version: 1 | 2;
  readonly group: IpAddress;
}

/** A member leaves: version 2. */
export interface IgmpLeave {
  readonly kind: 'leave';
  readonly group: IpAddress;
}

/** A member tells of its groups and sources: version 3 (RFC 3376, section 4.2). */
export interface IgmpReportV3 {
  readonly kind: 'report-v3';
  readonly records: readonly GroupRecord[];
}

/** An IGMP message. */
export type IgmpMessage = IgmpQuery | IgmpReport | IgmpLeave | IgmpReportV3;

/** What a member does with a version 1 query, which gives no time (RFC 2236, section 4). */
const V1_RESPONSE_TIME = 10_000;

/**
 * Reads the message that reaches from `start` to `end`, and checks the checksum, which covers all of it. That it came with time to live 1
 * and, from version 2 on, with a router alert is the caller's to check (RFC 3376, section 4; section 9.1 on why).
 */
export function parseIgmp(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: GroupLimits = GROUP_LIMITS,
): IgmpMessage | WireFault {
  if (end - start < IGMP_LENGTH) return 'truncated';
  if (foldSum(sumWords(bytes, start, end)) !== 0xffff) return 'bad-checksum';
  const type = bytes[start]!;
  switch (type) {
    case IgmpType.QUERY:
      return parseQuery(bytes, start, end, limits);
    case IgmpType.REPORT_V1:
    case IgmpType.REPORT_V2:
    case IgmpType.LEAVE:
      return parseMember(type, IpAddress.readV4(bytes, start + 4));
    case IgmpType.REPORT_V3:
      return parseReportV3(bytes, start, end, limits);
    default:
      return 'bad-version';
  }
}

function parseMember(type: number, group: IpAddress): IgmpMessage | WireFault {
  if (!group.isMulticast) return 'bad-value';
  if (type === IgmpType.LEAVE) return { kind: 'leave', group };
  return { kind: 'report', version: type === IgmpType.REPORT_V1 ? 1 : 2, group };
}

function parseQuery(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: GroupLimits,
): IgmpQuery | WireFault {
  const group = IpAddress.readV4(bytes, start + 4);
  if (!group.isUnspecified && !group.isMulticast) return 'bad-value';
  const code = bytes[start + 1]!;
  if (end - start === IGMP_LENGTH) return queryOfOldVersion(code, group);
  if (end - start < QUERY_V3_LENGTH) return 'bad-length';
  const count = readUint16(bytes, start + 10);
  const sources = parseSources(4, bytes, start + QUERY_V3_LENGTH, end, count, limits);
  if (typeof sources === 'string') return sources;
  const flags = bytes[start + 8]!;
  return {
    kind: 'query',
    version: 3,
    group,
    maximumResponseTime: 100 * decodeTimeCode(code, 4),
    suppressRouterProcessing: (flags & 0x08) !== 0,
    robustness: flags & 0x07,
    queryInterval: decodeTimeCode(bytes[start + 9]!, 4),
    sources,
  };
}

/** Eight bytes: version 1 if the time is 0, otherwise 2, where the time is no floating-point code (RFC 3376, section 7.1; RFC 2236, section 2.2). */
function queryOfOldVersion(code: number, group: IpAddress): IgmpQuery {
  return {
    kind: 'query',
    version: code === 0 ? 1 : 2,
    group,
    maximumResponseTime: code === 0 ? V1_RESPONSE_TIME : 100 * code,
    suppressRouterProcessing: false,
    robustness: 0,
    queryInterval: 0,
    sources: [],
  };
}

function parseReportV3(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: GroupLimits,
): IgmpReportV3 | WireFault {
  const count = readUint16(bytes, start + 6);
  const records = parseGroupRecords(4, bytes, start + IGMP_LENGTH, end, count, limits);
  return typeof records === 'string' ? records : { kind: 'report-v3', records };
}

/** Bytes of the message. */
export function igmpLength(message: IgmpMessage): number {
  if (message.kind === 'report-v3') return IGMP_LENGTH + groupRecordsLength(4, message.records);
  if (message.kind === 'query' && message.version === 3) {
    return QUERY_V3_LENGTH + 4 * message.sources.length;
  }
  return IGMP_LENGTH;
}

/** Writes the message with its checksum at `at`, and answers where it ends. */
export function emitIgmp(message: IgmpMessage, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + IGMP_LENGTH);
  const end = emitMessage(message, bytes, at);
  writeUint16(bytes, at + 2, finishChecksum(sumWords(bytes, at, end)));
  return end;
}

function emitMessage(message: IgmpMessage, bytes: Uint8Array, at: number): number {
  switch (message.kind) {
    case 'query':
      return emitQuery(message, bytes, at);
    case 'report':
      bytes[at] = message.version === 1 ? IgmpType.REPORT_V1 : IgmpType.REPORT_V2;
      return emitAddresses([message.group], bytes, at + 4);
    case 'leave':
      bytes[at] = IgmpType.LEAVE;
      return emitAddresses([message.group], bytes, at + 4);
    case 'report-v3':
      bytes[at] = IgmpType.REPORT_V3;
      writeUint16(bytes, at + 6, message.records.length);
      return emitGroupRecords(message.records, bytes, at + IGMP_LENGTH);
  }
}

function emitQuery(query: IgmpQuery, bytes: Uint8Array, at: number): number {
  bytes[at] = IgmpType.QUERY;
  const tenths = query.maximumResponseTime / 100;
  const next = emitAddresses([query.group], bytes, at + 4);
  if (query.version !== 3) {
    // In version 2 a time of 0 would make it a query of version 1.
    bytes[at + 1] = query.version === 1 ? 0 : Math.min(Math.max(Math.floor(tenths), 1), 255);
    return next;
  }
  bytes[at + 1] = encodeTimeCode(tenths, 4);
  bytes[next] = (query.suppressRouterProcessing ? 0x08 : 0) | query.robustness;
  bytes[next + 1] = encodeTimeCode(query.queryInterval, 4);
  writeUint16(bytes, next + 2, query.sources.length);
  return emitAddresses(query.sources, bytes, at + QUERY_V3_LENGTH);
}
