import {
  FairShares,
  IpAddress,
  NetloomError,
  TimerQueue,
  toHex,
  type Cidr,
  type MacAddress,
} from '../../core/index.ts';
import { Dhcpv4OptionCode, type Dhcpv4Message } from '../../wire/index.ts';
import { DhcpBinding, NO_STATION } from './binding.ts';
import type { Dhcpv4ServerLimits } from './limits.ts';

/** An address kept for one client, known by its MAC address or its client identifier. */
export interface Dhcpv4Reservation {
  readonly address: IpAddress;
  readonly mac?: MacAddress;
  readonly clientIdentifier?: Uint8Array;
}

/** A client that an address is to be kept for while the server runs. */
export interface Dhcpv4ReservedClient {
  readonly mac?: MacAddress;
  readonly clientIdentifier?: Uint8Array;
  readonly hostname?: string;
  /** By default the one it has, or any that is free. */
  readonly address?: IpAddress;
}

/** A lease as plain data, to be stored and taken in again. */
export interface Dhcpv4LeaseRecord {
  readonly address: string;
  /** Who holds it: see {@link clientKey}. */
  readonly client: string;
  /** The key of its hardware address, where it is known by an identifier. */
  readonly hardware?: string;
  readonly hostname: string | undefined;
  /** Milliseconds until it ends; null: never. */
  readonly remaining: number | null;
  /** It was entered by `reserve`, and its client has not asked for it. */
  readonly isReserved?: true;
}

/** The addresses that are given out, and to whom. */
export interface Dhcpv4Pool {
  /** The server's own address and the subnet. */
  readonly interface: Cidr;
  /** The addresses given to any client, first and last included. */
  readonly first: IpAddress;
  readonly last: IpAddress;
  readonly reservations: readonly Dhcpv4Reservation[];
}

/** An address that is offered, leased or in quarantine. */
export class Dhcpv4Binding extends DhcpBinding {
  readonly address: IpAddress;
  /** The key of the client's hardware address, where it is known by an identifier (RFC 2131, section 4.2): a reservation may speak of that. */
  hardware: string | undefined;

  constructor(address: IpAddress, client: string, station: number) {
    super('dhcpv4-binding', client, station);
    this.address = address;
  }
}

/** The table of a server: found by address and by client, bounded, and ordered by the time each binding ends. */
export class Dhcpv4Bindings {
  readonly #pool: Dhcpv4Pool;
  readonly #limits: Dhcpv4ServerLimits;
  readonly #byAddress = new Map<number, Dhcpv4Binding>();
  readonly #byClient = new Map<string, Dhcpv4Binding>();
  readonly #ends = new TimerQueue<Dhcpv4Binding>();
  readonly #reservedFor = new Map<string, IpAddress>();
  /** Addresses that are not for everybody, with the keys of the client that each is for: reserved ones and the server's, which is for none. */
  readonly #kept = new Map<number, readonly string[]>();
  /** The last address of clients whose lease has ended, oldest first. */
  readonly #remembered = new Map<string, IpAddress>();
  /** Bindings of addresses that are for anybody, and those of them that are no more than offered, by the station that asked. */
  readonly #shares = new FairShares<number, Dhcpv4Binding>();
  readonly #offers = new FairShares<number, Dhcpv4Binding>();
  readonly #size: number;
  /** Addresses of the pool that any client could be given. */
  #free: number;
  /** Where in the pool the search for a free address goes on: so that the one that was free longest comes first. */
  #next = 0;

