import { Cidr, type IpAddress } from '../../core/index.ts';
import {
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6Status,
  readDhcpv6ClientName,
  type Dhcpv6Association,
  type Dhcpv6Message,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import { NO_STATION, poolExhausted, type DhcpFreeReason, type DhcpHeir } from './binding.ts';
import {
  Dhcpv6Bindings,
  dhcpv6ReservedKeys,
  type Dhcpv6AssociationKey,
  type Dhcpv6Binding,
  type Dhcpv6LeaseRecord,
  type Dhcpv6ReservedClient,
  type Dhcpv6ServerPools,
} from './bindings-v6.ts';
import { DhcpClientNames } from './client-names.ts';
import type { Dhcpv6ServerLimits } from './limits.ts';
import { grantedAssociation, refusedAssociation, type Dhcpv6Lifetimes } from './replies-v6.ts';

/** A client's message, as far as it is about leases. */
export interface Dhcpv6LeaseRequest {
  readonly message: Dhcpv6Message;
  /** See `dhcpv6ClientKeys`. */
  readonly keys: readonly string[];
  /** The station that sent it. */
  readonly station: number;
  readonly now: number;
}

/** Told of leases, once the engine's state is settled: see `Dhcpv6ServerSink`. */
export interface Dhcpv6LeaseEvents {
  leased(lease: Cidr, client: string, hostname: string | undefined): void;
  freed(lease: Cidr, client: string, reason: DhcpFreeReason): void;
  displaced(lease: Dhcpv6LeaseRecord, heir: DhcpHeir): void;
  /** An offer gave way, where nothing was free. */
  offerTakenBack(): void;
}

/** What {@link Dhcpv6Leasing} is made with. */
export interface Dhcpv6LeasingOptions {
  readonly pools: Dhcpv6ServerPools;
  readonly limits: Dhcpv6ServerLimits;
  readonly lifetimes: Dhcpv6Lifetimes;
}

/** Who has which address and which prefix, association by association: the part of a DHCPv6 server that gives and takes. */
export class Dhcpv6Leasing {
  readonly #options: Dhcpv6LeasingOptions;
  readonly #bindings: Dhcpv6Bindings;
  readonly #names: DhcpClientNames = new DhcpClientNames();
  readonly #events: Dhcpv6LeaseEvents;

  constructor(options: Dhcpv6LeasingOptions, events: Dhcpv6LeaseEvents) {
    this.#options = options;
    this.#bindings = new Dhcpv6Bindings(options.pools, options.limits);
    this.#events = events;
  }

  /** How many addresses and prefixes are offered, leased or in quarantine. */
  get size(): number {
    return this.#bindings.size;
  }

  records(now: number): Dhcpv6LeaseRecord[] {
    return this.#bindings.records(now);
  }

  /** When the next binding ends. */
  deadline(): number {
    return this.#bindings.deadline();
  }

  /** Ends the bindings whose time is over. */
  expire(now: number): void {
    for (;;) {
      const binding = this.#bindings.takeEnded(now);
      if (binding === undefined) return;
      this.#takeFreeing(binding, 'expire', 'expired', now);
      this.#enterHeir(binding, now);
    }
  }

  /** See `Dhcpv6Server.reserve`. */
  reserve(client: Dhcpv6ReservedClient, now: number): IpAddress {
    const keys = dhcpv6ReservedKeys(client);
    const known = this.#bindings.reservationOf(keys)?.address;
    if (known !== undefined && client.address?.equals(known) === false) this.unreserve(client, now);
    const address = this.#bindings.reserve(client);
    if (address === undefined) throw poolExhausted();
    const lease = new Cidr(address, 128);
    const heir = { client: keys[0]!, hostname: client.hostname };
    const holder = this.#bindings.ofLease(lease);
    if (holder === undefined) this.#enter(lease, heir, now);
    else if (this.#bindings.isDisplaced(holder)) this.#displace(holder, heir, now);
    return address;
  }

  /** Enters a lease for a client that has not asked. One that has another address is given this one when it asks anew. */
  #enter(lease: Cidr, { client, hostname }: DhcpHeir, now: number): void {
    const key: Dhcpv6AssociationKey = { client, kind: 'address', id: 0 };
    if (this.#bindings.ofAssociation([client], key) !== undefined) return;
    const binding = this.#bindings.add(key, lease, NO_STATION);
    binding.isReserved = true;
    binding.hostname = hostname;
    binding.take('acknowledge', now);
    this.#events.leased(lease, client, hostname);
  }

  /** What was leased stays so for the time that was promised, or until its client asks for more; an offer is no lease. */
  #displace(holder: Dhcpv6Binding, heir: DhcpHeir, now: number): void {
    const isNews = holder.heir === undefined && holder.state === 'bound';
    holder.heir = heir;
    if (holder.state === 'offered') this.#free(holder, 'withdraw', now);
    else if (isNews) this.#events.displaced(this.#bindings.recordOf(holder, now), heir);
  }

  /** See `Dhcpv6Server.unreserve`. */
  unreserve(client: Dhcpv6ReservedClient, now: number): void {
    const lease = this.#bindings.reservationOf(dhcpv6ReservedKeys(client));
    const binding = lease && this.#bindings.ofLease(lease);
    if (binding?.isReserved === true) this.#free(binding, 'withdraw', now);
    this.#bindings.unreserve(client);
  }

  /** See `Dhcpv6Server.setName`. */
  setName(client: Dhcpv6ReservedClient, name: string | undefined): void {
    this.#names.set(dhcpv6ReservedKeys(client), name);
  }

  /** The association's option in the answer to a Renew or Rebind; undefined: there is nothing to be said of it. */
  extend(request: Dhcpv6LeaseRequest, association: Dhcpv6Association): Dhcpv6Option | undefined {
    const asked = leasesOf(association);
    const binding =
      this.#toExtend(request, association) ?? this.#adopt(request, association, asked);
    if (binding !== undefined) {
      this.#commit(request, binding);
      const revoked = asked.filter((lease) => !lease.equals(binding.lease));
      return grantedAssociation(association, binding.lease, revoked, this.#options.lifetimes);
    }
    const offLink = asked.filter((lease) => !this.#isOnLink(association, lease));
    if (offLink.length > 0) {
      return grantedAssociation(association, undefined, offLink, this.#options.lifetimes);
    }
    // A Rebind goes to all servers: the one that knows the client is to speak.
    return request.message.type === Dhcpv6MessageType.REBIND
      ? undefined
      : refusedAssociation(association, Dhcpv6Status.NO_BINDING);
  }

  /** What the association has; where that is reserved for another by now, something else if there is anything (RFC 8415, section 18.3.4). */
  #toExtend(
    request: Dhcpv6LeaseRequest,
    association: Dhcpv6Association,
  ): Dhcpv6Binding | undefined {
    const binding = this.#bound(request, association);
    if (binding === undefined || !this.#bindings.isDisplaced(binding)) return binding;
    return this.#bindingFor(request, association);
  }

  /** A client that has what this server could have given and has given to nobody: most likely it did, and has forgotten. */
  #adopt(
    { keys, station }: Dhcpv6LeaseRequest,
    association: Dhcpv6Association,
    asked: readonly Cidr[],
  ): Dhcpv6Binding | undefined {
    const key = keyOf(keys, association);
    if (asked.length === 0 || this.#bindings.ofAssociation(keys, key) !== undefined) {
      return undefined;
    }
    const lease = this.#bindings.choose(keys, key, asked, station);
    const isTheirs = lease !== undefined && asked.some((other) => other.equals(lease));
    return isTheirs ? this.#bindings.add(key, lease, station) : undefined;
  }

  /** Takes back what a Release or Decline names; answers the option of an association that has nothing. */
  giveBack(request: Dhcpv6LeaseRequest, association: Dhcpv6Association): Dhcpv6Option | undefined {
    const binding = this.#bound(request, association);
    if (binding === undefined) {
      return refusedAssociation(association, Dhcpv6Status.NO_BINDING);
    }
    const isNamed = leasesOf(association).some((lease) => lease.equals(binding.lease));
    if (isNamed) this.#giveBack(request, binding);
    return undefined;
  }

  #giveBack({ message, now }: Dhcpv6LeaseRequest, binding: Dhcpv6Binding): void {
    if (message.type === Dhcpv6MessageType.RELEASE) {
      this.#free(binding, 'release', now);
    } else if (binding.kind === 'address') {
      this.#takeFreeing(binding, 'decline', 'declined', now);
      this.#bindings.quarantine(binding);
      this.#bindings.endAt(binding, now + this.#options.limits.quarantine);
    }
  }

  /** The association's option, with a lease if there is one to be had; for good if it `commits`. */
  grant(
    request: Dhcpv6LeaseRequest,
    association: Dhcpv6Association,
    commits: boolean,
  ): Dhcpv6Option {
    const isRequest = request.message.type === Dhcpv6MessageType.REQUEST;
    if (isRequest && leasesOf(association).some((lease) => !this.#isOnLink(association, lease))) {
      return refusedAssociation(association, Dhcpv6Status.NOT_ON_LINK);
    }
    const binding = this.#bindingFor(request, association);
    if (binding === undefined) {
      const isAddress = association.code === Dhcpv6OptionCode.IA_NA;
      const { NO_ADDRESSES, NO_PREFIXES } = Dhcpv6Status;
      return refusedAssociation(association, isAddress ? NO_ADDRESSES : NO_PREFIXES);
    }
    if (commits) this.#commit(request, binding);
    else if (binding.state !== 'bound') {
      binding.take('offer', request.now);
      this.#bindings.endAt(binding, request.now + this.#options.limits.offerTime);
    }
    return grantedAssociation(association, binding.lease, [], this.#options.lifetimes);
  }

  /** The association's binding; made if there is none, changed if another address is reserved for its client by now. */
  #bindingFor(
    request: Dhcpv6LeaseRequest,
    association: Dhcpv6Association,
  ): Dhcpv6Binding | undefined {
    const { keys, now, station } = request;
    const key = keyOf(keys, association);
    const binding = this.#bindings.ofAssociation(keys, key);
    const reserved = key.kind === 'address' ? this.#bindings.reservationOf(keys) : undefined;
    const holder = reserved && this.#bindings.ofLease(reserved);
    const moves =
      (binding !== undefined && this.#bindings.isDisplaced(binding)) ||
      (reserved !== undefined && (holder === undefined || holder.isReserved));
    if (binding !== undefined && (!moves || binding === holder)) return binding;
    if (binding !== undefined) this.#free(binding, 'withdraw', now);
    const kept = this.#bindings.ofAssociation(keys, key);
    if (kept !== undefined) return kept;
    const lease =
      this.#bindings.choose(keys, key, leasesOf(association), station) ??
      this.#takeBackOffer(request, key);
    return lease && this.#bindings.add(key, lease, station);
  }

  /** Where there is nothing to be had, an offer gives way: or whoever asks in many names, and takes nothing, would have the pool. */
  #takeBackOffer(
    { keys, now, station }: Dhcpv6LeaseRequest,
    key: Dhcpv6AssociationKey,
  ): Cidr | undefined {
    const offer = this.#bindings.offerToTakeBack(key.kind, station);
    if (offer === undefined || offer.client === key.client) return undefined;
    if (!this.#bindings.mayHaveMore(key.client)) return undefined;
    this.#events.offerTakenBack();
    this.#free(offer, 'withdraw', now);
    return this.#bindings.choose(keys, key, [], station);
  }

  /** The association's binding, if its client has it for good. */
  #bound({ keys }: Dhcpv6LeaseRequest, association: Dhcpv6Association): Dhcpv6Binding | undefined {
    const binding = this.#bindings.ofAssociation(keys, keyOf(keys, association));
    return binding?.state === 'bound' ? binding : undefined;
  }

  #commit({ message, keys, now }: Dhcpv6LeaseRequest, binding: Dhcpv6Binding): void {
    binding.take('acknowledge', now);
    binding.isReserved = false;
    const own = readDhcpv6ClientName(message.options) ?? binding.hostname;
    binding.hostname = this.#names.of(keys, own);
    this.#bindings.endAt(binding, now + this.#options.lifetimes.valid);
    const { lease, client, hostname } = binding;
    this.#events.leased(lease, client, hostname);
  }

  /** Whether it is good on this link, as far as a server can tell: prefixes have none. */
  #isOnLink({ code }: Dhcpv6Association, { address }: Cidr): boolean {
    return code !== Dhcpv6OptionCode.IA_NA || this.#options.pools.subnet.contains(address);
  }

  /** Takes the step and takes the binding out of the table. */
  #free(binding: Dhcpv6Binding, event: 'withdraw' | 'release', now: number): void {
    this.#bindings.remove(binding);
    this.#takeFreeing(binding, event, 'released', now);
    this.#enterHeir(binding, now);
  }

  #enterHeir({ lease, heir }: Dhcpv6Binding, now: number): void {
    if (heir !== undefined) this.#enter(lease, heir, now);
  }

  /** Takes the step, and tells the owner if that ends a lease. */
  #takeFreeing(
    binding: Dhcpv6Binding,
    event: 'withdraw' | 'release' | 'expire' | 'decline',
    reason: DhcpFreeReason,
    now: number,
  ): void {
    const { state, lease, client } = binding;
    binding.take(event, now);
    if (state === 'bound') this.#events.freed(lease, client, reason);
  }

  /** Takes in a lease of an earlier run; false: it makes no sense here. */
  import(record: Dhcpv6LeaseRecord, now: number): boolean {
    const { kind, client, associationId: id, hostname, isReserved } = record;
    const lease = cidrOf(record.lease);
    const remaining = record.remaining ?? Infinity;
    const key = { client, kind, id };
    if (
      lease === undefined ||
      client === '' ||
      isReserved === true ||
      !(remaining > 0) ||
      !this.#bindings.isOfServer(kind, lease) ||
      this.#bindings.ofAssociation([client], key) !== undefined
    ) {
      return false;
    }
    const binding = this.#bindings.add(key, lease, NO_STATION);
    binding.hostname = hostname;
    binding.take('acknowledge', now);
    this.#bindings.endAt(binding, now + remaining);
    return true;
  }
}

function keyOf(keys: readonly string[], { code, id }: Dhcpv6Association): Dhcpv6AssociationKey {
  return { client: keys[0]!, kind: code === Dhcpv6OptionCode.IA_NA ? 'address' : 'prefix', id };
}

/** What a client names in an association: addresses as /128. */
function leasesOf({ addresses, prefixes }: Dhcpv6Association): Cidr[] {
  return [
    ...addresses.map(({ address }) => new Cidr(address, 128)),
    ...prefixes.map(({ prefix }) => prefix),
  ];
}

function cidrOf(text: string): Cidr | undefined {
  try {
    return Cidr.parse(text);
  } catch {
    return undefined;
  }
}
