import {
  Counters,
  IpAddress,
  NetloomError,
  withLimits,
  type Cidr,
  type Engine,
} from '../../core/index.ts';
import {
  Dhcpv4MessageType,
  Dhcpv4Operation,
  Dhcpv4OptionCode,
  dhcpv4Text,
  isDomainName,
  parseDhcpv4,
  type Dhcpv4Message,
  type Dhcpv4Option,
} from '../../wire/index.ts';
import {
  Dhcpv4Bindings,
  clientKeys,
  keysOfReserved,
  type Dhcpv4Binding,
  type Dhcpv4LeaseRecord,
  type Dhcpv4Reservation,
  type Dhcpv4ReservedClient,
} from './bindings-v4.ts';
import { NO_STATION, poolExhausted, type DhcpFreeReason, type DhcpHeir } from './binding.ts';
import { DhcpClientNames } from './client-names.ts';
import { countDrop } from './diagnostics.ts';
import { DHCPV4_SERVER_LIMITS, type Dhcpv4ServerLimits } from './limits.ts';
import { Outbox } from '../outbox.ts';
import {
  destinationOf,
  durationFor,
  encodeDhcpv4Reply,
  leaseTimeOptions,
  parameterOptions,
  requestedOptions,
  type Dhcpv4Destination,
  type Dhcpv4Parameters,
} from './replies-v4.ts';
import { StationRates } from './station-rates.ts';

/** What a {@link Dhcpv4Server} calls. A handler may call anything of the server's. */
export interface Dhcpv4ServerSink {
  /** Send this from port 67. The bytes are given away. */
  send(message: Uint8Array, destination: Dhcpv4Destination): void;
  /** An address has been leased, or its lease extended; with the name that the client gives itself. */
  leased?(address: IpAddress, client: string, hostname: string | undefined): void;
  /** A leased address is no longer the client's. */
  freed?(address: IpAddress, client: string, reason: DhcpFreeReason): void;
  /** An address has been reserved for `heir` that another client has leased, as the record tells: that is refused when it asks again. */
  displaced?(lease: Dhcpv4LeaseRecord, heir: DhcpHeir): void;
}

/** How to make a {@link Dhcpv4Server}. */
export interface Dhcpv4ServerOptions {
  /** The server's own address, which is its identifier, and the subnet it serves. */
  readonly interface: Cidr;
  /** The addresses given to any client, first and last included. */
  readonly pool: { readonly first: IpAddress; readonly last: IpAddress };
  readonly reservations?: readonly Dhcpv4Reservation[];
  /** Milliseconds; Infinity: without end. An hour by default. */
  readonly leaseDuration?: number;
  readonly parameters?: Dhcpv4Parameters;
  readonly limits?: Partial<Dhcpv4ServerLimits>;
}

const DEFAULT_LEASE_DURATION = 3_600_000;

/** A DHCPv4 server for one subnet (RFC 2131, section 4.3): the state machine alone, without socket and clock. Clients may come through relay agents of that subnet. */
export class Dhcpv4Server implements Engine {
  /** Messages dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #address: IpAddress;
  readonly #limits: Dhcpv4ServerLimits;
  readonly #leaseDuration: number;
  readonly #parameters: readonly Dhcpv4Option[];
  readonly #bindings: Dhcpv4Bindings;
  readonly #names: DhcpClientNames = new DhcpClientNames();
  readonly #rates: StationRates;
  readonly #sink: Dhcpv4ServerSink;
  readonly #outbox: Outbox = new Outbox();

  constructor(options: Dhcpv4ServerOptions, sink: Dhcpv4ServerSink) {
    this.#limits = withLimits(DHCPV4_SERVER_LIMITS, options.limits);
    this.#rates = new StationRates(this.#limits.messagesPerStation);
    this.#address = options.interface.address;
    this.#leaseDuration = options.leaseDuration ?? DEFAULT_LEASE_DURATION;
    if (!(this.#leaseDuration >= 1000)) {
      throw new NetloomError('DHCP_LEASE_INVALID', 'a lease lasts a second at least', {
        remedy: 'Give leaseDuration in milliseconds.',
      });
    }
    this.#parameters = parameterOptions(options.parameters ?? {}, options.interface);
    const { reservations = [] } = options;
    this.#bindings = new Dhcpv4Bindings(
      { interface: options.interface, ...options.pool, reservations },
      this.#limits,
    );
    this.#sink = sink;
  }

  /** How many addresses are offered, leased or in quarantine. */
  get size(): number {
    return this.#bindings.size;
  }

