import { Cidr, IpAddress, MacAddress, readInt32, writeUint32 } from '../core/index.ts';
import { emitDomainNames, parseDomainNames } from './domain-name.ts';
import { isFault, type WireFault } from './fault.ts';

/** Types of NDP options (IANA "IPv6 Neighbor Discovery Option Formats"). */
export const NdpOptionType = {
  SOURCE_LINK_ADDRESS: 1,
  TARGET_LINK_ADDRESS: 2,
  PREFIX_INFORMATION: 3,
  REDIRECTED_HEADER: 4,
  MTU: 5,
  ROUTE_INFORMATION: 24,
  RECURSIVE_DNS_SERVERS: 25,
  DNS_SEARCH_LIST: 31,
} as const;

/** A router's or a route's preference (RFC 4191, section 2.1). */
export type RouterPreference = 'low' | 'medium' | 'high';

/** A prefix of the link (RFC 4861, section 4.6.2). Lifetimes in seconds; 4,294,967,295: for ever. */
export interface NdpPrefix {
  readonly kind: 'prefix';
  readonly prefix: Cidr;
  /** Addresses of the prefix are on the link. */
  readonly onLink: boolean;
  /** Hosts may make addresses of it for themselves (RFC 4862). */
  readonly autonomous: boolean;
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

/** A route by the router that sends it (RFC 4191, section 2.3). Lifetime in seconds. */
export interface NdpRoute {
  readonly kind: 'route';
  readonly prefix: Cidr;
  readonly preference: RouterPreference;
  readonly lifetime: number;
}

/** Recursive DNS servers (RFC 8106, section 5.1). Lifetime in seconds; 0: use them no more. */
export interface NdpDnsServers {
  readonly kind: 'dns-servers';
  readonly lifetime: number;
  readonly addresses: readonly IpAddress[];
}

/** Domains to search (RFC 8106, section 5.2). Lifetime in seconds; 0: use them no more. */
export interface NdpSearchDomains {
  readonly kind: 'search-domains';
  readonly lifetime: number;
  /** Lower case, without the final dot. */
  readonly domains: readonly string[];
}

/** How many domains of a search list are read. */
const SEARCH_LIST_LIMIT = 64;

/** An option of an NDP message. */
export type NdpOption =
  | { readonly kind: 'source-link-address'; readonly mac: MacAddress }
  | { readonly kind: 'target-link-address'; readonly mac: MacAddress }
  | NdpPrefix
  /** The start of the packet that was redirected; a view of the message's bytes. */
  | { readonly kind: 'redirected-header'; readonly packet: Uint8Array }
  | { readonly kind: 'mtu'; readonly mtu: number }
  | NdpRoute
  | NdpDnsServers
  | NdpSearchDomains
  /** One not known, or known but not as its RFC has it: passed over (RFC 4861, section 4.6). `body` is a view: all behind type and length. */
  | { readonly kind: 'other'; readonly type: number; readonly body: Uint8Array };

/** The option of this kind that comes first, if there is one. */
export function findNdpOption<Kind extends NdpOption['kind']>(
  options: readonly NdpOption[],
  kind: Kind,
): Extract<NdpOption, { kind: Kind }> | undefined {
  return options.find((option) => option.kind === kind) as
    | Extract<NdpOption, { kind: Kind }>
    | undefined;
}

/** Reads the options from `start` to `end`. One of length zero, or one that reaches past `end`, spoils the message (RFC 4861, section 4.6). */
export function parseNdpOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
): NdpOption[] | WireFault {
  const options: NdpOption[] = [];
  for (let at = start; at < end;) {
    const length = at + 1 < end ? 8 * bytes[at + 1]! : 0;
    if (length === 0 || at + length > end) return 'bad-option';
    if (options.length >= limit) return 'too-many';
    options.push(parseNdpOption(bytes, at, length));
    at += length;
  }
  return options;
}

function parseNdpOption(bytes: Uint8Array, at: number, length: number): NdpOption {
  const type = bytes[at]!;
  return (
    parseKnownOption(type, bytes, at, length) ?? {
      kind: 'other',
      type,
      body: bytes.subarray(at + 2, at + length),
    }
  );
}

