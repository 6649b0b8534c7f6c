import type { Cidr, IpAddress } from '../../core/index.ts';
import {
  DHCPV6_INFINITE,
  Dhcpv6OptionCode,
  Dhcpv6Status,
  readDhcpv6Associations,
  readDhcpv6DnsServers,
  readDhcpv6DomainList,
  readDhcpv6Number,
  type Dhcpv6Association,
  type Dhcpv6Message,
} from '../../wire/index.ts';
import type { Dhcpv6Subject } from './exchange-v6.ts';
import type { Dhcpv6ClientLimits } from './limits.ts';

/** An address a DHCPv6 server has granted. Times are milliseconds of the engine's clock; Infinity: never. */
export interface Dhcpv6LeasedAddress {
  readonly address: IpAddress;
  /** From then on the address is for connections that have it already (RFC 4862, section 5.5.4). */
  readonly preferredUntil: number;
  readonly validUntil: number;
}

/** A prefix a DHCPv6 server has delegated. Times as for addresses. */
export interface Dhcpv6LeasedPrefix {
  readonly prefix: Cidr;
  readonly preferredUntil: number;
  readonly validUntil: number;
}

/** Parameters of the network. */
export interface Dhcpv6Parameters {
  /** The server's DUID. */
  readonly server: Uint8Array;
  readonly dnsServers: readonly IpAddress[];
  readonly searchDomains: readonly string[];
}

/** What a DHCPv6 server has granted. */
export interface Dhcpv6Lease extends Dhcpv6Parameters {
  readonly addresses: readonly Dhcpv6LeasedAddress[];
  readonly prefixes: readonly Dhcpv6LeasedPrefix[];
  /** T1: when the client asks its server for more time. */
  readonly renewAt: number;
  /** T2: when it asks any server. */
  readonly rebindAt: number;
}

/** When to ask for more time, as servers say and clients take it if theirs does not: shares of the shortest preferred lifetime (RFC 8415, section 21.4). */
export const RENEWAL_SHARE = 0.5;
export const REBINDING_SHARE = 0.8;

/** What a Reply or Advertise says of our identity associations. */
export interface Dhcpv6Grant {
  /** What was known before, with what the message adds, changes and takes away. */
  readonly lease: Dhcpv6Lease;
  /** How many addresses and prefixes the message grants. */
  readonly granted: number;
  /** How many it takes away. */
  readonly revoked: number;
  /** The server does not know one of the associations. */
  readonly noBinding: boolean;
}

/** Parameters of a message of the server `server`. */
export function readDhcpv6Parameters(message: Dhcpv6Message, server: Uint8Array): Dhcpv6Parameters {
  return {
    server,
    dnsServers: (readDhcpv6DnsServers(message.options) ?? []).filter(isUsable),
    searchDomains: readDhcpv6DomainList(message.options) ?? [],
  };
}

/**
 * The grants of a message for our identity associations. What was held before and is not in the message stays as it was
 * (RFC 8415, section 18.2.10.1). Times count from `now`, when the message came.
 */
export function readDhcpv6Grant(
  message: Dhcpv6Message,
  server: Uint8Array,
  associationId: number,
  before: Dhcpv6Lease | undefined,
  limits: Dhcpv6ClientLimits,
  now: number,
): Dhcpv6Grant | 'bad-option' {
  const all = readDhcpv6Associations(message.options);
  if (typeof all === 'string') return 'bad-option';
  const own = all.filter(({ id }) => id === associationId);
  // "If T1 is greater than T2 and both are greater than 0, the client discards the IA" (RFC 8415, sections 21.4 and 21.21).
  const usable = own.filter(
    ({ status, renew, rebind }) =>
      status === Dhcpv6Status.SUCCESS && !(rebind > 0 && renew > rebind),
  );
  const addresses = new Map(before?.addresses.map((item) => [item.address.toString(), item]));
  const prefixes = new Map(before?.prefixes.map((item) => [item.prefix.toString(), item]));
  const count = { granted: 0, revoked: 0 };
  for (const association of usable) {
    for (const item of association.addresses) {
      if (!isStation(item.address)) continue;
      const { address } = item;
      const granted = (times: Lifetimes): Dhcpv6LeasedAddress => ({ address, ...times });
      apply(addresses, address.toString(), item, granted, limits.addresses, now, count);
    }
    for (const item of association.prefixes) {
      const { prefix } = item;
      const granted = (times: Lifetimes): Dhcpv6LeasedPrefix => ({ prefix, ...times });
      apply(prefixes, prefix.toString(), item, granted, limits.prefixes, now, count);
    }
  }
  const lease = {
    ...readDhcpv6Parameters(message, server),
    addresses: [...addresses.values()],
    prefixes: [...prefixes.values()],
  };
  return {
    lease: { ...lease, ...renewalTimes(lease, usable, limits, now) },
    ...count,
    noBinding: own.some(({ status }) => status === Dhcpv6Status.NO_BINDING),
  };
}