  /** The leases as plain data. */
  leases(now: number): Dhcpv4LeaseRecord[] {
    return this.#bindings.records(now);
  }

  /** Takes in leases of an earlier run or of another server. Those that make no sense here are passed over; answers how many were taken. */
  importLeases(records: readonly Dhcpv4LeaseRecord[], now: number): number {
    return records.filter((record) => this.#import(record, now)).length;
  }

  /**
   * Keeps an address for a client from now on, and has it leased without end as if the client had asked: for a station that is configured
   * by other means. When the client does ask, the lease is as any other. Another client that has leased it keeps it until that ends, or until it asks for more: then it is
   * refused. Answers the address, the same each time. Throws `DHCP_POOL_INVALID` for an address that cannot be had, `DHCP_POOL_EXHAUSTED` where none is free.
   */
  reserve(client: Dhcpv4ReservedClient, now: number): IpAddress {
    this.advance(now);
    const keys = keysOfReserved(client);
    const known = this.#bindings.reservationOf(keys);
    if (known !== undefined && client.address?.equals(known) === false) this.unreserve(client, now);
    const address = this.#bindings.reserve(client);
    if (address === undefined) throw poolExhausted();
    const heir = { client: keys[0]!, hostname: client.hostname };
    const holder = this.#bindings.ofAddress(address);
    if (holder === undefined) this.#enter(address, heir, now);
    else if (this.#bindings.isDisplaced(holder)) this.#displace(holder, heir, now);
    this.#outbox.deliver();
    return address;
  }

  /** Enters a lease for a client that has not asked. One that has another address is given this one when it asks anew. */
  #enter(address: IpAddress, { client, hostname }: DhcpHeir, now: number): void {
    if (this.#bindings.ofClient([client]) !== undefined) return;
    const binding = this.#bindings.add(address, [client], NO_STATION);
    binding.isReserved = true;
    binding.hostname = hostname;
    binding.take('acknowledge', now);
    this.#outbox.add(() => this.#sink.leased?.(address, client, hostname));
  }

  /** What was leased stays so for the time that was promised (RFC 2131, section 2.2); an offer is no lease. */
  #displace(holder: Dhcpv4Binding, heir: DhcpHeir, now: number): void {
    const isNews = holder.heir === undefined && holder.state === 'bound';
    holder.heir = heir;
    if (holder.state === 'offered') this.#free(holder, 'withdraw', 'released', now);
    const lease = isNews ? this.#bindings.recordOf(holder, now) : undefined;
    if (lease !== undefined) this.#outbox.add(() => this.#sink.displaced?.(lease, heir));
  }

  /** Keeps the client's address no longer. A lease that the client has asked for goes on. */
  unreserve(client: Dhcpv4ReservedClient, now: number): void {
    const address = this.#bindings.reservationOf(keysOfReserved(client));
    const binding = address && this.#bindings.ofAddress(address);
    if (binding?.isReserved === true) this.#free(binding, 'withdraw', 'released', now);
    this.#bindings.unreserve(client);
    this.#outbox.deliver();
  }

  /** Has the client known by this name when it is leased an address, whatever it calls itself, and no other client; undefined: by what it calls itself. */
  setName(client: Dhcpv4ReservedClient, name: string | undefined): void {
    this.#names.set(keysOfReserved(client), name);
  }

  deadline(): number {
    return this.#bindings.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const binding = this.#bindings.takeEnded(now);
      if (binding === undefined) break;
      this.#takeFreeing(binding, 'expire', 'expired', now);
      this.#enterHeir(binding, now);
    }
    this.#outbox.deliver();
  }

