import {
  Counters,
  IpAddress,
  StateMachine,
  withLimits,
  type Engine,
  type Random,
  type Transition,
} from '../../core/index.ts';
import { Dhcpv4MessageType, clientIdentifierOfMac, type Dhcpv4Message } from '../../wire/index.ts';
import { countDrop, publishSteps } from './diagnostics.ts';
import { Dhcpv4Exchange, readDhcpv4Answer, type ExpectedAnswer } from './exchange-v4.ts';
import type { Dhcpv4Lease } from './lease-v4.ts';
import { DHCPV4_CLIENT_LIMITS, type Dhcpv4ClientLimits } from './limits.ts';
import { Outbox } from '../outbox.ts';
import { checkDhcpv4Identity, encodeDhcpv4Request, type Dhcpv4Identity } from './requests-v4.ts';
import type { Dhcpv4ClientOptions, Dhcpv4ClientSink, Dhcpv4LossReason } from './sink-v4.ts';
import {
  DHCPV4_CLIENT_TRANSITIONS,
  type Dhcpv4ClientEvent,
  type Dhcpv4ClientState,
} from './states-v4.ts';

/**
 * A DHCPv4 client (RFC 2131, section 4.4): the state machine alone, without socket and clock.
 *
 * Start it; hand it what comes to UDP port 68; do what it asks of its sink. See {@link Engine} for `deadline` and `advance`.
 */
export class Dhcpv4Client implements Engine {
  /** Messages dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #identity: Dhcpv4Identity;
  readonly #random: Random;
  readonly #limits: Dhcpv4ClientLimits;
  readonly #sink: Dhcpv4ClientSink;
  readonly #outbox: Outbox = new Outbox();
  readonly #machine: StateMachine<Dhcpv4ClientState, Dhcpv4ClientEvent>;
  #linkUp = true;
  /** The next thing to do in this state is due then. */
  #wakeAt = Infinity;
  /** The exchange under way. */
  #exchange: Dhcpv4Exchange | undefined;
  /** When the client began to look for an address: what `secs` counts from. */
  #beganAt = 0;
  #seconds = 0;
  #offers: Dhcpv4Lease[] = [];
  #offersUntil = Infinity;
  /** The lease whose address the owner uses. */
  #lease: Dhcpv4Lease | undefined;
  /** The lease that is granted, and being checked. */
  #candidate: Dhcpv4Lease | undefined;
  /** An address to ask for again. */
  #remembered: Pick<Dhcpv4Lease, 'address' | 'expiresAt'> | undefined;
  /** NAKs to REQUESTs for offers, in a row. */
  #refusals = 0;

  constructor(options: Dhcpv4ClientOptions, sink: Dhcpv4ClientSink) {
    this.#limits = withLimits(DHCPV4_CLIENT_LIMITS, options.limits);
    this.#identity = {
      mac: options.mac,
      clientIdentifier: options.clientIdentifier ?? clientIdentifierOfMac(options.mac),
      hostname: options.hostname,
      broadcast: options.broadcast ?? false,
      messageSize: this.#limits.messageSize,
    };
    checkDhcpv4Identity(this.#identity);
    this.#random = options.random;
    this.#remembered = options.previous;
    this.#sink = sink;
    this.#machine = new StateMachine('dhcpv4-client', DHCPV4_CLIENT_TRANSITIONS, 'stopped');
    publishSteps(this.#machine, 'dhcpv4', options.mac.toString());
  }

  get state(): Dhcpv4ClientState {
    return this.#machine.state;
  }

  /** The lease whose address is in use. */
  get lease(): Dhcpv4Lease | undefined {
    return this.#lease;
  }

  /** The last steps of the state machine, oldest first. */
  history(): readonly Transition<Dhcpv4ClientState, Dhcpv4ClientEvent>[] {
    return this.#machine.history();
  }

  /** Begins, if the client is stopped. */
  start(now: number): void {
    if (this.state !== 'stopped') return;
    if (this.#linkUp) this.#begin(now);
    else this.#take('link-down', now, Infinity);
    this.advance(now);
  }

  /** Ends, and keeps the address in mind for the next start. The server is not told. Idempotent. */
  stop(now: number): void {
    this.#end('stopped', now);
  }

  /** Gives the address back (RFC 2131, section 4.4.6), and ends. Idempotent. */
  release(now: number): void {
    const lease = this.#lease;
    if (lease !== undefined && this.#linkUp) {
      this.#newExchange(now);
      this.#send(Dhcpv4MessageType.RELEASE, {
        clientAddress: lease.address,
        server: lease.server,
        destination: lease.server,
      });
    }
    this.#end('released', now);
  }

