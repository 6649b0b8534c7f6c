/** Extension mechanisms (RFC 6891): the OPT record, which is no record but more header. */
import { ByteWriter, readUint16 } from '../../core/index.ts';
import { isFault, type WireFault } from '../../wire/index.ts';
import { DNS_SMALLEST_UDP, DnsOptionCode, DnsType } from './codes.ts';
import type { DnsMessage } from './message.ts';
import { DnsName } from './name.ts';
import type { DnsRecord } from './record.ts';

/** One option of EDNS. */
export interface DnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** What an OPT record says. */
export interface Edns {
  /** Bytes that its sender takes by UDP. */
  readonly udpSize: number;
  /** The upper eight bits of the response code. */
  readonly extendedCode: number;
  readonly version: number;
  /** Its sender wants signatures: the flag DO (RFC 3225). */
  readonly dnssecOk: boolean;
  readonly options: readonly DnsOption[];
}

const DNSSEC_OK = 0x8000;

/** The OPT of a message; undefined where it has none. Two are a fault (RFC 6891, section 6.1.1). */
export function readEdns(message: DnsMessage): Edns | WireFault | undefined {
  const [record, second] = message.additionals.filter(({ type }) => type === DnsType.OPT);
  if (record === undefined) return undefined;
  if (second !== undefined || !record.name.isRoot || record.data.kind !== 'other') {
    return 'bad-value';
  }
  const options = readOptions(record.data.bytes);
  if (isFault(options)) return options;
  return {
    udpSize: Math.max(record.class, DNS_SMALLEST_UDP),
    extendedCode: record.timeToLive >>> 24,
    version: (record.timeToLive >>> 16) & 0xff,
    dnssecOk: (record.timeToLive & DNSSEC_OK) !== 0,
    options,
  };
}

function readOptions(bytes: Uint8Array): DnsOption[] | WireFault {
  const options: DnsOption[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return 'bad-option';
    const end = at + 4 + readUint16(bytes, at + 2);
    if (end > bytes.length) return 'bad-option';
    options.push({ code: readUint16(bytes, at), data: bytes.subarray(at + 4, end) });
    at = end;
  }
  return options;
}

/** The OPT record. */
export function ednsRecord({ udpSize, extendedCode, version, dnssecOk, options }: Edns): DnsRecord {
  const length = options.reduce((sum, { data }) => sum + 4 + data.length, 0);
  const writer = new ByteWriter(new Uint8Array(length));
  for (const { code, data } of options) {
    writer.uint16(code);
    writer.uint16(data.length);
    writer.put(data);
  }
  return {
    name: DnsName.ROOT,
    type: DnsType.OPT,
    class: udpSize,
    timeToLive: ((extendedCode << 24) | (version << 16) | (dnssecOk ? DNSSEC_OK : 0)) >>> 0,
    data: { kind: 'other', bytes: writer.bytes },
  };
}

/** The option that says what went wrong, for people to read (RFC 8914, section 2). */
export function extendedErrorOption(code: number, text: string): DnsOption {
  const words = new TextEncoder().encode(text);
  const writer = new ByteWriter(new Uint8Array(2 + words.length));
  writer.uint16(code);
  writer.put(words);
  return { code: DnsOptionCode.EXTENDED_ERROR, data: writer.bytes };
}