  /** A message that came to UDP port 67, from this station, if that is known: then it is held to its share. Borrowed until this returns. */
  receive(bytes: Uint8Array, from: IpAddress, now: number, station: number = NO_STATION): void {
    this.advance(now);
    const isServed = this.#rates.take(station, now);
    const reason = isServed ? this.#handle(bytes, now, station) : 'station-rate';
    countDrop(this.drops, reason, { engine: 'dhcpv4-server', from, at: now });
    this.#outbox.deliver();
  }

  /** Serves the message, or answers why not. */
  #handle(bytes: Uint8Array, now: number, station: number): string | undefined {
    const message = parseDhcpv4(bytes, 0, bytes.length);
    if (typeof message === 'string') return message;
    if (message.operation !== Dhcpv4Operation.REQUEST) return 'not-a-request';
    const relay = message.relayAddress;
    if (!relay.isUnspecified && !this.#bindings.inSubnet(relay)) return 'other-subnet';
    if (clientKeys(message).length === 0) return 'no-client';
    switch (message.type) {
      case Dhcpv4MessageType.DISCOVER:
        return this.#onDiscover(message, now, station);
      case Dhcpv4MessageType.REQUEST:
        return this.#onRequest(message, now);
      case Dhcpv4MessageType.DECLINE:
        return this.#onDecline(message, now);
      case Dhcpv4MessageType.RELEASE:
        return this.#onRelease(message, now);
      case Dhcpv4MessageType.INFORM:
        return this.#onInform(message);
      default:
        return 'wrong-type';
    }
  }

