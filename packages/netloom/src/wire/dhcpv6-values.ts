import {
  ByteWriter,
  Cidr,
  IpAddress,
  concatBytes,
  readInt32,
  readUint16,
  writeUint16,
  writeUint32,
} from '../core/index.ts';
import {
  Dhcpv6OptionCode,
  dhcpv6Option,
  findDhcpv6Option,
  type Dhcpv6Option,
} from './dhcpv6-options.ts';
import { emitDomainNames, parseDomainNames } from './domain-name.ts';
import { isFault, type WireFault } from './fault.ts';

/** Values of the status code option (RFC 8415, section 21.13). */
export const Dhcpv6Status = {
  SUCCESS: 0,
  UNSPECIFIED_FAILURE: 1,
  NO_ADDRESSES: 2,
  NO_BINDING: 3,
  NOT_ON_LINK: 4,
  USE_MULTICAST: 5,
  NO_PREFIXES: 6,
} as const;

/** The lifetime that never ends (RFC 8415, section 7.7). */
export const DHCPV6_INFINITE = 0xffff_ffff;

/** An address of an identity association; lifetimes in seconds (RFC 8415, section 21.6). */
export interface Dhcpv6Address {
  readonly address: IpAddress;
  readonly preferred: number;
  readonly valid: number;
  /** A {@link Dhcpv6Status}. */
  readonly status: number;
}

/** A delegated prefix; lifetimes in seconds (RFC 8415, section 21.22). */
export interface Dhcpv6Prefix {
  readonly prefix: Cidr;
  readonly preferred: number;
  readonly valid: number;
  /** A {@link Dhcpv6Status}. */
  readonly status: number;
}

/** An identity association for addresses (IA_NA) or for prefixes (IA_PD); RFC 8415, sections 21.4 and 21.21. */
export interface Dhcpv6Association {
  readonly code: typeof Dhcpv6OptionCode.IA_NA | typeof Dhcpv6OptionCode.IA_PD;
  /** `IAID`. */
  readonly id: number;
  /** `T1`, in seconds; 0: the client decides. */
  readonly renew: number;
  /** `T2`, in seconds; 0: the client decides. */
  readonly rebind: number;
  readonly addresses: readonly Dhcpv6Address[];
  readonly prefixes: readonly Dhcpv6Prefix[];
  /** A {@link Dhcpv6Status}. */
  readonly status: number;
}

/** How many names of a search list are read. */
const SEARCH_LIST_LIMIT = 64;

/** Reads the identity associations among the options. An address or prefix that breaks its format is `bad-option`. */
export function readDhcpv6Associations(
  options: readonly Dhcpv6Option[],
): Dhcpv6Association[] | WireFault {
  const associations: Dhcpv6Association[] = [];
  for (const { code, data, options: inner } of options) {
    if (code !== Dhcpv6OptionCode.IA_NA && code !== Dhcpv6OptionCode.IA_PD) continue;
    const addresses: Dhcpv6Address[] = [];
    const prefixes: Dhcpv6Prefix[] = [];
    for (const option of inner) {
      if (code === Dhcpv6OptionCode.IA_NA && option.code === Dhcpv6OptionCode.IA_ADDRESS) {
        addresses.push(readAddress(option));
      } else if (code === Dhcpv6OptionCode.IA_PD && option.code === Dhcpv6OptionCode.IA_PREFIX) {
        const prefix = readPrefix(option);
        if (isFault(prefix)) return prefix;
        prefixes.push(prefix);
      }
    }
    associations.push({
      code,
      id: readInt32(data, 0) >>> 0,
      renew: readInt32(data, 4) >>> 0,
      rebind: readInt32(data, 8) >>> 0,
      addresses,
      prefixes,
      status: readDhcpv6Status(inner),
    });
  }
  return associations;
}