  constructor(pool: Dhcpv4Pool, limits: Dhcpv4ServerLimits) {
    this.#pool = pool;
    this.#limits = limits;
    this.#size = pool.last.word3 - pool.first.word3 + 1;
    if (!this.inSubnet(pool.first) || !this.inSubnet(pool.last) || this.#size < 1) {
      throw new NetloomError(
        'DHCP_POOL_INVALID',
        `the pool ${pool.first} to ${pool.last} is not a range of ${pool.interface}`,
        { remedy: 'Give a first and a last address of the subnet, in this order.' },
      );
    }
    this.#kept.set(pool.interface.address.word3, []);
    for (const reservation of pool.reservations) this.#reserve(reservation);
    this.#free = this.#size;
    for (const word of this.#kept.keys()) if (this.#inPool(word)) this.#free--;
  }

  /** How many addresses are offered, leased or in quarantine. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** When the next binding ends. */
  deadline(): number {
    return this.#ends.deadline();
  }

  /**
   * The client's binding. One entered by {@link reserve} is its own by whichever of its keys; so is one of the address that is reserved for its hardware address, whatever
   * the station called itself before: firmware that boots from the network and the system that it boots have identifiers of their own.
   */
  ofClient(keys: readonly string[]): Dhcpv4Binding | undefined {
    const client = keys[0]!;
    const own = this.#byClient.get(client);
    if (own !== undefined) return own;
    const reserved = this.reservationOf(keys);
    const binding = reserved && this.#byAddress.get(reserved.word3);
    if (binding === undefined) return undefined;
    if (!binding.isReserved && !isOf(binding, keys)) return undefined;
    this.#byClient.delete(binding.client);
    binding.client = client;
    binding.hardware = keys[1];
    this.#byClient.set(client, binding);
    return binding;
  }

  ofAddress(address: IpAddress): Dhcpv4Binding | undefined {
    return this.#byAddress.get(address.word3);
  }

  /** Whether the address can be that of a station of this subnet. */
  inSubnet(address: IpAddress): boolean {
    const { interface: subnet } = this.#pool;
    return (
      subnet.contains(address) &&
      (subnet.prefixLength >= 31 ||
        (!address.equals(subnet.network) && !address.equals(subnet.broadcast)))
    );
  }

  /**
   * An address for the client, in the order of RFC 2131, section 4.3.1, with reservations first: the one reserved, the one it
   * had last, the one it asks for, any. Undefined: there is none, the table is full, or its station has its share: as many as are free, so that of stations that
   * ask in many names none has the pool.
   */
  choose(
    keys: readonly string[],
    wanted: IpAddress | undefined,
    station: number,
  ): IpAddress | undefined {
    if (this.#byAddress.size >= this.#limits.bindings) return undefined;
    const reserved = this.reservationOf(keys);
    if (reserved !== undefined && !this.#byAddress.has(reserved.word3)) return reserved;
    if (station !== NO_STATION && this.#shares.of(station) >= this.#free) return undefined;
    for (const address of [this.#remembered.get(keys[0]!), wanted]) {
      if (address !== undefined && this.#isFree(address)) return address;
    }
    return this.#search();
  }

  /** The address reserved for a client of one of these keys. */
  reservationOf(keys: readonly string[]): IpAddress | undefined {
    for (const key of keys) {
      const address = this.#reservedFor.get(key);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** Whether the address is reserved for another client than the one that has it. */
  isDisplaced(binding: Dhcpv4Binding): boolean {
    const keys = this.#kept.get(binding.address.word3);
    return keys !== undefined && !isOf(binding, keys);
  }

  /**
   * Keeps an address for the client from now on, and answers which; undefined: none is free. Another client that has it is displaced. Throws
   * `DHCP_POOL_INVALID`.
   */
  reserve(client: Dhcpv4ReservedClient): IpAddress | undefined {
    const keys = keysOfReserved(client);
    const known = this.reservationOf(keys);
    if (known !== undefined && client.address?.equals(known) !== false) return known;
    this.unreserve(client);
    const own = client.address === undefined ? this.#heldBy(keys) : undefined;
    const address = client.address ?? own?.address ?? this.choose(keys, undefined, NO_STATION);
    if (address === undefined) return undefined;
    this.#reserve({ ...client, address });
    if (!this.#byAddress.has(address.word3) && this.#inPool(address.word3)) this.#free--;
    return address;
  }

  /** Keeps the client's address no longer. */
  unreserve(client: Dhcpv4ReservedClient): void {
    for (const key of keysOfReserved(client)) {
      const address = this.#reservedFor.get(key);
      this.#reservedFor.delete(key);
      if (address === undefined || !this.#kept.delete(address.word3)) continue;
      const holder = this.#byAddress.get(address.word3);
      if (holder !== undefined) holder.heir = undefined;
      else if (this.#inPool(address.word3)) this.#free++;
    }
  }

  /** Enters a binding of the client of these keys, which has none, to the address, which is free. */
  add(address: IpAddress, [client, hardware]: readonly string[], station: number): Dhcpv4Binding {
    const binding = new Dhcpv4Binding(address, client!, station);
    binding.hardware = hardware;
    this.#byAddress.set(address.word3, binding);
    if (this.#isForAll(address.word3)) {
      this.#free--;
      this.#shares.add(station, binding);
      this.#offers.add(station, binding);
    }
    this.#byClient.set(binding.client, binding);
    return binding;
  }

  /** The offer that gives way where a station can have no other address: its own oldest, or where nothing is free that of the station with most offers. */
  offerToTakeBack(station: number): Dhcpv4Binding | undefined {
    const own = station === NO_STATION ? undefined : this.#offers.oldestOf(station);
    return own ?? (this.#free === 0 ? this.#offers.oldestOfLargest() : undefined);
  }

  /** Has the binding end at `deadline`. */
  endAt(binding: Dhcpv4Binding, deadline: number): void {
    if (binding.state !== 'offered') this.#offers.remove(binding.station, binding);
    this.#ends.clear(binding);
    if (deadline !== Infinity) this.#ends.set(binding, deadline);
  }

  /** Takes out a binding whose time is over; its step is the caller's to take. */
  takeEnded(now: number): Dhcpv4Binding | undefined {
    const binding = this.#ends.takeDue(now);
    if (binding !== undefined) this.remove(binding);
    return binding;
  }

  /** Takes the binding out; the client's address is remembered. */
  remove(binding: Dhcpv4Binding): void {
    this.#ends.clear(binding);
    this.#offers.remove(binding.station, binding);
    this.#shares.remove(binding.station, binding);
    this.#byAddress.delete(binding.address.word3);
    if (this.#isForAll(binding.address.word3)) this.#free++;
    if (binding.client === '') return;
    this.#byClient.delete(binding.client);
    this.#remembered.delete(binding.client);
    this.#remembered.set(binding.client, binding.address);
    if (this.#remembered.size > this.#limits.remembered) {
      this.#remembered.delete(this.#remembered.keys().next().value!);
    }
  }

  /** Keeps the address from everybody, the client that had it included. */
  quarantine(binding: Dhcpv4Binding): void {
    this.#byClient.delete(binding.client);
    this.#remembered.delete(binding.client);
    binding.client = '';
    binding.isReserved = false;
    binding.hardware = undefined;
    binding.hostname = undefined;
  }

  /** A lease as plain data. */
  recordOf(binding: Dhcpv4Binding, now: number): Dhcpv4LeaseRecord {
    return {
      address: binding.address.toString(),
      client: binding.client,
      ...(binding.hardware !== undefined && { hardware: binding.hardware }),
      hostname: binding.hostname,
      remaining: binding.remaining(now),
      ...(binding.isReserved && { isReserved: true }),
    };
  }

  /** The leases, in the order they were made. */
  records(now: number): Dhcpv4LeaseRecord[] {
    const records: Dhcpv4LeaseRecord[] = [];
    for (const binding of this.#byAddress.values()) {
      if (binding.state !== 'bound') continue;
      records.push(this.recordOf(binding, now));
    }
    return records;
  }

  #reserve(reservation: Dhcpv4Reservation): void {
    const { address } = reservation;
    if (!this.inSubnet(address) || this.#kept.has(address.word3)) {
      throw takenError(address, this.#pool);
    }
    const keys = keysOfReserved(reservation);
    this.#kept.set(address.word3, keys);
    for (const key of keys) this.#reservedFor.set(key, address);
  }

  /** The binding of a client of these keys. Of use where somebody reserves, which is rare: so all are looked through. */
  #heldBy(keys: readonly string[]): Dhcpv4Binding | undefined {
    for (const binding of this.#byAddress.values()) if (isOf(binding, keys)) return binding;
    return undefined;
  }

  #inPool(word: number): boolean {
    const offset = word - this.#pool.first.word3;
    return offset >= 0 && offset < this.#size;
  }

  #isForAll(word: number): boolean {
    return this.#inPool(word) && !this.#kept.has(word);
  }

  /** Whether any client may be given the address now. */
  #isFree({ word3 }: IpAddress): boolean {
    return this.#isForAll(word3) && !this.#byAddress.has(word3);
  }

  #search(): IpAddress | undefined {
    // Known without a search, so that an exhausted pool costs nothing to whoever asks again and again.
    if (this.#free === 0) return undefined;
    for (;;) {
      const address = IpAddress.v4(this.#pool.first.word3 + this.#next);
      this.#next = (this.#next + 1) % this.#size;
      if (this.#isFree(address)) return address;
    }
  }
}

/** Whether the binding is that of a client of these keys, whichever of them it is known by. */
function isOf({ client, hardware }: Dhcpv4Binding, keys: readonly string[]): boolean {
  return keys.includes(client) || (hardware !== undefined && keys.includes(hardware));
}

/** A client identifier is of this length, or is not taken for one (RFC 2132, section 9.14: a type and one byte at least). */
const SHORTEST_IDENTIFIER = 2;
const LONGEST_IDENTIFIER = 255;

/**
 * The keys a client is known by, the one its binding has first: its identifier where it gives one
 * (RFC 2131, section 4.2), and its hardware address. None: it has neither.
 */
export function clientKeys(message: Dhcpv4Message): string[] {
  const keys: string[] = [];
  const identifier = message.option(Dhcpv4OptionCode.CLIENT_IDENTIFIER);
  if (
    identifier !== undefined &&
    identifier.length >= SHORTEST_IDENTIFIER &&
    identifier.length <= LONGEST_IDENTIFIER
  ) {
    keys.push(keyOfIdentifier(identifier));
  }
  const address = message.hardwareAddress.subarray(0, message.hardwareLength);
  if (address.length > 0) keys.push(`hw:${message.hardwareType}:${toHex(address)}`);
  return keys;
}

/** The keys of a client that an address is reserved for, as {@link clientKeys} has those of one that asks. */
export function keysOfReserved({ mac, clientIdentifier }: Dhcpv4ReservedClient): string[] {
  return [
    ...(clientIdentifier === undefined ? [] : [keyOfIdentifier(clientIdentifier)]),
    ...(mac === undefined ? [] : [keyOfMac(mac)]),
  ];
}

function takenError(address: IpAddress, pool: Dhcpv4Pool): NetloomError {
  return new NetloomError(
    'DHCP_POOL_INVALID',
    `the reserved address ${address} is taken, or not of ${pool.interface}`,
    { remedy: 'Reserve each address once, of the subnet, and not that of the server.' },
  );
}

function keyOfMac(mac: MacAddress): string {
  return `hw:1:${mac.toNumber().toString(16).padStart(12, '0')}`;
}

function keyOfIdentifier(identifier: Uint8Array): string {
  return `id:${toHex(identifier)}`;
}