  #onDiscover(message: Dhcpv4Message, now: number, station: number): string | undefined {
    const binding = this.#bindingToOffer(message, now, station);
    if (binding === undefined) return 'no-address';
    if (binding.state !== 'bound') {
      binding.take('offer', now);
      this.#bindings.endAt(binding, now + this.#limits.offerTime);
    }
    this.#grant(message, Dhcpv4MessageType.OFFER, binding);
    return undefined;
  }

  /** The client's binding; made if there is none, changed if another address is reserved for it by now. */
  #bindingToOffer(message: Dhcpv4Message, now: number, station: number): Dhcpv4Binding | undefined {
    const keys = clientKeys(message);
    const binding = this.#bindings.ofClient(keys);
    const reserved = this.#bindings.reservationOf(keys);
    const holder = reserved && this.#bindings.ofAddress(reserved);
    const moves =
      binding !== undefined &&
      (this.#bindings.isDisplaced(binding) ||
        (reserved !== undefined &&
          !binding.address.equals(reserved) &&
          (holder === undefined || holder.isReserved)));
    if (binding !== undefined && !moves) return binding;
    if (binding !== undefined) this.#free(binding, 'withdraw', 'released', now);
    const kept = this.#bindings.ofClient(keys);
    if (kept !== undefined) return kept;
    const wanted = message.address(Dhcpv4OptionCode.REQUESTED_ADDRESS);
    const address =
      this.#bindings.choose(keys, wanted, station) ?? this.#takeBackOffer(keys, now, station);
    return address && this.#bindings.add(address, keys, station);
  }

  /** Where there is nothing to be had, an offer gives way: or whoever asks in many names, and takes nothing, would have the pool. */
  #takeBackOffer(keys: readonly string[], now: number, station: number): IpAddress | undefined {
    const offer = this.#bindings.offerToTakeBack(station);
    if (offer === undefined) return undefined;
    this.drops.add('offer-taken-back');
    this.#free(offer, 'withdraw', 'released', now);
    return this.#bindings.choose(keys, undefined, station);
  }

  /** A REQUEST means one of three things, told apart by what it has (RFC 2131, section 4.3.2). */
  #onRequest(message: Dhcpv4Message, now: number): string | undefined {
    const binding = this.#bindings.ofClient(clientKeys(message));
    const server = message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER);
    const wanted = message.address(Dhcpv4OptionCode.REQUESTED_ADDRESS);
    if (server?.equals(this.#address) === false) return this.#withdraw(binding, now);
    if (binding !== undefined && this.#bindings.isDisplaced(binding)) {
      this.#free(binding, 'withdraw', 'released', now);
      return this.#refuse(message, 'the address is reserved for another');
    }
    if (server !== undefined) {
      if (binding === undefined || wanted?.equals(binding.address) !== true) {
        return this.#refuse(message, 'the address is not offered to you');
      }
      return this.#acknowledge(message, binding, now);
    }
    const address = message.clientAddress.isUnspecified ? wanted : message.clientAddress;
    if (address === undefined) return 'no-address-asked';
    return this.#verify(message, binding, address, now);
  }

  /** INIT-REBOOT, RENEWING or REBINDING: the client believes that the address is its own. */
  #verify(
    message: Dhcpv4Message,
    binding: Dhcpv4Binding | undefined,
    address: IpAddress,
    now: number,
  ): string | undefined {
    if (!this.#bindings.inSubnet(address)) {
      return this.#refuse(message, 'the address is of another network');
    }
    if (binding?.address.equals(address) === true && binding.state === 'bound') {
      return this.#acknowledge(message, binding, now);
    }
    if (binding !== undefined || this.#bindings.ofAddress(address) !== undefined) {
      return this.#refuse(message, 'the address is not leased to you');
    }
    // "If the DHCP server has no record of this client, then it MUST remain silent" (RFC 2131, section 4.3.2).
    return 'unknown-client';
  }

  #acknowledge(message: Dhcpv4Message, binding: Dhcpv4Binding, now: number): undefined {
    binding.take('acknowledge', now);
    binding.isReserved = false;
    const keys = clientKeys(message);
    [, binding.hardware] = keys;
    const own = message.text(Dhcpv4OptionCode.HOST_NAME) ?? '';
    binding.hostname = this.#names.of(keys, isDomainName(own) ? own : binding.hostname);
    const duration = this.#grant(message, Dhcpv4MessageType.ACKNOWLEDGE, binding);
    this.#bindings.endAt(binding, now + duration);
    const { address, client, hostname: name } = binding;
    this.#outbox.add(() => this.#sink.leased?.(address, client, name));
  }

  /** The client has taken another server's offer. */
  #withdraw(binding: Dhcpv4Binding | undefined, now: number): string {
    if (binding?.state === 'offered') this.#free(binding, 'withdraw', 'released', now);
    return 'other-server';
  }

  #onDecline(message: Dhcpv4Message, now: number): string | undefined {
    const fault = this.#serverFault(message);
    if (fault !== undefined) return fault;
    const binding = this.#bindings.ofClient(clientKeys(message));
    const declined = message.address(Dhcpv4OptionCode.REQUESTED_ADDRESS);
    // Only a client's own address: or else anybody could take all addresses out of the pool.
    if (binding === undefined || declined?.equals(binding.address) !== true) return 'not-leased';
    this.#takeFreeing(binding, 'decline', 'declined', now);
    this.#bindings.quarantine(binding);
    this.#bindings.endAt(binding, now + this.#limits.quarantine);
    return undefined;
  }

  #onRelease(message: Dhcpv4Message, now: number): string | undefined {
    const fault = this.#serverFault(message);
    if (fault !== undefined) return fault;
    const binding = this.#bindings.ofClient(clientKeys(message));
    if (binding?.state !== 'bound' || !binding.address.equals(message.clientAddress)) {
      return 'not-leased';
    }
    this.#free(binding, 'release', 'released', now);
    return undefined;
  }

  /** Parameters for a client with an address of its own: no lease, no times (RFC 2131, section 4.3.5). */
  #onInform(message: Dhcpv4Message): string | undefined {
    if (!this.#bindings.inSubnet(message.clientAddress)) return 'other-subnet';
    const options = requestedOptions(message, this.#parameters);
    this.#reply(message, Dhcpv4MessageType.ACKNOWLEDGE, undefined, options);
    return undefined;
  }

  #serverFault(message: Dhcpv4Message): string | undefined {
    const server = message.address(Dhcpv4OptionCode.SERVER_IDENTIFIER);
    return server?.equals(this.#address) === true ? undefined : 'other-server';
  }

  /** Sends the address with its time and the parameters; answers the time, in milliseconds. */
  #grant(message: Dhcpv4Message, type: number, binding: Dhcpv4Binding): number {
    const duration = durationFor(message, this.#leaseDuration, this.#limits.shortestLease);
    const options = [...leaseTimeOptions(duration), ...requestedOptions(message, this.#parameters)];
    this.#reply(message, type, binding.address, options);
    return duration;
  }

  #refuse(message: Dhcpv4Message, reason: string): undefined {
    const options = [dhcpv4Text(Dhcpv4OptionCode.MESSAGE, reason)];
    this.#reply(message, Dhcpv4MessageType.REFUSE, undefined, options);
  }

  #reply(
    message: Dhcpv4Message,
    type: number,
    yourAddress: IpAddress | undefined,
    options: readonly Dhcpv4Option[],
  ): void {
    const refuses = type === Dhcpv4MessageType.REFUSE;
    const relayed = !message.relayAddress.isUnspecified;
    const { bytes, left } = encodeDhcpv4Reply(
      message,
      {
        type,
        server: this.#address,
        // A NAK goes to all stations of the client's link, behind a relay too (RFC 2131, section 4.3.2).
        broadcast: message.broadcast || (refuses && relayed),
        options,
        ...(yourAddress !== undefined && { yourAddress }),
        ...(!refuses && { clientAddress: message.clientAddress }),
      },
      this.#limits.messageSize,
    );
    if (left.length > 0) this.drops.add('option-without-room', left.length);
    const destination = destinationOf(message, yourAddress, refuses);
    this.#outbox.add(() => this.#sink.send(bytes, destination));
  }

  /** Takes the step and takes the binding out of the table. */
  #free(
    binding: Dhcpv4Binding,
    event: 'withdraw' | 'release',
    reason: 'released',
    now: number,
  ): void {
    this.#bindings.remove(binding);
    this.#takeFreeing(binding, event, reason, now);
    this.#enterHeir(binding, now);
  }

  #enterHeir({ address, heir }: Dhcpv4Binding, now: number): void {
    if (heir !== undefined) this.#enter(address, heir, now);
  }

  /** Takes the step, and tells the owner if that ends a lease. */
  #takeFreeing(
    binding: Dhcpv4Binding,
    event: 'withdraw' | 'release' | 'expire' | 'decline',
    reason: DhcpFreeReason,
    now: number,
  ): void {
    const { state, address, client } = binding;
    binding.take(event, now);
    if (state === 'bound') this.#outbox.add(() => this.#sink.freed?.(address, client, reason));
  }

  #import(record: Dhcpv4LeaseRecord, now: number): boolean {
    const address = IpAddress.tryParse(record.address);
    const remaining = record.remaining ?? Infinity;
    if (
      address === undefined ||
      record.client === '' ||
      !(remaining > 0) ||
      !this.#bindings.inSubnet(address) ||
      address.equals(this.#address) ||
      this.#bindings.size >= this.#limits.bindings ||
      this.#bindings.ofAddress(address) !== undefined ||
      this.#bindings.ofClient([record.client]) !== undefined ||
      record.isReserved === true
    ) {
      return false;
    }
    const binding = this.#bindings.add(address, [record.client], NO_STATION);
    binding.hardware = record.hardware;
    binding.hostname = record.hostname;
    binding.take('acknowledge', now);
    this.#bindings.endAt(binding, now + remaining);
    return true;
  }
}