/** The option if its type is known and its length is the type's. */
function parseKnownOption(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
): NdpOption | undefined {
  switch (type) {
    case NdpOptionType.SOURCE_LINK_ADDRESS:
      return length === 8
        ? { kind: 'source-link-address', mac: MacAddress.read(bytes, at + 2) }
        : undefined;
    case NdpOptionType.TARGET_LINK_ADDRESS:
      return length === 8
        ? { kind: 'target-link-address', mac: MacAddress.read(bytes, at + 2) }
        : undefined;
    case NdpOptionType.PREFIX_INFORMATION:
      return length === 32 ? parsePrefix(bytes, at) : undefined;
    case NdpOptionType.REDIRECTED_HEADER:
      return { kind: 'redirected-header', packet: bytes.subarray(at + 8, at + length) };
    case NdpOptionType.MTU:
      return length === 8 ? { kind: 'mtu', mtu: readInt32(bytes, at + 4) >>> 0 } : undefined;
    case NdpOptionType.ROUTE_INFORMATION:
      return parseRoute(bytes, at, length);
    case NdpOptionType.RECURSIVE_DNS_SERVERS:
      return parseDnsServers(bytes, at, length);
    case NdpOptionType.DNS_SEARCH_LIST:
      return parseSearchDomains(bytes, at, length);
    default:
      return undefined;
  }
}

function parsePrefix(bytes: Uint8Array, at: number): NdpPrefix | undefined {
  const prefixLength = bytes[at + 2]!;
  if (prefixLength > 128) return undefined;
  const flags = bytes[at + 3]!;
  return {
    kind: 'prefix',
    prefix: new Cidr(IpAddress.readV6(bytes, at + 16), prefixLength),
    onLink: (flags & 0x80) !== 0,
    autonomous: (flags & 0x40) !== 0,
    validLifetime: readInt32(bytes, at + 4) >>> 0,
    preferredLifetime: readInt32(bytes, at + 8) >>> 0,
  };
}

/** RFC 4191, section 2.3: the option is as long as its prefix needs or longer, 24 bytes at most; one with the reserved preference is ignored. */
function parseRoute(bytes: Uint8Array, at: number, length: number): NdpRoute | undefined {
  const prefixLength = bytes[at + 2]!;
  const preference = routerPreference(bytes[at + 3]!);
  if (length > 24 || prefixLength > 128 || 8 + prefixLength / 8 > length) return undefined;
  if (preference === undefined) return undefined;
  const word = (index: number): number =>
    8 + 4 * index < length ? readInt32(bytes, at + 8 + 4 * index) : 0;
  return {
    kind: 'route',
    prefix: new Cidr(IpAddress.v6(word(0), word(1), word(2), word(3)), prefixLength),
    preference,
    lifetime: readInt32(bytes, at + 4) >>> 0,
  };
}

/** RFC 8106, section 5.3.1: eight bytes and at least one whole address. */
function parseDnsServers(bytes: Uint8Array, at: number, length: number): NdpDnsServers | undefined {
  if (length < 24 || length % 16 !== 8) return undefined;
  const addresses: IpAddress[] = [];
  for (let next = at + 8; next < at + length; next += 16) {
    addresses.push(IpAddress.readV6(bytes, next));
  }
  return { kind: 'dns-servers', lifetime: readInt32(bytes, at + 4) >>> 0, addresses };
}

/** RFC 8106, section 5.2: names as in DHCP, without compression, then zeros up to a multiple of eight bytes. */
function parseSearchDomains(
  bytes: Uint8Array,
  at: number,
  length: number,
): NdpSearchDomains | undefined {
  let end = at + length;
  while (end > at + 8 && bytes[end - 1] === 0) end--;
  // The last name's own zero belongs to it; an option whose names fill it to the end without one is malformed.
  if (end === at + 8 || end === at + length) return undefined;
  const rules = { compression: false, limit: SEARCH_LIST_LIMIT };
  const domains = parseDomainNames(bytes.subarray(at + 8, end + 1), rules);
  if (isFault(domains)) return undefined;
  return { kind: 'search-domains', lifetime: readInt32(bytes, at + 4) >>> 0, domains };
}

/** The preference in bits 3 and 4 of a flags byte; undefined: the reserved value (RFC 4191, section 2.1). */
export function routerPreference(flags: number): RouterPreference | undefined {
  return PREFERENCES[(flags >>> 3) & 3];
}

/** The flags byte's bits for a preference. */
export function routerPreferenceBits(preference: RouterPreference): number {
  return PREFERENCES.indexOf(preference) << 3;
}

const PREFERENCES: readonly (RouterPreference | undefined)[] = ['medium', 'high', undefined, 'low'];

/** Bytes that the options take. */
export function ndpOptionsLength(options: readonly NdpOption[]): number {
  let length = 0;
  for (const option of options) length += ndpOptionLength(option);
  return length;
}

