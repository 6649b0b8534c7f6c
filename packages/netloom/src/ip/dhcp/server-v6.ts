import {
  Counters,
  NetloomError,
  withLimits,
  type Cidr,
  type Engine,
  type IpAddress,
} from '../../core/index.ts';
import {
  DHCPV6_CLIENT_PORT,
  DHCPV6_SERVER_PORT,
  Dhcpv6MessageType,
  Dhcpv6OptionCode,
  Dhcpv6Status,
  dhcpv6Number,
  dhcpv6Status,
  readDhcpv6Associations,
  type Dhcpv6Association,
  type Dhcpv6Option,
} from '../../wire/index.ts';
import { acceptDhcpv6, type AcceptedDhcpv6 } from './accepting-v6.ts';
import { NO_STATION, type DhcpFreeReason, type DhcpHeir } from './binding.ts';
import {
  dhcpv6ClientKeys,
  type Dhcpv6LeaseRecord,
  type Dhcpv6Reservation,
  type Dhcpv6ReservedClient,
  type Dhcpv6ServerPools,
} from './bindings-v6.ts';
import { countDrop } from './diagnostics.ts';
import { DHCPV6_SERVER_LIMITS, type Dhcpv6ServerLimits } from './limits.ts';
import { Dhcpv6Leasing, type Dhcpv6LeaseRequest } from './leasing-v6.ts';
import { Outbox } from '../outbox.ts';
import { Dhcpv6Pool } from './pool-v6.ts';
import {
  RAPID_COMMIT,
  encodeDhcpv6Reply,
  parameterOptionsV6,
  requestedOptionsV6,
  type Dhcpv6ServerParameters,
} from './replies-v6.ts';
import { StationRates } from './station-rates.ts';

/** What a {@link Dhcpv6Server} calls. A handler may call anything of the server's. */
export interface Dhcpv6ServerSink {
  /** Send this from port 547. The bytes are given away. */
  send(message: Uint8Array, destination: IpAddress, port: number): void;
  /** An address (as /128) or a prefix has been leased, or its lease extended; with the name that the client gives itself. */
  leased?(lease: Cidr, client: string, hostname: string | undefined): void;
  /** A lease is no longer the client's. */
  freed?(lease: Cidr, client: string, reason: DhcpFreeReason): void;
  /** An address has been reserved for `heir` that another client has leased, as the record tells: that is given another when it asks again. */
  displaced?(lease: Dhcpv6LeaseRecord, heir: DhcpHeir): void;
}

/** How to make a {@link Dhcpv6Server}. */
export interface Dhcpv6ServerOptions {
  /** Who the server is: see `duidOfMac`. The same at every run. */
  readonly duid: Uint8Array;
  /** The server's own address, and the subnet it serves. */
  readonly interface: Cidr;
  /** The addresses given to any client, first and last included: at most 2^32. Without it there are only reserved ones. */
  readonly pool?: { readonly first: IpAddress; readonly last: IpAddress };
  /** The block that prefixes of `length` bits are delegated out of. */
  readonly delegation?: { readonly block: Cidr; readonly length: number };
  readonly reservations?: readonly Dhcpv6Reservation[];
  /** The valid lifetime, in milliseconds; Infinity: without end. An hour by default. */
  readonly leaseDuration?: number;
  /** The preferred lifetime; as long as the valid one by default. */
  readonly preferredDuration?: number;
  /** Whether clients that ask for it are granted at once, in two messages instead of four. Default true. */
  readonly rapidCommit?: boolean;
  /** 0 to 255: clients take the server with the highest (RFC 8415, section 21.8). Default 0. */
  readonly preference?: number;
  readonly parameters?: Dhcpv6ServerParameters;
  readonly limits?: Partial<Dhcpv6ServerLimits>;
}

const DEFAULT_LEASE_DURATION = 3_600_000;

/** A client's message while it is being served. */
interface Request extends AcceptedDhcpv6, Dhcpv6LeaseRequest {
  readonly associations: readonly Dhcpv6Association[];
  readonly from: IpAddress;
}

