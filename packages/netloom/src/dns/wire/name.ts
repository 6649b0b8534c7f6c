import { NetloomError, type IpAddress } from '../../core/index.ts';
import type { WireFault } from '../../wire/index.ts';

/** Bytes of a name in a message, its closing zero included, and of one label (RFC 1035, section 2.3.4). */
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;

/** Pointers of one name: it has at most 127 labels, and none needs more than one pointer before it. */
const MOST_POINTERS = 127;

/**
 * A domain name: an immutable list of labels, any bytes each, kept as text of one character a byte. Letters keep their case; comparing
 * passes over that of ASCII letters (RFC 4343).
 */
export class DnsName {
  readonly labels: readonly string[];
  /** The same for names that are equal, and for no others: a key for tables. */
  readonly key: string;

  /** Of labels that are known to be good: see {@link parse}. */
  private constructor(labels: readonly string[]) {
    this.labels = labels;
    // With the lengths, since a label may have dots.
    this.key = labels.map((label) => `${label.length}.${lowerCase(label)}`).join('');
  }

  /** The root. */
  static readonly ROOT: DnsName = new DnsName([]);

  /** Of labels as they are in a message. Throws `DOMAIN_NAME_INVALID`. */
  static of(labels: readonly string[]): DnsName {
    const length = labels.reduce((sum, label) => sum + 1 + label.length, 1);
    const isGood = labels.every(({ length: size }) => size > 0 && size <= LONGEST_LABEL);
    if (!isGood || length > LONGEST_NAME) throw invalid(labels.join('.'));
    return new DnsName(labels);
  }

  /** From text as `www.example.com`, with or without a final dot; `\.` and `\DDD` are bytes of a label (RFC 1035, section 5.1). Throws `DOMAIN_NAME_INVALID`. */
  static parse(text: string): DnsName {
    if (text === '.' || text === '') return DnsName.ROOT;
    const labels = [''];
    for (const [piece] of text.matchAll(/\\[0-9]{3}|\\[^0-9]|[^\\]|\\/gs)) {
      if (piece === '.') {
        labels.push('');
        continue;
      }
      const byte = byteOf(piece);
      if (byte === undefined) throw invalid(text);
      labels[labels.length - 1] += byte;
    }
    if (labels.at(-1) === '') labels.pop();
    return DnsName.of(labels);
  }

  /** The name by which an address is looked up (RFC 1035, section 3.5; RFC 3596, section 2.5). */
  static ofAddress(address: IpAddress): DnsName {
    const bytes = [...address.toBytes()].toReversed();
    if (address.family === 4) return new DnsName([...bytes.map(String), 'in-addr', 'arpa']);
    const nibbles = bytes.flatMap((byte) => [(byte & 15).toString(16), (byte >> 4).toString(16)]);
    return new DnsName([...nibbles, 'ip6', 'arpa']);
  }

  get isRoot(): boolean {
    return this.labels.length === 0;
  }

  /** Bytes in a message, without compression. */
  get length(): number {
    return this.labels.reduce((sum, label) => sum + 1 + label.length, 1);
  }

  /** The name without its first label; the root's is the root. */
  get parent(): DnsName {
    return this.isRoot ? this : new DnsName(this.labels.slice(1));
  }

  equals(other: DnsName): boolean {
    return this.key === other.key;
  }

  /** Whether it is `zone` or under it. */
  isWithin(zone: DnsName): boolean {
    const extra = this.labels.length - zone.labels.length;
    return extra >= 0 && new DnsName(this.labels.slice(extra)).equals(zone);
  }

  /** The name under another. Throws `DOMAIN_NAME_INVALID` if that is too long. */
  under(zone: DnsName): DnsName {
    return DnsName.of([...this.labels, ...zone.labels]);
  }

  /** As text without the final dot; the root is a dot. Bytes that are no printable ASCII are written as `\DDD`. */
  toString(): string {
    return this.isRoot ? '.' : this.labels.map(formatLabel).join('.');
  }

  toJSON(): string {
    return this.toString();
  }
}

function invalid(text: string): NetloomError {
  return new NetloomError('DOMAIN_NAME_INVALID', `'${text}' is not a domain name`, {
    remedy: `Write labels of 1 to ${LONGEST_LABEL} bytes with dots between, ${LONGEST_NAME} bytes in all at most.`,
  });
}

function lowerCase(label: string): string {
  return label.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A byte of a label, of how text has it. */
function byteOf(piece: string): string | undefined {
  if (piece === '\\') return undefined;
  const escaped = piece.startsWith('\\') ? piece.slice(1) : piece;
  const code = escaped.length === 3 ? Number(escaped) : escaped.charCodeAt(0);
  return code < 256 && escaped.length !== 2 ? String.fromCharCode(code) : undefined;
}

function formatLabel(label: string): string {
  return label.replaceAll(/[^!-~]|[.\\]/g, (byte) =>
    byte === '.' || byte === '\\'
      ? `\\${byte}`
      : `\\${byte.charCodeAt(0).toString().padStart(3, '0')}`,
  );
}

/** A name that was read, and where what follows it begins. */
export interface ReadDnsName {
  readonly name: DnsName;
  readonly next: number;
}

/** Reads the name at `at` of a message that is `start` to `end` of the bytes: compression counts from there (RFC 1035, section 4.1.4). */
export function readDnsName(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
): ReadDnsName | WireFault {
  const labels: string[] = [];
  let from = at;
  let next = -1;
  let length = 1;
  // A pointer must lead to before the run of labels it ends, so a name cannot loop.
  let runStart = at;
  let pointers = 0;
  for (;;) {
    if (from >= end) return 'truncated';
    const size = bytes[from]!;
    if (size === 0) return { name: DnsName.of(labels), next: next < 0 ? from + 1 : next };
    if (size >= 0xc0) {
      if (from + 1 >= end) return 'truncated';
      if (++pointers > MOST_POINTERS) return 'too-many';
      if (next < 0) next = from + 2;
      from = start + (((size & 0x3f) << 8) | bytes[from + 1]!);
      if (from >= runStart) return 'bad-value';
      runStart = from;
      continue;
    }
    // 01 and 10 as the upper bits of a length are not in use (RFC 6891, section 5).
    if (size > LONGEST_LABEL) return 'bad-value';
    if (from + 1 + size > end) return 'truncated';
    length += 1 + size;
    if (length > LONGEST_NAME) return 'bad-length';
    labels.push(String.fromCharCode(...bytes.subarray(from + 1, from + 1 + size)));
    from += 1 + size;
  }
}