function ndpOptionLength(option: NdpOption): number {
  switch (option.kind) {
    case 'source-link-address':
    case 'target-link-address':
    case 'mtu':
      return 8;
    case 'prefix':
      return 32;
    case 'redirected-header':
      return 8 + paddedToEight(option.packet.length);
    case 'route':
      return 8 + routePrefixLength(option.prefix);
    case 'dns-servers':
      return 8 + 16 * option.addresses.length;
    case 'search-domains':
      return 8 + paddedToEight(option.domains.reduce((sum, name) => sum + name.length + 2, 0));
    case 'other':
      return paddedToEight(2 + option.body.length);
  }
}

function paddedToEight(length: number): number {
  return (length + 7) & ~7;
}

/** Bytes of a route option's prefix: 0, 8 or 16 (RFC 4191, section 2.3). */
function routePrefixLength({ address, prefixLength }: Cidr): number {
  // Bits past the prefix are reserved; they are carried where they are set, so that an option is re-encoded as it was.
  if (prefixLength > 64 || address.word2 !== 0 || address.word3 !== 0) return 16;
  return prefixLength > 0 || address.word0 !== 0 || address.word1 !== 0 ? 8 : 0;
}

/** Writes the options at `at`, and answers where they end. The caller has room for {@link ndpOptionsLength} bytes. */
export function emitNdpOptions(
  options: readonly NdpOption[],
  bytes: Uint8Array,
  at: number,
): number {
  let next = at;
  for (const option of options) {
    const length = ndpOptionLength(option);
    bytes.fill(0, next, next + length);
    bytes[next + 1] = length >>> 3;
    emitNdpOption(option, bytes, next);
    next += length;
  }
  return next;
}

/** Writes the type and all behind the length into zeroed bytes. */
function emitNdpOption(option: NdpOption, bytes: Uint8Array, at: number): void {
  switch (option.kind) {
    case 'source-link-address':
      bytes[at] = NdpOptionType.SOURCE_LINK_ADDRESS;
      option.mac.copyTo(bytes, at + 2);
      return;
    case 'target-link-address':
      bytes[at] = NdpOptionType.TARGET_LINK_ADDRESS;
      option.mac.copyTo(bytes, at + 2);
      return;
    case 'prefix':
      return emitPrefix(option, bytes, at);
    case 'redirected-header':
      bytes[at] = NdpOptionType.REDIRECTED_HEADER;
      bytes.set(option.packet, at + 8);
      return;
    case 'mtu':
      bytes[at] = NdpOptionType.MTU;
      writeUint32(bytes, at + 4, option.mtu);
      return;
    case 'route':
      return emitRoute(option, bytes, at);
    case 'dns-servers':
      return emitDnsServers(option, bytes, at);
    case 'search-domains':
      bytes[at] = NdpOptionType.DNS_SEARCH_LIST;
      writeUint32(bytes, at + 4, option.lifetime);
      bytes.set(emitDomainNames(option.domains), at + 8);
      return;
    case 'other':
      bytes[at] = option.type;
      bytes.set(option.body, at + 2);
      return;
  }
}

function emitPrefix(option: NdpPrefix, bytes: Uint8Array, at: number): void {
  bytes[at] = NdpOptionType.PREFIX_INFORMATION;
  bytes[at + 2] = option.prefix.prefixLength;
  bytes[at + 3] = (option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0);
  writeUint32(bytes, at + 4, option.validLifetime);
  writeUint32(bytes, at + 8, option.preferredLifetime);
  option.prefix.address.copyTo(bytes, at + 16);
}

function emitRoute(option: NdpRoute, bytes: Uint8Array, at: number): void {
  bytes[at] = NdpOptionType.ROUTE_INFORMATION;
  bytes[at + 2] = option.prefix.prefixLength;
  bytes[at + 3] = routerPreferenceBits(option.preference);
  writeUint32(bytes, at + 4, option.lifetime);
  const prefixBytes = option.prefix.address.toBytes();
  bytes.set(prefixBytes.subarray(0, routePrefixLength(option.prefix)), at + 8);
}

function emitDnsServers(option: NdpDnsServers, bytes: Uint8Array, at: number): void {
  bytes[at] = NdpOptionType.RECURSIVE_DNS_SERVERS;
  writeUint32(bytes, at + 4, option.lifetime);
  for (const [index, address] of option.addresses.entries()) {
    address.copyTo(bytes, at + 8 + 16 * index);
  }
}
