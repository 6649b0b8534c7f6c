import {
  Cidr,
  FairShares,
  NetloomError,
  TimerQueue,
  toHex,
  type IpAddress,
  type MacAddress,
} from '../../core/index.ts';
import { isFault, parseDuid } from '../../wire/index.ts';
import { DhcpBinding, NO_STATION } from './binding.ts';
import type { Dhcpv6ServerLimits } from './limits.ts';
import type { Dhcpv6Pool } from './pool-v6.ts';

/** What a client may be given. */
export type Dhcpv6LeaseKind = 'address' | 'prefix';

/** A client that an address is reserved for: by its DUID, or by the MAC address that its DUID was made of. */
export interface Dhcpv6ReservedClient {
  readonly duid?: Uint8Array;
  readonly mac?: MacAddress;
  readonly hostname?: string;
  /** By default the one it has, or any that is free. */
  readonly address?: IpAddress;
}

/** An address kept for one client. It is given to the first association that the client asks for. */
export interface Dhcpv6Reservation extends Dhcpv6ReservedClient {
  readonly address: IpAddress;
}

/** A lease as plain data, to be stored and taken in again. */
export interface Dhcpv6LeaseRecord {
  readonly kind: Dhcpv6LeaseKind;
  /** An address as /128, or a prefix. */
  readonly lease: string;
  /** Who holds it: `duid:` and its DUID in hexadecimal, or `hw:1:` and its MAC address. */
  readonly client: string;
  /** `IAID`. */
  readonly associationId: number;
  readonly hostname: string | undefined;
  /** Milliseconds until it ends; null: never. */
  readonly remaining: number | null;
  /** It was entered by `reserve`, and its client has not asked for it. */
  readonly isReserved?: true;
}

/** The addresses and prefixes that are given out. */
export interface Dhcpv6ServerPools {
  readonly subnet: Cidr;
  readonly addresses: Dhcpv6Pool;
  readonly prefixes: Dhcpv6Pool;
  /** Addresses of the subnet that are nobody's to be given: the server's own. */
  readonly own: readonly IpAddress[];
  readonly reservations: readonly Dhcpv6Reservation[];
}

/** An identity association: whose it is, of what, and which of the client's (RFC 8415, section 12). */
export interface Dhcpv6AssociationKey {
  readonly client: string;
  readonly kind: Dhcpv6LeaseKind;
  readonly id: number;
}

/** An address or prefix that is offered, leased or in quarantine. */
export class Dhcpv6Binding extends DhcpBinding {
  readonly kind: Dhcpv6LeaseKind;
  /** An address as /128, or a prefix. */
  readonly lease: Cidr;
  associationId: number;

  constructor({ client, kind, id }: Dhcpv6AssociationKey, lease: Cidr, station: number) {
    super('dhcpv6-binding', client, station);
    this.kind = kind;
    this.lease = lease;
    this.associationId = id;
  }
}

type SharesByKind = Readonly<Record<Dhcpv6LeaseKind, FairShares<number, Dhcpv6Binding>>>;

/** The table of a server: found by lease and by association, bounded, and ordered by the time each binding ends. */
export class Dhcpv6Bindings {
  readonly #pools: Dhcpv6ServerPools;
  readonly #limits: Dhcpv6ServerLimits;
  readonly #byLease = new Map<string, Dhcpv6Binding>();
  readonly #byAssociation = new Map<string, Dhcpv6Binding>();
  /** How many bindings a client has. */
  readonly #counts = new Map<string, number>();
  /** Bindings that are for anybody, and those of them that are no more than offered, by the station that asked. */
  readonly #shares: SharesByKind = { address: new FairShares(), prefix: new FairShares() };
  readonly #offers: SharesByKind = { address: new FairShares(), prefix: new FairShares() };
  readonly #ends = new TimerQueue<Dhcpv6Binding>();
  readonly #reservedFor = new Map<string, Cidr>();
  /** Addresses that are not for everybody, with the keys of the client that each is for: reserved ones and the server's, which are for none. */
  readonly #kept = new Map<string, readonly string[]>();
  /** The last lease of associations that have ended, oldest first. */
  readonly #remembered = new Map<string, Cidr>();

