import { ByteWriter, NetloomError } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Bytes of a whole name in wire form, its closing zero included (RFC 1035, section 2.3.4). */
const LONGEST_NAME = 255;

/** How a list of domain names is written. */
export interface DomainNameRules {
  /** Names may end in a pointer to an earlier one (RFC 1035, section 4.1.4), counted from the start of the list. */
  readonly compression: boolean;
  /** Names past this number are the fault `too-many`. */
  readonly limit: number;
}

/**
 * Reads names that stand one after the other until the bytes end, as the search lists of DHCP have them (RFC 3397, section 2;
 * RFC 8415, section 10). They come out lower case, without the final dot.
 *
 * Labels are letters, digits, hyphens and underscores; any other byte is `bad-value`, since what comes from a
 * DHCP server ends up in resolvers and configuration files. The root alone is no search domain and is refused too.
 */
export function parseDomainNames(bytes: Uint8Array, rules: DomainNameRules): string[] | WireFault {
  const names: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (names.length === rules.limit) return 'too-many';
    const name = readName(bytes, at, rules.compression);
    if (typeof name === 'string') return name;
    names.push(name.labels.join('.'));
    at = name.next;
  }
  return names;
}

/** One name at `start`, and where the next begins. */
function readName(
  bytes: Uint8Array,
  start: number,
  compression: boolean,
): { labels: string[]; next: number } | WireFault {
  const labels: string[] = [];
  let at = start;
  let next = -1;
  let length = 1;
  // A pointer must lead to before the run of labels it ends, so a name cannot loop.
  let runStart = start;
  for (;;) {
    if (at >= bytes.length) return 'truncated';
    const size = bytes[at]!;
    if (size === 0) {
      if (labels.length === 0) return 'bad-value';
      return { labels, next: next < 0 ? at + 1 : next };
    }
    if (size >= 0xc0) {
      if (!compression) return 'bad-value';
      if (at + 1 >= bytes.length) return 'truncated';
      if (next < 0) next = at + 2;
      at = ((size & 0x3f) << 8) | bytes[at + 1]!;
      if (at >= runStart) return 'bad-value';
      runStart = at;
      continue;
    }
    // 01 and 10 as the upper bits of a length are not in use (RFC 6891, section 5; RFC 1035, section 4.1.4).
    if (size > 63) return 'bad-value';
    if (at + 1 + size > bytes.length) return 'truncated';
    length += 1 + size;
    if (length > LONGEST_NAME) return 'bad-length';
    const label = readLabel(bytes, at + 1, size);
    if (label === undefined) return 'bad-value';
    labels.push(label);
    at += 1 + size;
  }
}

function readLabel(bytes: Uint8Array, at: number, size: number): string | undefined {
  const text = String.fromCharCode(...bytes.subarray(at, at + size)).toLowerCase();
  return /^[a-z0-9_-]+$/.test(text) ? text : undefined;
}

/** Whether the text is a domain name that {@link emitDomainNames} takes. */
export function isDomainName(text: string): boolean {
  return text.length <= LONGEST_NAME - 2 && /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(text);
}

/** Writes names one after the other, without compression. Throws `DOMAIN_NAME_INVALID`. */
export function emitDomainNames(names: readonly string[]): Uint8Array {
  for (const name of names) {
    if (!isDomainName(name)) {
      throw new NetloomError('DOMAIN_NAME_INVALID', `'${name}' is not a domain name`, {
        remedy: 'Write labels of letters, digits, hyphens and underscores with dots between.',
      });
    }
  }
  const length = names.reduce((sum, name) => sum + name.length + 2, 0);
  const writer = new ByteWriter(new Uint8Array(length));
  for (const name of names) {
    for (const label of name.split('.')) {
      writer.uint8(label.length);
      for (let i = 0; i < label.length; i++) writer.uint8(label.charCodeAt(i));
    }
    writer.uint8(0);
  }
  return writer.bytes;
}
