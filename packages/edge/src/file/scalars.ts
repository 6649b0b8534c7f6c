/** The texts of a network file: each with what it is called, what to write, and a pattern for editors. */
import { IpAddress, MacAddress, formatSocketAddress, type Cidr } from 'netloom/core';
import {
  formatNetwork,
  parseCidr,
  parseDuration,
  parsePercent,
  parseRate,
  parseRuleSubject,
  parseSize,
  parseSocketAddress,
  parseSpread,
  type SocketAddressDefaults,
  type Spread,
} from '../text/index.ts';
import { either, integer, list, text, as, type JsonSchema, type Shape } from './shape.ts';

const HIGHEST_PORT = 65_535;

function pattern(expression: string, ...examples: readonly string[]): JsonSchema {
  return {
    type: 'string',
    pattern: `^(?:${expression})$`,
    ...(examples.length > 0 && { examples }),
  };
}

const NUMBER = String.raw`(?:\d+(?:\.\d+)?|\.\d+)`;
const TIME = `${NUMBER}(?:us|ms|s|m|h|d)`;

/** A name of a network, a station or a router: a label of a domain name, too (RFC 1123, section 2.1). */
export const NAME: Shape<string> = text(
  'a name',
  'Use lower-case letters, digits and hyphens, at most 63, with a letter first.',
  (written) => (/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(written) ? written : undefined),
  pattern('[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?'),
);

/** The name of an interface of this machine: what Linux takes (net/core/dev.c, dev_valid_name). */
export const INTERFACE: Shape<string> = text(
  'the name of an interface',
  'Write the name that `ip link` shows, as eth0: at most 15 letters, without spaces, slashes and colons.',
  (written) => (/^(?!\.\.?$)[^\s/:]{1,15}$/.test(written) ? written : undefined),
  pattern('[^\\s/:]{1,15}'),
);

/** A domain name, without the final dot: lower case. */
export const DOMAIN: Shape<string> = text(
  'a domain name',
  'Write labels of letters, digits, hyphens and underscores, with dots between, as db or db.lan.',
  (written) => {
    const subject = written.includes('/') ? undefined : parseRuleSubject(written);
    const isSound =
      subject?.name !== undefined && /^(?:[^.]{1,63}\.)*[^.]{1,63}$/.test(subject.name);
    return isSound ? subject.name : undefined;
  },
);

/** A path, or a name, that is handed on as it is. */
export const WORD: Shape<string> = text('a name or a path', 'Write a name or a path.', (written) =>
  written === '' || written.includes('\0') ? undefined : written,
);

/** The address of one station. */
export const ADDRESS: Shape<IpAddress> = text(
  'an address',
  'Write an address of one station, as 10.0.0.80 or fd00:a::80.',
  parseStationAddress,
);

function parseStationAddress(written: string): IpAddress | undefined {
  const address = IpAddress.tryParse(written);
  if (address === undefined || address.zone !== '') return undefined;
  return address.isMulticast || address.isUnspecified ? undefined : address;
}

/** An address, and the length of its prefix if it is to be another than its subnet's. */
export const ADDRESS_OR_CIDR: Shape<IpAddress | Cidr> = text(
  'an address',
  'Write an address of one station, as 10.0.0.7 or 10.0.0.7/24.',
  (written) => {
    if (!written.includes('/')) return parseStationAddress(written);
    const cidr = parseCidr(written);
    return cidr && parseStationAddress(String(cidr.address)) && cidr;
  },
);

/** A network: host bits are told as a mistake by who needs none. */
export const CIDR: Shape<Cidr> = text(
  'a network',
  'Write an address and the length of its prefix, as 10.0.0.0/24 or fd00:a::/64.',
  (written) => {
    const cidr = parseCidr(written);
    return cidr?.address.zone === '' ? cidr : undefined;
  },
);

/** What a rule speaks of, as it is written again: a network, or a name. */
export const RULE_SUBJECT: Shape<string> = text(
  'a network, an address or a name',
  'Write it as 192.0.2.0/24, 2001:db8::1 or example.org.',
  (written) => {
    const subject = parseRuleSubject(written);
    return subject && (subject.name ?? formatNetwork(subject.network));
  },
);

/** The address of one network card. */
export const MAC: Shape<string> = text(
  'a MAC address',
  'Write six octets in hexadecimal, as 52:54:00:12:34:56; the second digit of a card’s own is even.',
  (written) => {
    const isMac = /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(written);
    const mac = isMac ? MacAddress.parse(written) : undefined;
    return mac?.isStation === true ? String(mac) : undefined;
  },
);

/** Milliseconds, more than 0. */
export const DURATION: Shape<number> = text(
  'a time',
  'Write a number, more than 0, and its unit: us, ms, s, m, h or d, as 5m or 12h.',
  (written) => parseDuration(written) || undefined,
  pattern(TIME, '5m', '1h', '1d'),
);

/** A time, and by how much it varies. */
export const SPREAD: Shape<Spread> = text(
  'a time',
  'Write a number and its unit, and if it varies by how much, as 80ms, 80ms±10ms or 1.5s+-100ms.',
  (written) => (written === '0' ? { value: 0, spread: 0 } : parseSpread(written)),
  {
    anyOf: [pattern(`${TIME}(?:(?:±|\\+-)${TIME})?`, '20ms', '80ms±10ms'), { const: 0 }],
  },
);