  constructor(pools: Dhcpv6ServerPools, limits: Dhcpv6ServerLimits) {
    this.#pools = pools;
    this.#limits = limits;
    for (const address of pools.own) this.#keep(new Cidr(address, 128), []);
    for (const reservation of pools.reservations) this.#reserve(reservation);
  }

  /** How many addresses and prefixes are offered, leased or in quarantine. */
  get size(): number {
    return this.#byLease.size;
  }

  deadline(): number {
    return this.#ends.deadline();
  }

  ofLease(lease: Cidr): Dhcpv6Binding | undefined {
    return this.#byLease.get(lease.toString());
  }

  /** The association's binding. One entered by {@link reserve} is that of the client's first association for addresses. */
  ofAssociation(keys: readonly string[], key: Dhcpv6AssociationKey): Dhcpv6Binding | undefined {
    const own = this.#byAssociation.get(textOf(key));
    if (own !== undefined || key.kind === 'prefix') return own;
    const reserved = this.reservationOf(keys);
    const binding = reserved && this.ofLease(reserved);
    if (binding?.isReserved !== true) return undefined;
    this.#forget(binding);
    binding.client = key.client;
    binding.associationId = key.id;
    this.#remember(binding);
    return binding;
  }

  /** The address reserved for a client of one of these keys. */
  reservationOf(keys: readonly string[]): Cidr | undefined {
    for (const key of keys) {
      const lease = this.#reservedFor.get(key);
      if (lease !== undefined) return lease;
    }
    return undefined;
  }