interface Lifetimes {
  readonly preferredUntil: number;
  readonly validUntil: number;
}

/** Enters, changes or takes away one address or prefix. */
function apply<Leased>(
  table: Map<string, Leased>,
  key: string,
  { preferred, valid, status }: { preferred: number; valid: number; status: number },
  granted: (times: Lifetimes) => Leased,
  limit: number,
  now: number,
  count: { granted: number; revoked: number },
): void {
  // "The client MUST discard any addresses for which the preferred lifetime is greater than the valid lifetime" (RFC 8415, section 21.6).
  if (preferred > valid || status !== Dhcpv6Status.SUCCESS) return;
  if (valid === 0) {
    if (table.delete(key)) count.revoked++;
  } else if (table.has(key) || table.size < limit) {
    table.set(
      key,
      granted({ preferredUntil: endOf(preferred, now), validUntil: endOf(valid, now) }),
    );
    count.granted++;
  }
}

function endOf(seconds: number, now: number): number {
  return seconds === DHCPV6_INFINITE ? Infinity : now + seconds * 1000;
}

/** T1 and T2: the earliest of all associations, so that they are renewed together (RFC 8415, section 18.2.4). */
function renewalTimes(
  { addresses, prefixes }: Pick<Dhcpv6Lease, 'addresses' | 'prefixes'>,
  associations: readonly Dhcpv6Association[],
  limits: Dhcpv6ClientLimits,
  now: number,
): Pick<Dhcpv6Lease, 'renewAt' | 'rebindAt'> {
  const preferred = [...addresses, ...prefixes]
    .map(({ preferredUntil, validUntil }) => (preferredUntil > now ? preferredUntil : validUntil))
    .reduce((earliest, until) => Math.min(earliest, until), Infinity);
  const time = (seconds: number, share: number): number =>
    seconds === 0 ? now + (preferred - now) * share : endOf(seconds, now);
  let renewAt = now + (preferred - now) * RENEWAL_SHARE;
  let rebindAt = now + (preferred - now) * REBINDING_SHARE;
  if (associations.length > 0) {
    renewAt = Math.min(...associations.map(({ renew }) => time(renew, RENEWAL_SHARE)));
    rebindAt = Math.min(...associations.map(({ rebind }) => time(rebind, REBINDING_SHARE)));
  }
  renewAt = Math.max(renewAt, now + limits.renewalInterval);
  return { renewAt, rebindAt: Math.max(rebindAt, renewAt) };
}

/** When parameters alone are to be asked for again: after a day unless the server says otherwise, after ten minutes at least (RFC 8415, section 21.23). */
export function refreshTime(message: Dhcpv6Message, now: number): number {
  const { INFORMATION_REFRESH_TIME } = Dhcpv6OptionCode;
  const seconds =
    readDhcpv6Number(message.options, INFORMATION_REFRESH_TIME, 4) ?? DEFAULT_REFRESH_TIME;
  return endOf(Math.max(seconds, SHORTEST_REFRESH_TIME), now);
}

/** `IRT_DEFAULT` and `IRT_MINIMUM`, in seconds (RFC 8415, section 7.6). */
const DEFAULT_REFRESH_TIME = 86_400;
const SHORTEST_REFRESH_TIME = 600;

/** When the first of the addresses and prefixes ends. */
export function firstEnd({ addresses, prefixes }: Dhcpv6Lease): number {
  let first = Infinity;
  for (const { validUntil } of addresses) first = Math.min(first, validUntil);
  for (const { validUntil } of prefixes) first = Math.min(first, validUntil);
  return first;
}

/** The lease without what has ended, and without these addresses. Undefined: nothing is left. */
export function remainingLease(
  lease: Dhcpv6Lease,
  now: number,
  without: readonly IpAddress[] = [],
): Dhcpv6Lease | undefined {
  const addresses = lease.addresses.filter(
    ({ address, validUntil }) =>
      validUntil > now && !without.some((other) => other.equals(address)),
  );
  const prefixes = lease.prefixes.filter(({ validUntil }) => validUntil > now);
  return addresses.length + prefixes.length === 0 ? undefined : { ...lease, addresses, prefixes };
}

/** Whether a server may give this address to a station: unicast, and not of the link or this machine alone. */
function isStation(address: IpAddress): boolean {
  return !(
    address.isUnspecified ||
    address.isLoopback ||
    address.isMulticast ||
    address.isLinkLocal
  );
}

function isUsable(address: IpAddress): boolean {
  return !address.isUnspecified && !address.isMulticast;
}

/** What a lease has, without times: what an exchange about it names. */
export function subjectOf({ addresses, prefixes }: Dhcpv6Lease): Dhcpv6Subject {
  return {
    addresses: addresses.map(({ address }) => address),
    prefixes: prefixes.map(({ prefix }) => prefix),
  };
}
