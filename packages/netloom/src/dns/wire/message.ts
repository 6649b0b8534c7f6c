import { readUint16 } from '../../core/index.ts';
import type { WireFault } from '../../wire/index.ts';
import { readDnsName } from './name.ts';
import { readDnsRecord, type DnsQuestion, type DnsRecord } from './record.ts';

/** Bytes of the header (RFC 1035, section 4.1.1). */
export const DNS_HEADER_LENGTH = 12;

/** The flags of the header's third and fourth byte (RFC 1035, section 4.1.1; RFC 4035, section 3). */
export const DnsFlag = {
  RESPONSE: 0x8000,
  AUTHORITATIVE: 0x0400,
  TRUNCATED: 0x0200,
  RECURSION_DESIRED: 0x0100,
  RECURSION_AVAILABLE: 0x0080,
  AUTHENTIC_DATA: 0x0020,
  CHECKING_DISABLED: 0x0010,
} as const;

/** A message (RFC 1035, section 4). */
export interface DnsMessage {
  readonly id: number;
  /** {@link DnsFlag}s alone. */
  readonly flags: number;
  /** A {@link DnsOperation}, or one that is not known: 0 to 15. */
  readonly operation: number;
  /** The lower four bits of the response code: see `responseCodeOf` for the whole. */
  readonly responseCode: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** Limits of the parser. */
export interface DnsWireLimits {
  /** Questions of one message. */
  readonly questions: number;
  /** Records of one message. */
  readonly records: number;
}

/** The defaults. */
export const DNS_WIRE_LIMITS: DnsWireLimits = { questions: 4, records: 1024 };

const ALL_FLAGS = Object.values(DnsFlag).reduce((all, flag) => all | flag, 0);

/** Reads the message from `start` to `end`. Its data of types that are not known are views of `bytes`; bytes behind the last record are passed over. */
export function parseDnsMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: DnsWireLimits = DNS_WIRE_LIMITS,
): DnsMessage | WireFault {
  if (end - start < DNS_HEADER_LENGTH) return 'truncated';
  const count = (index: number): number => readUint16(bytes, start + 4 + 2 * index);
  if (count(0) > limits.questions) return 'too-many';
  if (count(1) + count(2) + count(3) > limits.records) return 'too-many';
  const reader = new RecordReader(bytes, start, end);
  const questions = reader.questions(count(0));
  const answers = reader.records(count(1));
  const authorities = reader.records(count(2));
  const additionals = reader.records(count(3));
  if (reader.fault !== undefined) return reader.fault;
  const word = readUint16(bytes, start + 2);
  return {
    id: readUint16(bytes, start),
    flags: word & ALL_FLAGS,
    operation: (word >>> 11) & 15,
    responseCode: word & 15,
    questions,
    answers,
    authorities,
    additionals,
  };
}

/** Reads one section after the other; after a fault there is nothing more. */
class RecordReader {
  fault: WireFault | undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start + DNS_HEADER_LENGTH;
  }

  questions(count: number): DnsQuestion[] {
    const questions: DnsQuestion[] = [];
    while (questions.length < count && this.fault === undefined) {
      const read = readDnsName(this.#bytes, this.#start, this.#at, this.#end);
      if (typeof read === 'string') this.fault = read;
      else if (read.next + 4 > this.#end) this.fault = 'truncated';
      else {
        questions.push({
          name: read.name,
          type: readUint16(this.#bytes, read.next),
          class: readUint16(this.#bytes, read.next + 2),
        });
        this.#at = read.next + 4;
      }
    }
    return questions;
  }

  records(count: number): DnsRecord[] {
    const records: DnsRecord[] = [];
    while (records.length < count && this.fault === undefined) {
      const read = readDnsRecord(this.#bytes, this.#start, this.#at, this.#end);
      if (typeof read === 'string') {
        this.fault = read;
      } else {
        records.push(read.record);
        this.#at = read.next;
      }
    }
    return records;
  }
}