  /**
   * A lease for the association: the one reserved, the one it had last, one it asks for, any. Undefined: there is none, a limit is reached, or its station has its share:
   * as many as are free, so that of stations that ask in many names none has the pool.
   */
  choose(
    keys: readonly string[],
    key: Dhcpv6AssociationKey,
    wanted: readonly Cidr[],
    station: number,
  ): Cidr | undefined {
    if (this.size >= this.#limits.bindings || !this.mayHaveMore(key.client)) return undefined;
    const pool = key.kind === 'address' ? this.#pools.addresses : this.#pools.prefixes;
    const reserved = key.kind === 'address' ? this.reservationOf(keys) : undefined;
    if (reserved !== undefined && this.ofLease(reserved) === undefined) return reserved;
    const room = Math.min(pool.free, this.#limits.bindings - this.size);
    if (station !== NO_STATION && this.#shares[key.kind].of(station) >= room) return undefined;
    const last = this.#remembered.get(textOf(key));
    const welcome = last === undefined ? wanted : [last, ...wanted];
    return welcome.find((lease) => pool.isFree(lease)) ?? pool.find();
  }

  /** Whether the client has not as much as one client may have. */
  mayHaveMore(client: string): boolean {
    return (this.#counts.get(client) ?? 0) < this.#limits.clientBindings;
  }

  /** The offer that gives way where a station can have nothing else: its own oldest, or where nothing is free that of the station with most offers. */
  offerToTakeBack(kind: Dhcpv6LeaseKind, station: number): Dhcpv6Binding | undefined {
    const pool = kind === 'address' ? this.#pools.addresses : this.#pools.prefixes;
    const offers = this.#offers[kind];
    const own = station === NO_STATION ? undefined : offers.oldestOf(station);
    return own ?? (pool.free === 0 ? offers.oldestOfLargest() : undefined);
  }

  /** Enters a binding of the association, which has none, to the lease, which is free. */
  add(key: Dhcpv6AssociationKey, lease: Cidr, station: number): Dhcpv6Binding {
    const binding = new Dhcpv6Binding(key, lease, station);
    this.#byLease.set(lease.toString(), binding);
    if (!this.#kept.has(lease.toString())) {
      this.#shares[binding.kind].add(station, binding);
      this.#offers[binding.kind].add(station, binding);
    }
    this.#pools.addresses.use(lease);
    this.#pools.prefixes.use(lease);
    this.#remember(binding);
    return binding;
  }

  /** Has the binding end at `deadline`. */
  endAt(binding: Dhcpv6Binding, deadline: number): void {
    if (binding.state !== 'offered') this.#offers[binding.kind].remove(binding.station, binding);
    this.#ends.clear(binding);
    if (deadline !== Infinity) this.#ends.set(binding, deadline);
  }

  /** Whether a lease of an earlier run can be one of this server's: of the subnet or the block, and nobody's yet. */
  isOfServer(kind: Dhcpv6LeaseKind, lease: Cidr): boolean {
    if (this.size >= this.#limits.bindings || this.ofLease(lease) !== undefined) return false;
    if (kind === 'prefix') return this.#pools.prefixes.isFree(lease);
    const { subnet, own } = this.#pools;
    const { address, prefixLength } = lease;
    const isOwn = own.some((other) => other.equals(address));
    return prefixLength === 128 && subnet.contains(address) && !isOwn;
  }

  /** Takes out a binding whose time is over; its step is the caller's to take. */
  takeEnded(now: number): Dhcpv6Binding | undefined {
    const binding = this.#ends.takeDue(now);
    if (binding !== undefined) this.remove(binding);
    return binding;
  }

  /** Takes the binding out; the association's lease is remembered. */
  remove(binding: Dhcpv6Binding): void {
    this.#ends.clear(binding);
    this.#offers[binding.kind].remove(binding.station, binding);
    this.#shares[binding.kind].remove(binding.station, binding);
    this.#byLease.delete(binding.lease.toString());
    this.#pools.addresses.unuse(binding.lease);
    this.#pools.prefixes.unuse(binding.lease);
    if (binding.client === '') return;
    const text = this.#forget(binding);
    this.#remembered.delete(text);
    this.#remembered.set(text, binding.lease);
    if (this.#remembered.size > this.#limits.remembered) {
      this.#remembered.delete(this.#remembered.keys().next().value!);
    }
  }

  /** Keeps the lease from everybody, the client that had it included. */
  quarantine(binding: Dhcpv6Binding): void {
    this.#remembered.delete(this.#forget(binding));
    binding.client = '';
    binding.isReserved = false;
    binding.hostname = undefined;
  }

  /** Whether the address is reserved for another client than the one that has it. */
  isDisplaced(binding: Dhcpv6Binding): boolean {
    const keys = this.#kept.get(binding.lease.toString());
    return keys !== undefined && !isOf(binding, keys);
  }

  /**
   * Keeps an address for the client from now on, and answers which; undefined: none is free. Another client that has it is displaced. Throws
   * `DHCP_POOL_INVALID`.
   */
  reserve(client: Dhcpv6ReservedClient): IpAddress | undefined {
    const keys = dhcpv6ReservedKeys(client);
    const known = this.reservationOf(keys)?.address;
    if (known !== undefined && client.address?.equals(known) !== false) return known;
    this.unreserve(client);
    const own = this.#firstOf(keys);
    const key: Dhcpv6AssociationKey = { client: keys[0]!, kind: 'address', id: 0 };
    const address =
      client.address ?? own?.lease.address ?? this.choose(keys, key, [], NO_STATION)?.address;
    if (address === undefined) return undefined;
    this.#reserve({ ...client, address });
    return address;
  }

  /** Keeps the client's address no longer. */
  unreserve(client: Dhcpv6ReservedClient): void {
    for (const key of dhcpv6ReservedKeys(client)) {
      const lease = this.#reservedFor.get(key);
      this.#reservedFor.delete(key);
      if (lease === undefined || !this.#kept.delete(lease.toString())) continue;
      this.#pools.addresses.unkeep(lease);
      const holder = this.ofLease(lease);
      if (holder !== undefined) holder.heir = undefined;
    }
  }

  /** A lease as plain data. */
  recordOf(binding: Dhcpv6Binding, now: number): Dhcpv6LeaseRecord {
    return {
      kind: binding.kind,
      lease: binding.lease.toString(),
      client: binding.client,
      associationId: binding.associationId,
      hostname: binding.hostname,
      remaining: binding.remaining(now),
      ...(binding.isReserved && { isReserved: true }),
    };
  }

  /** The leases, in the order they were made. */
  records(now: number): Dhcpv6LeaseRecord[] {
    const records: Dhcpv6LeaseRecord[] = [];
    for (const binding of this.#byLease.values()) {
      if (binding.state !== 'bound') continue;
      records.push(this.recordOf(binding, now));
    }
    return records;
  }

  #reserve(reservation: Dhcpv6Reservation): void {
    const lease = new Cidr(reservation.address, 128);
    const { subnet } = this.#pools;
    if (!subnet.contains(reservation.address) || this.#kept.has(lease.toString())) {
      throw this.#taken(reservation.address);
    }
    const keys = dhcpv6ReservedKeys(reservation);
    this.#keep(lease, keys);
    for (const key of keys) this.#reservedFor.set(key, lease);
  }

  #keep(lease: Cidr, keys: readonly string[]): void {
    this.#kept.set(lease.toString(), keys);
    this.#pools.addresses.keep(lease);
  }

  #taken(address: IpAddress): NetloomError {
    return new NetloomError(
      'DHCP_POOL_INVALID',
      `the reserved address ${address} is taken, or not of ${this.#pools.subnet}`,
      { remedy: 'Reserve each address once, of the subnet, and not that of the server.' },
    );
  }

  /** The first address binding of a client of these keys. Of use where somebody reserves, which is rare: so all are looked through. */
  #firstOf(keys: readonly string[]): Dhcpv6Binding | undefined {
    for (const binding of this.#byLease.values()) {
      if (binding.kind === 'address' && isOf(binding, keys)) return binding;
    }
    return undefined;
  }

  /** Enters the binding under its client's association. */
  #remember(binding: Dhcpv6Binding): void {
    this.#byAssociation.set(textOf(keyOf(binding)), binding);
    this.#counts.set(binding.client, (this.#counts.get(binding.client) ?? 0) + 1);
  }

  /** Takes it from there; answers the association's key as text. */
  #forget(binding: Dhcpv6Binding): string {
    const text = textOf(keyOf(binding));
    this.#byAssociation.delete(text);
    const count = this.#counts.get(binding.client)! - 1;
    if (count === 0) this.#counts.delete(binding.client);
    else this.#counts.set(binding.client, count);
    return text;
  }
}

