import { EMPTY, IpAddress, readInt32, readUint16 } from '../../core/index.ts';
import type { WireFault } from '../../wire/index.ts';
import { DnsClass, DnsType } from './codes.ts';
import { readDnsName, type DnsName } from './name.ts';

/** What is asked for (RFC 1035, section 4.1.2). */
export interface DnsQuestion {
  readonly name: DnsName;
  /** A {@link DnsType}, or one that is not known. */
  readonly type: number;
  /** A {@link DnsClass}, or one that is not known. */
  readonly class: number;
}

/** The start of authority of a zone (RFC 1035, section 3.3.13). Times in seconds. */
export interface DnsAuthority {
  readonly kind: 'authority';
  readonly server: DnsName;
  readonly mailbox: DnsName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long it may be remembered that a name is not there (RFC 2308, section 4). */
  readonly minimum: number;
}

/** What a record says. */
export type DnsData =
  /** A and AAAA. */
  | { readonly kind: 'address'; readonly address: IpAddress }
  /** CNAME, DNAME, NS and PTR. */
  | { readonly kind: 'name'; readonly name: DnsName }
  | DnsAuthority
  /** Of every other type, as it is in the message: names in it may be compressed, and then mean nothing elsewhere. */
  | { readonly kind: 'other'; readonly bytes: Uint8Array };

/** A resource record (RFC 1035, section 4.1.3). */
export interface DnsRecord {
  readonly name: DnsName;
  /** A {@link DnsType}, or one that is not known. */
  readonly type: number;
  readonly class: number;
  /** Seconds it may be remembered for. */
  readonly timeToLive: number;
  readonly data: DnsData;
}

/** Bytes between the name and the data. */
const RECORD_HEADER_LENGTH = 10;

/** Types whose data is one name. */
const NAME_TYPES: ReadonlySet<number> = new Set([
  DnsType.NS,
  DnsType.CNAME,
  DnsType.PTR,
  DnsType.DNAME,
]);

/** Reads the record at `at` of a message that is `start` to `end` of the bytes; answers where the next begins too. */
export function readDnsRecord(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
): { record: DnsRecord; next: number } | WireFault {
  const read = readDnsName(bytes, start, at, end);
  if (typeof read === 'string') return read;
  const fields = read.next;
  const dataAt = fields + RECORD_HEADER_LENGTH;
  if (dataAt > end) return 'truncated';
  const next = dataAt + readUint16(bytes, fields + 8);
  if (next > end) return 'truncated';
  const type = readUint16(bytes, fields);
  const recordClass = readUint16(bytes, fields + 2);
  const isInternet = recordClass === DnsClass.IN;
  const data = isInternet ? readData(bytes, start, dataAt, next, type) : undefined;
  if (typeof data === 'string') return data;
  const record: DnsRecord = {
    name: read.name,
    type,
    class: recordClass,
    timeToLive: readInt32(bytes, fields + 4) >>> 0,
    data: data ?? { kind: 'other', bytes: bytes.subarray(dataAt, next) },
  };
  return { record, next };
}

/** The data of a type that is read further; undefined for others. Names in it may point to before it, and must end in it. */
function readData(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  type: number,
): DnsData | WireFault | undefined {
  if (type === DnsType.A || type === DnsType.AAAA) {
    if (end - at !== (type === DnsType.A ? 4 : 16)) return 'bad-length';
    return { kind: 'address', address: IpAddress.fromBytes(bytes.subarray(at, end)) };
  }
  if (NAME_TYPES.has(type)) {
    const read = readDnsName(bytes, start, at, end);
    if (typeof read === 'string') return read;
    return read.next === end ? { kind: 'name', name: read.name } : 'bad-length';
  }
  return type === DnsType.SOA ? readAuthority(bytes, start, at, end) : undefined;
}

/** Bytes of the five numbers of a start of authority. */
const AUTHORITY_NUMBERS = 20;

function readAuthority(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
): DnsAuthority | WireFault {
  const server = readDnsName(bytes, start, at, end);
  if (typeof server === 'string') return server;
  const mailbox = readDnsName(bytes, start, server.next, end);
  if (typeof mailbox === 'string') return mailbox;
  if (mailbox.next + AUTHORITY_NUMBERS !== end) return 'bad-length';
  const number = (index: number): number => readInt32(bytes, mailbox.next + 4 * index) >>> 0;
  return {
    kind: 'authority',
    server: server.name,
    mailbox: mailbox.name,
    serial: number(0),
    refresh: number(1),
    retry: number(2),
    expire: number(3),
    minimum: number(4),
  };
}

/** A record of an address, of the type of its family. */
export function addressRecord(name: DnsName, address: IpAddress, timeToLive: number): DnsRecord {
  const type = address.family === 4 ? DnsType.A : DnsType.AAAA;
  return { name, type, class: DnsClass.IN, timeToLive, data: { kind: 'address', address } };
}

/** A record whose data is a name: CNAME, NS or PTR. */
export function nameRecord(
  name: DnsName,
  type: number,
  target: DnsName,
  timeToLive: number,
): DnsRecord {
  const data: DnsData = { kind: 'name', name: target };
  return { name, type, class: DnsClass.IN, timeToLive, data };
}

/** The data of a record that has none. */
export const NO_DATA: DnsData = { kind: 'other', bytes: EMPTY };