/** A DHCPv6 server for one subnet (RFC 8415, section 18.3): the state machine alone, without socket and clock. Clients may come through relay agents. */
export class Dhcpv6Server implements Engine {
  /** Messages dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #duid: Uint8Array;
  readonly #subnet: Cidr;
  readonly #limits: Dhcpv6ServerLimits;
  readonly #rapidCommit: boolean;
  readonly #preference: number;
  readonly #parameters: readonly Dhcpv6Option[];
  readonly #leasing: Dhcpv6Leasing;
  readonly #rates: StationRates;
  readonly #sink: Dhcpv6ServerSink;
  readonly #outbox: Outbox = new Outbox();

  constructor(options: Dhcpv6ServerOptions, sink: Dhcpv6ServerSink) {
    const valid = options.leaseDuration ?? DEFAULT_LEASE_DURATION;
    const preferred = options.preferredDuration ?? valid;
    if (!(valid >= 1000 && preferred >= 0 && preferred <= valid)) {
      throw new NetloomError(
        'DHCP_LEASE_INVALID',
        'a lease is valid for a second at least, and preferred no longer than that',
        { remedy: 'Give leaseDuration and preferredDuration in milliseconds.' },
      );
    }
    this.#limits = withLimits(DHCPV6_SERVER_LIMITS, options.limits);
    this.#rates = new StationRates(this.#limits.messagesPerStation);
    this.#duid = options.duid;
    this.#subnet = options.interface;
    this.#rapidCommit = options.rapidCommit ?? true;
    this.#preference = options.preference ?? 0;
    this.#parameters = parameterOptionsV6(options.parameters ?? {});
    this.#leasing = new Dhcpv6Leasing(
      { pools: poolsOf(options), limits: this.#limits, lifetimes: { preferred, valid } },
      {
        leased: (lease, client, hostname) =>
          this.#outbox.add(() => this.#sink.leased?.(lease, client, hostname)),
        displaced: (lease, heir) => this.#outbox.add(() => this.#sink.displaced?.(lease, heir)),
        offerTakenBack: () => this.drops.add('offer-taken-back'),
        freed: (lease, client, reason) =>
          this.#outbox.add(() => this.#sink.freed?.(lease, client, reason)),
      },
    );
    this.#sink = sink;
  }

  /** How many addresses and prefixes are offered, leased or in quarantine. */
  get size(): number {
    return this.#leasing.size;
  }

  /** The leases as plain data. */
  leases(now: number): Dhcpv6LeaseRecord[] {
    return this.#leasing.records(now);
  }

  /** Takes in leases of an earlier run or of another server. Those that make no sense here are passed over; answers how many were taken. */
  importLeases(records: readonly Dhcpv6LeaseRecord[], now: number): number {
    let taken = 0;
    for (const record of records) if (this.#leasing.import(record, now)) taken++;
    return taken;
  }

  /** As {@link Dhcpv4Server.reserve}: keeps an address for a client, and has it leased as if the client had asked. */
  reserve(client: Dhcpv6ReservedClient, now: number): IpAddress {
    this.advance(now);
    const address = this.#leasing.reserve(client, now);
    this.#outbox.deliver();
    return address;
  }

  /** Keeps the client's address no longer. A lease that the client has asked for goes on. */
  unreserve(client: Dhcpv6ReservedClient, now: number): void {
    this.#leasing.unreserve(client, now);
    this.#outbox.deliver();
  }

  /** As {@link Dhcpv4Server.setName}: has the client known by this name. */
  setName(client: Dhcpv6ReservedClient, name: string | undefined): void {
    this.#leasing.setName(client, name);
  }

  deadline(): number {
    return this.#leasing.deadline();
  }

  advance(now: number): void {
    this.#leasing.expire(now);
    this.#outbox.deliver();
  }

  /**
   * A message that came to UDP port 547 of the address `to` (undefined counts as a group), from this station, if that is known: then it is held to its share. Borrowed until
   * this returns.
   */
  receive(
    bytes: Uint8Array,
    from: IpAddress,
    now: number,
    station: number = NO_STATION,
    to?: IpAddress,
  ): void {
    this.advance(now);
    const isServed = this.#rates.take(station, now);
    const reason = isServed ? this.#handle(bytes, { from, station }, now, to) : 'station-rate';
    countDrop(this.drops, reason, { engine: 'dhcpv6-server', from, at: now });
    this.#outbox.deliver();
  }

  /** Serves the message, or answers why not. */
  #handle(
    bytes: Uint8Array,
    sender: Pick<Request, 'from' | 'station'>,
    now: number,
    to: IpAddress | undefined,
  ): string | undefined {
    const accepted = acceptDhcpv6(bytes, to, this.#duid, this.#subnet);
    if (typeof accepted === 'string') return accepted;
    const associations = readDhcpv6Associations(accepted.message.options);
    if (typeof associations === 'string') return associations;
    if (associations.length > this.#limits.associations) return 'too-many-associations';
    const keys = accepted.duid === undefined ? [] : dhcpv6ClientKeys(accepted.duid);
    const request: Request = { ...accepted, keys, associations, ...sender, now };
    if (request.isUnicast) {
      return this.#reply(request, [dhcpv6Status(Dhcpv6Status.USE_MULTICAST)]);
    }
    switch (request.message.type) {
      case Dhcpv6MessageType.SOLICIT:
        return this.#onSolicit(request);
      case Dhcpv6MessageType.REQUEST:
        return this.#onRequest(request);
      case Dhcpv6MessageType.CONFIRM:
        return this.#onConfirm(request);
      case Dhcpv6MessageType.RENEW:
      case Dhcpv6MessageType.REBIND:
        return this.#onExtend(request);
      case Dhcpv6MessageType.RELEASE:
      case Dhcpv6MessageType.DECLINE:
        return this.#onGiveBack(request);
      default:
        return this.#onInformationRequest(request);
    }
  }

  /** RFC 8415, section 18.3.1. */
  #onSolicit(request: Request): string | undefined {
    if (request.associations.length === 0) return 'no-association';
    const commits =
      this.#rapidCommit && request.message.option(Dhcpv6OptionCode.RAPID_COMMIT) !== undefined;
    const granted = request.associations.map((association) =>
      this.#leasing.grant(request, association, commits),
    );
    if (commits) return this.#reply(request, [RAPID_COMMIT, ...granted]);
    const { PREFERENCE } = Dhcpv6OptionCode;
    const preference =
      this.#preference === 0 ? [] : [dhcpv6Number(PREFERENCE, 1, this.#preference)];
    return this.#reply(request, [...preference, ...granted], Dhcpv6MessageType.ADVERTISE);
  }

  /** RFC 8415, section 18.3.2. */
  #onRequest(request: Request): string | undefined {
    const { associations } = request;
    return this.#reply(
      request,
      associations.map((association) => this.#leasing.grant(request, association, true)),
    );
  }

