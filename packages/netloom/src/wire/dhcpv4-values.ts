import { Cidr, IpAddress, readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import { Dhcpv4OptionCode, type Dhcpv4Option } from './dhcpv4-options.ts';
import { emitDomainNames, parseDomainNames } from './domain-name.ts';
import { isFault } from './fault.ts';

/**
 * The values inside DHCPv4 options. Readers answer undefined for a value that is absent or breaks its own
 * format: RFC 2131 has no way to complain of an option, so a bad one counts as one that is not there.
 */

/** A route to a destination; without gateway, it is on the link. */
export interface Dhcpv4Route {
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
}

/** How many names of a search list are read. */
const SEARCH_LIST_LIMIT = 64;

/** A number of 1, 2 or 4 bytes. */
export function readDhcpv4Number(
  data: Uint8Array | undefined,
  width: 1 | 2 | 4,
): number | undefined {
  if (data?.length !== width) return undefined;
  if (width === 1) return data[0]!;
  return width === 2 ? readUint16(data, 0) : readInt32(data, 0) >>> 0;
}

/** One or more addresses. */
export function readDhcpv4Addresses(data: Uint8Array | undefined): IpAddress[] | undefined {
  if (data === undefined || data.length === 0 || data.length % 4 !== 0) return undefined;
  return Array.from({ length: data.length / 4 }, (_, i) => IpAddress.readV4(data, 4 * i));
}

/** Text in printable ASCII. Zeros at its end are dropped, as a receiver must (RFC 2132, section 2). */
export function readDhcpv4Text(data: Uint8Array | undefined): string | undefined {
  if (data === undefined) return undefined;
  let end = data.length;
  while (end > 0 && data[end - 1] === 0) end--;
  let text = '';
  for (let i = 0; i < end; i++) {
    const byte = data[i]!;
    if (byte < 0x20 || byte > 0x7e) return undefined;
    text += String.fromCharCode(byte);
  }
  return text === '' ? undefined : text;
}

/** Domains to search, in order (RFC 3397). */
export function readDhcpv4DomainSearch(data: Uint8Array | undefined): string[] | undefined {
  if (data === undefined) return undefined;
  const names = parseDomainNames(data, { compression: true, limit: SEARCH_LIST_LIMIT });
  return isFault(names) || names.length === 0 ? undefined : names;
}

/**
 * Classless static routes (RFC 3442): for each, the prefix length, the bytes of the destination that the prefix
 * covers, and the gateway, where 0.0.0.0 says that the destination is on the link.
 */
export function readDhcpv4Routes(data: Uint8Array | undefined): Dhcpv4Route[] | undefined {
  if (data === undefined || data.length === 0) return undefined;
  const routes: Dhcpv4Route[] = [];
  let at = 0;
  while (at < data.length) {
    const prefixLength = data[at++]!;
    const significant = Math.ceil(prefixLength / 8);
    if (prefixLength > 32 || at + significant + 4 > data.length) return undefined;
    const destination = new Uint8Array(4);
    destination.set(data.subarray(at, at + significant));
    at += significant;
    const gateway = IpAddress.readV4(data, at);
    at += 4;
    routes.push({
      // Bits past the prefix are to be taken as 0 (RFC 3442, "the DHCP client must ... mask").
      destination: new Cidr(
        new Cidr(IpAddress.readV4(destination, 0), prefixLength).network,
        prefixLength,
      ),
      gateway: gateway.isUnspecified ? undefined : gateway,
    });
  }
  return routes;
}

/** The prefix length of a subnet mask; undefined if its ones are not all at the front. */
export function prefixLengthOfMask(mask: IpAddress): number | undefined {
  const length = Math.clz32(~mask.word3);
  return maskOfPrefixLength(length).equals(mask) ? length : undefined;
}

/** The subnet mask of a prefix length. */
export function maskOfPrefixLength(prefixLength: number): IpAddress {
  return IpAddress.v4(prefixLength === 0 ? 0 : -1 << (32 - prefixLength));
}

/** An option of a number of 1, 2 or 4 bytes. */
export function dhcpv4Number(code: number, width: 1 | 2 | 4, value: number): Dhcpv4Option {
  const data = new Uint8Array(width);
  if (width === 1) data[0] = value;
  else if (width === 2) writeUint16(data, 0, value);
  else writeUint32(data, 0, value);
  return { code, data };
}

/** An option of addresses. */
export function dhcpv4Addresses(code: number, addresses: readonly IpAddress[]): Dhcpv4Option {
  const data = new Uint8Array(4 * addresses.length);
  for (const [i, address] of addresses.entries()) address.copyTo(data, 4 * i);
  return { code, data };
}

/** An option of text. */
export function dhcpv4Text(code: number, text: string): Dhcpv4Option {
  return { code, data: new TextEncoder().encode(text) };
}

/** The option of domains to search (RFC 3397), uncompressed. Throws `DOMAIN_NAME_INVALID`. */
export function dhcpv4DomainSearch(names: readonly string[]): Dhcpv4Option {
  return { code: Dhcpv4OptionCode.DOMAIN_SEARCH, data: emitDomainNames(names) };
}

/** The option of classless static routes (RFC 3442). */
export function dhcpv4Routes(routes: readonly Dhcpv4Route[]): Dhcpv4Option {
  const parts: number[] = [];
  for (const { destination, gateway } of routes) {
    const significant = Math.ceil(destination.prefixLength / 8);
    parts.push(destination.prefixLength, ...destination.network.toBytes().subarray(0, significant));
    parts.push(...(gateway ?? IpAddress.ANY4).toBytes());
  }
  return { code: Dhcpv4OptionCode.CLASSLESS_ROUTES, data: Uint8Array.from(parts) };
}
