import { isFault } from '../fault.ts';
import { GroupRecordType, type GroupRecord } from '../group-record.ts';
import { parseIgmp, type IgmpQuery } from '../igmp.ts';
import { parseMld, type MldQuery } from '../mld.ts';
import { nameOr, words } from './names.ts';

const RECORDS: Readonly<Record<number, string>> = {
  [GroupRecordType.MODE_IS_INCLUDE]: 'is-include',
  [GroupRecordType.MODE_IS_EXCLUDE]: 'is-exclude',
  [GroupRecordType.CHANGE_TO_INCLUDE]: 'to-include',
  [GroupRecordType.CHANGE_TO_EXCLUDE]: 'to-exclude',
  [GroupRecordType.ALLOW_NEW_SOURCES]: 'allow',
  [GroupRecordType.BLOCK_OLD_SOURCES]: 'block',
};

/** An IGMP message. */
export function describeIgmp(bytes: Uint8Array, start: number, end: number): string {
  const message = parseIgmp(bytes, start, end);
  if (isFault(message)) return `IGMP (${message})`;
  switch (message.kind) {
    case 'query':
      return `IGMPv${message.version} ${query(message)}`;
    case 'report':
      return `IGMPv${message.version} report ${message.group}`;
    case 'leave':
      return `IGMPv2 leave ${message.group}`;
    case 'report-v3':
      return words('IGMPv3 report', ...message.records.map(record));
  }
}

/** An MLD message, its ICMPv6 header included. */
export function describeMld(bytes: Uint8Array, start: number, end: number): string {
  const message = parseMld(bytes, start, end);
  if (isFault(message)) return `MLD (${message})`;
  switch (message.kind) {
    case 'query':
      return `MLDv${message.version} ${query(message)}`;
    case 'report-v2':
      return words('MLDv2 report', ...message.records.map(record));
    default:
      return `MLDv1 ${message.kind} ${message.group}`;
  }
}

function query({ group, maximumResponseTime, sources }: IgmpQuery | MldQuery): string {
  return words(
    'query',
    group.isUnspecified ? 'all groups' : `${group}`,
    sources.length > 0 && `sources={${sources.join(',')}}`,
    `within=${maximumResponseTime}ms`,
  );
}

function record({ type, group, sources }: GroupRecord): string {
  return `${group} ${nameOr(RECORDS, type, 'record')}{${sources.join(',')}}`;
}