/** Bits per second. */
export const RATE: Shape<number> = text(
  'a rate',
  'Write a number, more than 0, and its unit: bit, kbit, mbit or gbit, as 10mbit.',
  parseRate,
  pattern(`${NUMBER}(?:bit|kbit|mbit|gbit)`, '512kbit', '10mbit', '1gbit'),
);

/** Bits per second; `none`: Infinity. */
export const RATE_OR_NONE: Shape<number> = text(
  'a rate',
  'Write a number, more than 0, and its unit: bit, kbit, mbit or gbit, as 10mbit; or none.',
  (written) => (written === 'none' ? Infinity : parseRate(written)),
  pattern(`${NUMBER}(?:bit|kbit|mbit|gbit)|none`, '512kbit', '10mbit', '1gbit'),
);

/** Bytes. */
export const SIZE: Shape<number> = text(
  'a size',
  'Write a number and its unit: B, kB, MB, KiB or MiB, as 256KiB.',
  parseSize,
  pattern(`${NUMBER}(?:[Bb]|[Kk][Bb]|[Mm][Bb]|[Kk][Ii][Bb]|[Mm][Ii][Bb])`, '64KiB', '256KiB'),
);

/** A probability. */
export const PERCENT: Shape<number> = text(
  'a share',
  'Write a share from 0% to 100%, as 0.5%.',
  (written) => (written === '0' ? 0 : parsePercent(written)),
  { anyOf: [pattern(`${NUMBER}%`, '1%', '0.1%'), { const: 0 }] },
);

/** A port of TCP or UDP. */
export const PORT: Shape<number> = integer('a port', 1, HIGHEST_PORT);

/** An address and a port, of which one may be left out where a default is given. */
export function endpoint(
  noun: string,
  defaults: Pick<SocketAddressDefaults, 'address' | 'port'>,
): Shape<string> {
  const forms = ['192.0.2.7:4789', '[2001:db8::7]:4789'];
  if (defaults.port !== undefined) forms.push('192.0.2.7');
  if (defaults.address !== undefined) forms.push('4789');
  const remedy = `Write it as ${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}.`;
  return text(
    noun,
    remedy,
    (written) => {
      const found = parseSocketAddress(written, { ...defaults, leastPort: 1 });
      return found && formatSocketAddress(found);
    },
    { type: defaults.address === undefined ? 'string' : ['string', 'integer'] },
  );
}

/** Two addresses of one family, in order. */
export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/** As `10.0.0.100-10.0.0.199`. */
export const RANGE: Shape<AddressRange> = text(
  'a range of addresses',
  'Write the first and the last, as 10.0.0.100-10.0.0.199.',
  (written) => {
    const [from, to, ...others] = written.split('-').map((one) => IpAddress.tryParse(one.trim()));
    if (from === undefined || to === undefined || others.length > 0) return undefined;
    return from.family === to.family && compareAddresses(from, to) <= 0
      ? { first: from, last: to }
      : undefined;
  },
);

/** Below 0: `a` comes first. Of one family. */
function compareAddresses(a: IpAddress, b: IpAddress): number {
  const others = wordsOf(b);
  for (const [index, word] of wordsOf(a).entries()) {
    if (word !== others[index]) return (word >>> 0) - (others[index]! >>> 0);
  }
  return 0;
}

function wordsOf({ word0, word1, word2, word3 }: IpAddress): number[] {
  return [word0, word1, word2, word3];
}

const LAST_VLAN = 4094;

/** A VLAN's number (IEEE 802.1Q, table 9-2). */
export const VLAN: Shape<number> = integer('a VLAN', 1, LAST_VLAN);

/** Several VLANs, in order and without overlap. */
export type VlanRanges = readonly (readonly [first: number, last: number])[];

const VLANS_REMEDY = 'Write numbers from 1 to 4094 and ranges of them, as 1,10-20, or all.';

const VLANS_TEXT: Shape<VlanRanges> = text('VLANs', VLANS_REMEDY, parseVlans, {
  anyOf: [
    pattern(String.raw`all|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*`, 'all', '1,10-20'),
    { type: 'integer', minimum: 1, maximum: LAST_VLAN },
  ],
});

/** As `1,10-20` or `all`, or a list of such. */
export const VLANS: Shape<VlanRanges> = either(
  'VLANs',
  VLANS_REMEDY,
  VLANS_TEXT,
  as(list('VLANs', VLANS_TEXT), (lists) => joinRanges(lists.flatMap((one) => one ?? []))),
);

function parseVlans(written: string): VlanRanges | undefined {
  if (written === 'all') return [[1, LAST_VLAN]];
  const ranges: [number, number][] = [];
  for (const part of written.split(',')) {
    const [, from, to = from] = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (!(first >= 1 && first <= last && last <= LAST_VLAN)) return undefined;
    ranges.push([first, last]);
  }
  return joinRanges(ranges);
}

/** In order; ranges that overlap or follow each other become one. */
function joinRanges(ranges: VlanRanges): VlanRanges {
  const joined: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}