  /** Whether what a client has is good on this link, whoever has given it (RFC 8415, section 18.3.3). */
  #onConfirm(request: Request): string | undefined {
    const addresses = request.associations.flatMap(({ addresses: all }) => all);
    if (addresses.length === 0) return 'no-address-asked';
    const isOnLink = addresses.every(({ address }) => this.#subnet.contains(address));
    const { SUCCESS, NOT_ON_LINK } = Dhcpv6Status;
    return this.#reply(request, [dhcpv6Status(isOnLink ? SUCCESS : NOT_ON_LINK)]);
  }

  /** Renew and Rebind (RFC 8415, sections 18.3.4 and 18.3.5). */
  #onExtend(request: Request): string | undefined {
    const answers: Dhcpv6Option[] = [];
    for (const association of request.associations) {
      const answer = this.#leasing.extend(request, association);
      if (answer !== undefined) answers.push(answer);
    }
    return answers.length === 0 ? 'unknown-client' : this.#reply(request, answers);
  }

  /** Release and Decline (RFC 8415, sections 18.3.7 and 18.3.8). */
  #onGiveBack(request: Request): undefined {
    const answers: Dhcpv6Option[] = [];
    for (const association of request.associations) {
      const answer = this.#leasing.giveBack(request, association);
      if (answer !== undefined) answers.push(answer);
    }
    return this.#reply(request, [...answers, dhcpv6Status(Dhcpv6Status.SUCCESS)]);
  }

  /** RFC 8415, sections 16.12 and 18.3.6. */
  #onInformationRequest(request: Request): string | undefined {
    return request.associations.length > 0 ? 'association-in-question' : this.#reply(request, []);
  }

  #reply(
    { message, relays, from }: Request,
    options: readonly Dhcpv6Option[],
    type: number = Dhcpv6MessageType.REPLY,
  ): undefined {
    const all = [...options, ...requestedOptionsV6(message, this.#parameters)];
    const bytes = encodeDhcpv6Reply(message, relays, type, this.#duid, all);
    const port = relays.length > 0 ? DHCPV6_SERVER_PORT : DHCPV6_CLIENT_PORT;
    this.#outbox.add(() => this.#sink.send(bytes, from, port));
  }
}

function poolsOf(options: Dhcpv6ServerOptions): Dhcpv6ServerPools {
  const { interface: subnet, pool, delegation, reservations = [] } = options;
  const { EMPTY } = Dhcpv6Pool;
  return {
    subnet,
    addresses: pool ? Dhcpv6Pool.ofAddresses(subnet, pool.first, pool.last) : EMPTY,
    prefixes: delegation ? Dhcpv6Pool.ofPrefixes(delegation.block, delegation.length) : EMPTY,
    // The first address of a subnet is that of all its routers (RFC 4291, section 2.6.1).
    own: [subnet.address, subnet.network],
    reservations,
  };
}