  /** The link has come up or gone down. An address is verified when the link comes back (RFC 2131, section 3.7). */
  linkChanged(up: boolean, now: number): void {
    this.#linkUp = up;
    if (this.state === 'link-down') {
      if (up) this.#begin(now);
    } else if (!up && this.state !== 'stopped') {
      this.#remember();
      this.#exchange = undefined;
      this.#take('link-down', now, Infinity);
    }
    this.advance(now);
  }

  /** What the owner found out of the address it was asked to probe. */
  probed(inUse: boolean, now: number): void {
    if (this.state === 'checking') this.#conclude(inUse, now);
    this.advance(now);
  }

  deadline(): number {
    return Math.min(this.#wakeAt, this.#lease?.expiresAt ?? Infinity);
  }

  advance(now: number): void {
    while (this.deadline() <= now) this.#step(now);
    this.#outbox.deliver();
  }

  /** A message that came to UDP port 68. Borrowed until this returns. */
  receive(bytes: Uint8Array, from: IpAddress, now: number): void {
    // What was due before comes first: an answer does not revive a lease that has ended.
    this.advance(now);
    const reason = this.#handle(bytes, now);
    countDrop(this.drops, reason, { engine: 'dhcpv4-client', from, at: now });
    this.advance(now);
  }

  /** Takes the message, or answers why not. */
  #handle(bytes: Uint8Array, now: number): string | undefined {
    const exchange = this.#exchange;
    const message = readDhcpv4Answer(bytes, exchange, this.#identity);
    if (typeof message === 'string') return message;
    switch (message.type) {
      case Dhcpv4MessageType.OFFER:
        return this.#onOffer(message, exchange!, now);
      case Dhcpv4MessageType.ACKNOWLEDGE:
        return this.#onAcknowledge(message, exchange!, now);
      default:
        return this.#onRefuse(message, exchange!, now);
    }
  }

  #onOffer(message: Dhcpv4Message, exchange: Dhcpv4Exchange, now: number): string | undefined {
    if (this.state !== 'selecting') return 'unexpected';
    const offer = exchange.readOffer(message, this.#limits);
    if (typeof offer === 'string') return offer;
    if (this.#offers.length >= this.#limits.offers) return 'too-many-offers';
    this.#offers.push(offer);
    if (this.#offers.length === 1) {
      this.#offersUntil = now + this.#limits.offerWait;
      this.#wakeAt = Math.min(this.#wakeAt, this.#offersUntil);
    }
    return undefined;
  }

  #onAcknowledge(
    message: Dhcpv4Message,
    exchange: Dhcpv4Exchange,
    now: number,
  ): string | undefined {
    if (!this.#machine.can('granted') && !this.#machine.can('confirmed')) return 'unexpected';
    const lease = exchange.readAcknowledgment(message, this.#limits, this.#random, now);
    if (typeof lease === 'string') return lease;
    if (this.#lease === undefined) this.#check(lease, now);
    else this.#bind(lease, 'confirmed', now);
    return undefined;
  }

  #onRefuse(message: Dhcpv4Message, exchange: Dhcpv4Exchange, now: number): string | undefined {
    if (!this.#machine.can('refused')) return 'unexpected';
    const fault = exchange.refusalFault(message);
    if (fault !== undefined) return fault;
    // A server that offers and refuses in turn must not have the client ask without end.
    const wait = this.state === 'requesting' ? this.#refusalDelay() : 0;
    this.#remembered = undefined;
    this.#lose('refused');
    this.#beginAgain('refused', now, wait);
    return undefined;
  }

  #refusalDelay(): number {
    const doubled = this.#limits.refusalDelay * 2 ** Math.min(this.#refusals++, 30);
    return Math.min(doubled, this.#limits.longestRetransmission);
  }

  /** Does what is due in this state. */
  #step(now: number): void {
    if (this.#lease !== undefined && this.#lease.expiresAt <= now) {
      this.#remember();
      this.#lose('expired');
      if (this.state === 'link-down') this.#take('expire', now, Infinity);
      else this.#beginAgain('expire', now, 0);
      return;
    }
    switch (this.state) {
      case 'init':
        this.#newExchange(now);
        this.#offers = [];
        this.#offersUntil = Infinity;
        this.#take('discover', now, now);
        break;
      case 'selecting':
        if (this.#offersUntil <= now) this.#select(now);
        else this.#discover(now);
        break;
      case 'requesting':
        this.#requestOffer(now);
        break;
      case 'init-reboot':
        this.#newExchange(now, { address: this.#remembered!.address });
        this.#take('verify', now, now);
        break;
      case 'rebooting':
        this.#verify(now);
        break;
      case 'checking':
        this.#conclude(false, now);
        break;
      case 'bound':
      case 'renewing':
      case 'rebinding':
        this.#extend(this.#lease!, now);
        break;
      case 'stopped':
      case 'link-down':
        this.#wakeAt = Infinity;
    }
  }

  #begin(now: number): void {
    this.#beganAt = now;
    this.#remember();
    const runs = this.#remembered !== undefined && this.#remembered.expiresAt > now;
    const delay = this.#limits.startDelay * this.#random.float();
    this.#take(runs ? 'reboot' : 'start', now, now + delay);
  }

  #discover(now: number): void {
    this.#seconds = Math.floor((now - this.#beganAt) / 1000);
    this.#send(Dhcpv4MessageType.DISCOVER, { requestedAddress: this.#remembered?.address });
    this.#wakeAt = Math.min(this.#retransmitAt(now), this.#offersUntil);
  }

  /** Asks for the best of the offers: the address of before, or else the first that came. */
  #select(now: number): void {
    const before = this.#remembered?.address;
    const offer =
      this.#offers.find(({ address }) => before?.equals(address) === true) ?? this.#offers[0]!;
    this.#offers = [];
    // The REQUEST has the transaction of the DISCOVER (RFC 2131, section 4.4.1, table 5), but its times start now.
    this.#exchange = new Dhcpv4Exchange(this.#exchange!.transactionId, now, offer);
    this.#take('select', now, now);
  }

  #requestOffer(now: number): void {
    const { expected, sent } = this.#exchange!;
    if (sent >= this.#limits.requests) {
      this.#take('unanswered', now, now);
      return;
    }
    this.#send(Dhcpv4MessageType.REQUEST, {
      requestedAddress: expected.address,
      server: expected.server,
    });
    this.#wakeAt = this.#retransmitAt(now);
  }

  /** INIT-REBOOT: asks whether the address of before is still good (RFC 2131, section 3.2). */
  #verify(now: number): void {
    const { expected, sent } = this.#exchange!;
    if (sent >= this.#limits.verifications) {
      // "The client MAY choose to use the previously allocated network address" (RFC 2131, section 3.2): one that is in use
      // stays so; one of an earlier run does not, as this may be another network.
      if (this.#lease === undefined) this.#take('unanswered', now, now);
      else this.#take('keep', now, this.#lease.renewAt);
      return;
    }
    this.#seconds = Math.floor((now - this.#beganAt) / 1000);
    this.#send(Dhcpv4MessageType.REQUEST, { requestedAddress: expected.address });
    this.#wakeAt = this.#retransmitAt(now);
  }

  /** Has the lease renewed: by its server from T1 on, by any from T2 on (RFC 2131, section 4.4.5). */
  #extend(lease: Dhcpv4Lease, now: number): void {
    const { address, server } = lease;
    if (this.state !== 'rebinding' && lease.rebindAt <= now) {
      this.#newExchange(now, { address });
      this.#take('rebind', now, now);
    } else if (this.state === 'bound') {
      this.#newExchange(now, { address, server });
      this.#take('renew', now, now);
    }
    const renewing = this.state === 'renewing';
    this.#seconds = Math.floor((now - this.#exchange!.startedAt) / 1000);
    this.#send(Dhcpv4MessageType.REQUEST, {
      clientAddress: address,
      destination: renewing ? server : undefined,
    });
    // Half of the time that is left, and a minute at least.
    const until = renewing ? lease.rebindAt : lease.expiresAt;
    const wait = Math.max((until - now) / 2, this.#limits.renewalInterval);
    this.#wakeAt = Math.min(now + wait, until);
  }

  /** Asks the owner whether the address is free. */
  #check(lease: Dhcpv4Lease, now: number): void {
    this.#candidate = lease;
    this.#take('granted', now, now + this.#limits.probeTimeout);
    this.#outbox.add(() => this.#sink.probe(lease.address));
  }

  #conclude(inUse: boolean, now: number): void {
    const candidate = this.#candidate!;
    this.#candidate = undefined;
    if (inUse) this.#decline(candidate, now);
    else this.#bind(candidate, 'free', now);
  }

  #bind(lease: Dhcpv4Lease, event: 'free' | 'confirmed', now: number): void {
    this.#lease = lease;
    this.#refusals = 0;
    this.#exchange = undefined;
    this.#take(event, now, lease.renewAt);
    this.#outbox.add(() => this.#sink[event === 'free' ? 'bound' : 'renewed'](lease));
  }

  #decline({ address, server }: Dhcpv4Lease, now: number): void {
    this.#seconds = 0;
    this.#newExchange(now);
    this.#send(Dhcpv4MessageType.DECLINE, { requestedAddress: address, server });
    this.#exchange = undefined;
    this.#remembered = undefined;
    this.#beginAgain('in-use', now, this.#limits.declineDelay);
  }

  #end(reason: 'stopped' | 'released', now: number): void {
    if (this.state === 'stopped') return;
    if (reason === 'stopped') this.#remember();
    else this.#remembered = undefined;
    this.#candidate = undefined;
    this.#refusals = 0;
    this.#lose(reason);
    this.#take('stop', now, Infinity);
    this.#outbox.deliver();
  }

  #lose(reason: Dhcpv4LossReason): void {
    const lease = this.#lease;
    this.#exchange = undefined;
    if (lease === undefined) return;
    this.#lease = undefined;
    this.#outbox.add(() => this.#sink.lost(reason, lease));
  }

  /** Keeps the address of the lease in mind, to be asked for again. */
  #remember(): void {
    this.#remembered = this.#lease ?? this.#candidate ?? this.#remembered;
    this.#candidate = undefined;
  }

  #take(event: Dhcpv4ClientEvent, now: number, wakeAt: number): void {
    this.#machine.take(event, now);
    this.#wakeAt = wakeAt;
  }

  /** Takes the step, which leads to INIT, and has the client look for an address after `wait`. */
  #beginAgain(event: 'refused' | 'expire' | 'in-use', now: number, wait: number): void {
    this.#take(event, now, now + wait);
    this.#beganAt = now;
  }

  #newExchange(now: number, expected?: ExpectedAnswer): void {
    this.#exchange = new Dhcpv4Exchange(this.#random.uint32(), now, expected);
  }

  /** When the message just sent is sent again. */
  #retransmitAt(now: number): number {
    return now + this.#exchange!.retransmission(this.#limits, this.#random);
  }

  #send(
    type: number,
    fields: {
      clientAddress?: IpAddress;
      requestedAddress?: IpAddress | undefined;
      server?: IpAddress | undefined;
      destination?: IpAddress | undefined;
    },
  ): void {
    const exchange = this.#exchange!;
    exchange.sent++;
    const message = encodeDhcpv4Request(this.#identity, {
      type,
      transactionId: exchange.transactionId,
      seconds: this.#seconds,
      ...fields,
    });
    const destination = fields.destination ?? IpAddress.BROADCAST4;
    const source = fields.clientAddress ?? IpAddress.ANY4;
    this.#outbox.add(() => this.#sink.send(message, destination, source));
  }
}