function readAddress({ data, options }: Dhcpv6Option): Dhcpv6Address {
  return {
    address: IpAddress.readV6(data, 0),
    preferred: readInt32(data, 16) >>> 0,
    valid: readInt32(data, 20) >>> 0,
    status: readDhcpv6Status(options),
  };
}

function readPrefix({ data, options }: Dhcpv6Option): Dhcpv6Prefix | WireFault {
  const length = data[8]!;
  if (length > 128) return 'bad-option';
  return {
    prefix: new Cidr(IpAddress.readV6(data, 9), length),
    preferred: readInt32(data, 0) >>> 0,
    valid: readInt32(data, 4) >>> 0,
    status: readDhcpv6Status(options),
  };
}

/** The option of an identity association, with what it contains. Its status is written where it is not success. */
export function dhcpv6Association(association: Dhcpv6Association): Dhcpv6Option {
  const data = new Uint8Array(12);
  writeUint32(data, 0, association.id);
  writeUint32(data, 4, association.renew);
  writeUint32(data, 8, association.rebind);
  return dhcpv6Option(association.code, data, [
    ...association.addresses.map(addressOption),
    ...association.prefixes.map(prefixOption),
    ...statusOptions(association.status),
  ]);
}

function addressOption({ address, preferred, valid, status }: Dhcpv6Address): Dhcpv6Option {
  const data = new Uint8Array(24);
  address.copyTo(data, 0);
  writeUint32(data, 16, preferred);
  writeUint32(data, 20, valid);
  return dhcpv6Option(Dhcpv6OptionCode.IA_ADDRESS, data, statusOptions(status));
}

function prefixOption({ prefix, preferred, valid, status }: Dhcpv6Prefix): Dhcpv6Option {
  const data = new Uint8Array(25);
  writeUint32(data, 0, preferred);
  writeUint32(data, 4, valid);
  data[8] = prefix.prefixLength;
  prefix.address.copyTo(data, 9);
  return dhcpv6Option(Dhcpv6OptionCode.IA_PREFIX, data, statusOptions(status));
}

function statusOptions(status: number): Dhcpv6Option[] {
  return status === Dhcpv6Status.SUCCESS ? [] : [dhcpv6Status(status)];
}

/** The status among the options: success where there is none; an unspecified failure where it is malformed. */
export function readDhcpv6Status(options: readonly Dhcpv6Option[]): number {
  const option = findDhcpv6Option(options, Dhcpv6OptionCode.STATUS_CODE);
  if (option === undefined) return Dhcpv6Status.SUCCESS;
  return option.data.length < 2 ? Dhcpv6Status.UNSPECIFIED_FAILURE : readUint16(option.data, 0);
}

/** A status code option. */
export function dhcpv6Status(status: number, message = ''): Dhcpv6Option {
  const text = new TextEncoder().encode(message);
  const writer = new ByteWriter(new Uint8Array(2 + text.length));
  writer.uint16(status);
  writer.put(text);
  return dhcpv6Option(Dhcpv6OptionCode.STATUS_CODE, writer.bytes);
}

/** An option of a number of 1, 2 or 4 bytes; undefined where it is absent or of another length. */
export function readDhcpv6Number(
  options: readonly Dhcpv6Option[],
  code: number,
  width: 1 | 2 | 4,
): number | undefined {
  const data = findDhcpv6Option(options, code)?.data;
  if (data?.length !== width) return undefined;
  if (width === 1) return data[0]!;
  return width === 2 ? readUint16(data, 0) : readInt32(data, 0) >>> 0;
}

/** An option of a number of 1, 2 or 4 bytes. */
export function dhcpv6Number(code: number, width: 1 | 2 | 4, value: number): Dhcpv6Option {
  const data = new Uint8Array(width);
  if (width === 1) data[0] = value;
  else if (width === 2) writeUint16(data, 0, value);
  else writeUint32(data, 0, value);
  return dhcpv6Option(code, data);
}