function keyOf({ client, kind, associationId }: Dhcpv6Binding): Dhcpv6AssociationKey {
  return { client, kind, id: associationId };
}

function textOf({ client, kind, id }: Dhcpv6AssociationKey): string {
  return `${kind}:${id}:${client}`;
}

/** Whether the binding is that of a client of these keys: by its DUID, or by the MAC address in it. */
function isOf({ client }: Dhcpv6Binding, keys: readonly string[]): boolean {
  const mac = DUID_OF_MAC.exec(client)?.[1];
  return keys.includes(client) || (mac !== undefined && keys.includes(`hw:1:${mac}`));
}

/** The key of a DUID that was made of an Ethernet address, with the time or without (RFC 8415, sections 11.2 and 11.4). */
const DUID_OF_MAC = /^duid:(?:00010001[0-9a-f]{8}|00030001)([0-9a-f]{12})$/;
const HARDWARE_ETHERNET = 1;
const MAC_LENGTH = 6;

/** The keys a client is known by: its DUID, which its bindings have, and the MAC address in it, which a reservation may have. */
export function dhcpv6ClientKeys(duid: Uint8Array): string[] {
  const keys = [`duid:${toHex(duid)}`];
  const parsed = parseDuid(duid);
  const hasAddress =
    !isFault(parsed) && (parsed.kind === 'link-layer' || parsed.kind === 'link-layer-time');
  if (
    hasAddress &&
    parsed.hardwareType === HARDWARE_ETHERNET &&
    parsed.address.length === MAC_LENGTH
  ) {
    keys.push(`hw:1:${toHex(parsed.address)}`);
  }
  return keys;
}

/** The keys of a client that an address is reserved for, as {@link dhcpv6ClientKeys} has those of one that asks. */
export function dhcpv6ReservedKeys({ duid, mac }: Dhcpv6ReservedClient): string[] {
  return [
    ...(duid === undefined ? [] : [`duid:${toHex(duid)}`]),
    ...(mac === undefined ? [] : [`hw:1:${mac.toNumber().toString(16).padStart(12, '0')}`]),
  ];
}
