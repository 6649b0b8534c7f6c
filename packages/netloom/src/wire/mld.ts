/** Multicast listener discovery for IPv6: version 1 (RFC 2710) and 2 (RFC 3810). The messages are ICMPv6's. */
import { IpAddress, readUint16, writeUint16 } from '../core/index.ts';
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
import { ICMPV6_HEADER_LENGTH, Icmpv6Type } from './icmpv6.ts';

const V1_LENGTH = 24;
const QUERY_V2_LENGTH = 28;

/** A router asks who listens (RFC 3810, section 5.1). */
export interface MldQuery {
  readonly kind: 'query';
  /** Told by the length (RFC 3810, section 8.1). */
  readonly version: 1 | 2;
  /** `::`: to any group. */
  readonly group: IpAddress;
  /** Milliseconds within which listeners answer. */
  readonly maximumResponseTime: number;
  /** Version 2: routers that hear the query leave their timers as they are. */
  readonly suppressRouterProcessing: boolean;
  /** Version 2: the querier's robustness variable, 0 to 7. */
  readonly robustness: number;
  /** Version 2: seconds between the querier's general queries. */
  readonly queryInterval: number;
  /** Version 2: only whoever wants one of these is asked; empty: everybody. */
  readonly sources: readonly IpAddress[];
}

/** A listener tells of one group, or leaves it (`done`): version 1. */
export interface MldReport {
  readonly kind: 'report' | 'done';
  readonly group: IpAddress;
}

/** A listener tells of its groups and sources: version 2 (RFC 3810, section 5.2). */
export interface MldReportV2 {
  readonly kind: 'report-v2';
  readonly records: readonly GroupRecord[];
}

/** An MLD message. */
export type MldMessage = MldQuery | MldReport | MldReportV2;

/** Whether an ICMPv6 type is one of MLD's. */
export function isMldType(type: number): boolean {
  return (
    (type >= Icmpv6Type.MULTICAST_LISTENER_QUERY && type <= Icmpv6Type.MULTICAST_LISTENER_DONE) ||
    type === Icmpv6Type.MULTICAST_LISTENER_REPORT_V2
  );
}

/**
 * Reads the message whose ICMPv6 header is at `start` and which ends at `end`. The checksum is not checked here; nor is that it came
 * from a link-local address with hop limit 1 and a router alert, without which the caller drops it (RFC 3810, section 5).
 */
export function parseMld(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: GroupLimits = GROUP_LIMITS,
): MldMessage | WireFault {
  if (end - start < ICMPV6_HEADER_LENGTH) return 'truncated';
  const type = bytes[start]!;
  if (!isMldType(type)) return 'bad-version';
  if (type === Icmpv6Type.MULTICAST_LISTENER_REPORT_V2) {
    return parseReportV2(bytes, start, end, limits);
  }
  if (end - start < V1_LENGTH) return 'truncated';
  const group = IpAddress.readV6(bytes, start + ICMPV6_HEADER_LENGTH);
  if (type === Icmpv6Type.MULTICAST_LISTENER_QUERY) {
    return parseQuery(bytes, start, end, group, limits);
  }
  if (!group.isMulticast) return 'bad-value';
  const isReport = type === Icmpv6Type.MULTICAST_LISTENER_REPORT;
  return { kind: isReport ? 'report' : 'done', group };
}

function parseQuery(
  bytes: Uint8Array,
  start: number,
  end: number,
  group: IpAddress,
  limits: GroupLimits,
): MldQuery | WireFault {
  if (!group.isUnspecified && !group.isMulticast) return 'bad-value';
  const code = readUint16(bytes, start + 4);
  if (end - start === V1_LENGTH) return queryOfVersion1(code, group);
  // Between the two lengths it is of neither version (RFC 3810, section 8.1).
  if (end - start < QUERY_V2_LENGTH) return 'bad-length';
  const count = readUint16(bytes, start + 26);
  const sources = parseSources(6, bytes, start + QUERY_V2_LENGTH, end, count, limits);
  if (typeof sources === 'string') return sources;
  const flags = bytes[start + 24]!;
  return {
    kind: 'query',
    version: 2,
    group,
    maximumResponseTime: decodeTimeCode(code, 12),
    suppressRouterProcessing: (flags & 0x08) !== 0,
    robustness: flags & 0x07,
    queryInterval: decodeTimeCode(bytes[start + 25]!, 4),
    sources,
  };
}

/** Here the time is milliseconds as they are (RFC 2710, section 3.4). */
function queryOfVersion1(code: number, group: IpAddress): MldQuery {
  return {
    kind: 'query',
    version: 1,
    group,
    maximumResponseTime: code,
    suppressRouterProcessing: false,
    robustness: 0,
    queryInterval: 0,
    sources: [],
  };
}

function parseReportV2(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: GroupLimits,
): MldReportV2 | WireFault {
  const count = readUint16(bytes, start + 6);
  const records = parseGroupRecords(6, bytes, start + ICMPV6_HEADER_LENGTH, end, count, limits);
  return typeof records === 'string' ? records : { kind: 'report-v2', records };
}

/** Bytes of the message with its ICMPv6 header. */
export function mldLength(message: MldMessage): number {
  if (message.kind === 'report-v2') {
    return ICMPV6_HEADER_LENGTH + groupRecordsLength(6, message.records);
  }
  if (message.kind === 'query' && message.version === 2) {
    return QUERY_V2_LENGTH + 16 * message.sources.length;
  }
  return V1_LENGTH;
}

/** Writes the message with its ICMPv6 header at `at`, and answers where it ends. The checksum is 0 until `finishIcmpv6` has computed it. */
export function emitMld(message: MldMessage, bytes: Uint8Array, at: number): number {
  bytes.fill(0, at, at + ICMPV6_HEADER_LENGTH);
  switch (message.kind) {
    case 'query':
      return emitQuery(message, bytes, at);
    case 'report':
      bytes[at] = Icmpv6Type.MULTICAST_LISTENER_REPORT;
      return emitAddresses([message.group], bytes, at + ICMPV6_HEADER_LENGTH);
    case 'done':
      bytes[at] = Icmpv6Type.MULTICAST_LISTENER_DONE;
      return emitAddresses([message.group], bytes, at + ICMPV6_HEADER_LENGTH);
    case 'report-v2':
      bytes[at] = Icmpv6Type.MULTICAST_LISTENER_REPORT_V2;
      writeUint16(bytes, at + 6, message.records.length);
      return emitGroupRecords(message.records, bytes, at + ICMPV6_HEADER_LENGTH);
  }
}

function emitQuery(query: MldQuery, bytes: Uint8Array, at: number): number {
  bytes[at] = Icmpv6Type.MULTICAST_LISTENER_QUERY;
  const next = emitAddresses([query.group], bytes, at + ICMPV6_HEADER_LENGTH);
  if (query.version === 1) {
    writeUint16(bytes, at + 4, Math.min(query.maximumResponseTime, 0xffff));
    return next;
  }
  writeUint16(bytes, at + 4, encodeTimeCode(query.maximumResponseTime, 12));
  bytes[next] = (query.suppressRouterProcessing ? 0x08 : 0) | query.robustness;
  bytes[next + 1] = encodeTimeCode(query.queryInterval, 4);
  writeUint16(bytes, next + 2, query.sources.length);
  return emitAddresses(query.sources, bytes, at + QUERY_V2_LENGTH);
}