/** The codes an option request option asks for; undefined where it is absent or malformed (RFC 8415, section 21.7). */
export function readDhcpv6OptionRequest(options: readonly Dhcpv6Option[]): number[] | undefined {
  const data = findDhcpv6Option(options, Dhcpv6OptionCode.OPTION_REQUEST)?.data;
  if (data === undefined || data.length % 2 !== 0) return undefined;
  return Array.from({ length: data.length / 2 }, (_, i) => readUint16(data, 2 * i));
}

/** An option request option. */
export function dhcpv6OptionRequest(codes: readonly number[]): Dhcpv6Option {
  const data = new Uint8Array(2 * codes.length);
  for (const [i, code] of codes.entries()) writeUint16(data, 2 * i, code);
  return dhcpv6Option(Dhcpv6OptionCode.OPTION_REQUEST, data);
}

/** The recursive DNS servers (RFC 3646, section 3); undefined where the option is absent or malformed. */
export function readDhcpv6DnsServers(options: readonly Dhcpv6Option[]): IpAddress[] | undefined {
  const data = findDhcpv6Option(options, Dhcpv6OptionCode.DNS_SERVERS)?.data;
  if (data === undefined || data.length === 0 || data.length % 16 !== 0) return undefined;
  return Array.from({ length: data.length / 16 }, (_, i) => IpAddress.readV6(data, 16 * i));
}

/** The option of recursive DNS servers (RFC 3646, section 3). */
export function dhcpv6DnsServers(servers: readonly IpAddress[]): Dhcpv6Option {
  const data = new Uint8Array(16 * servers.length);
  for (const [i, server] of servers.entries()) server.copyTo(data, 16 * i);
  return dhcpv6Option(Dhcpv6OptionCode.DNS_SERVERS, data);
}

/** The domains to search (RFC 3646, section 4); undefined where the option is absent or malformed. */
export function readDhcpv6DomainList(options: readonly Dhcpv6Option[]): string[] | undefined {
  const data = findDhcpv6Option(options, Dhcpv6OptionCode.DOMAIN_LIST)?.data;
  if (data === undefined) return undefined;
  // Names in DHCPv6 options are never compressed (RFC 8415, section 10).
  const names = parseDomainNames(data, { compression: false, limit: SEARCH_LIST_LIMIT });
  return isFault(names) || names.length === 0 ? undefined : names;
}

/** The option of domains to search. Throws `DOMAIN_NAME_INVALID`. */
export function dhcpv6DomainList(names: readonly string[]): Dhcpv6Option {
  return dhcpv6Option(Dhcpv6OptionCode.DOMAIN_LIST, emitDomainNames(names));
}

/** The name that a client has for itself, whole or its first labels (RFC 4704, section 4); undefined where it is absent or malformed. */
export function readDhcpv6ClientName(options: readonly Dhcpv6Option[]): string | undefined {
  const data = findDhcpv6Option(options, Dhcpv6OptionCode.CLIENT_FQDN)?.data;
  if (data === undefined || data.length < 2) return undefined;
  // A name that is not whole has no zero at its end (RFC 4704, section 4.2).
  const isWhole = data.at(-1) === 0;
  const name = isWhole ? data.subarray(1) : concatBytes([data.subarray(1), Uint8Array.of(0)]);
  const names = parseDomainNames(name, { compression: false, limit: 1 });
  return isFault(names) ? undefined : names[0];
}

/** The option by which a client tells its name; the server is asked to enter nothing for it anywhere else (RFC 4704, section 4.1). */
export function dhcpv6ClientName(name: string): Dhcpv6Option {
  const encoded = emitDomainNames([name]);
  const isWhole = name.includes('.');
  const labels = isWhole ? encoded : encoded.subarray(0, -1);
  return dhcpv6Option(Dhcpv6OptionCode.CLIENT_FQDN, concatBytes([Uint8Array.of(0), labels]));
}
