import {
  Counters,
  StateMachine,
  withLimits,
  type Engine,
  type IpAddress,
  type Random,
  type Transition,
} from '../../core/index.ts';
import {
  DHCPV6_ALL_SERVERS,
  Dhcpv6MessageType,
  Dhcpv6Status,
  formatDuid,
  readDhcpv6Status,
} from '../../wire/index.ts';
import {
  BestAdvertisement,
  LeaseCheck,
  isRapidCommit,
  judgeReply,
  readDhcpv6Answer,
  type Dhcpv6Answer,
} from './answers-v6.ts';
import { countDrop, publishSteps } from './diagnostics.ts';
import {
  DHCPV6_RETRANSMISSION,
  Dhcpv6Exchange,
  LongestWaits,
  NO_SUBJECT,
  refusalWait,
  type Dhcpv6ExchangeType,
  type Dhcpv6Retransmission,
  type Dhcpv6Subject,
} from './exchange-v6.ts';
import {
  firstEnd,
  readDhcpv6Parameters,
  refreshTime,
  remainingLease,
  subjectOf,
  type Dhcpv6Lease,
} from './lease-v6.ts';
import { DHCPV6_CLIENT_LIMITS, type Dhcpv6ClientLimits } from './limits.ts';
import { Outbox } from '../outbox.ts';
import {
  dhcpv6Hint,
  dhcpv6Identity,
  encodeDhcpv6Request,
  type Dhcpv6Identity,
} from './requests-v6.ts';
import type { Dhcpv6ClientOptions, Dhcpv6ClientSink, Dhcpv6LossReason } from './sink-v6.ts';
import {
  DHCPV6_CLIENT_TRANSITIONS,
  type Dhcpv6ClientEvent,
  type Dhcpv6ClientState,
} from './states-v6.ts';

/**
 * A DHCPv6 client (RFC 8415, section 18.2), stateful or stateless: the state machine alone, without socket and clock.
 * It has one association for addresses and one for prefixes, as wanted.
 *
 * Start it when the interface has a link-local address; hand it what comes to UDP port 546; do what it asks of its sink.
 */
export class Dhcpv6Client implements Engine {
  /** Messages dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #identity: Dhcpv6Identity;
  readonly #stateless: boolean;
  /** What would be welcome. */
  readonly #hint: Dhcpv6Subject;
  readonly #random: Random;
  readonly #limits: Dhcpv6ClientLimits;
  readonly #sink: Dhcpv6ClientSink;
  readonly #outbox: Outbox = new Outbox();
  readonly #machine: StateMachine<Dhcpv6ClientState, Dhcpv6ClientEvent>;
  #linkUp = true;
  /** The next thing to do in this state, beside the exchange, is due then. */
  #wakeAt = Infinity;
  #exchange: Dhcpv6Exchange | undefined;
  #advertisements: BestAdvertisement = new BestAdvertisement();
  /** What the owner uses. */
  #lease: Dhcpv6Lease | undefined;
  /** What may still be ours: the lease, or that of an earlier run. */
  #known: Dhcpv6Lease | undefined;
  /** What is granted, and being checked. */
  #check: LeaseCheck | undefined;
  /** What is left of a lease of which addresses are being declined. */
  #rest: Dhcpv6Lease | undefined;
  readonly #longestWaits: LongestWaits = new LongestWaits();
  /** Refusals of what was advertised, in a row. */
  #refusals = 0;

  constructor(options: Dhcpv6ClientOptions, sink: Dhcpv6ClientSink) {
    this.#limits = withLimits(DHCPV6_CLIENT_LIMITS, options.limits);
    this.#stateless = options.mode === 'stateless';
    this.#identity = dhcpv6Identity(options);
    this.#hint = dhcpv6Hint(options);
    this.#random = options.random;
    this.#known = options.previous;
    this.#sink = sink;
    this.#machine = new StateMachine('dhcpv6-client', DHCPV6_CLIENT_TRANSITIONS, 'stopped');
    publishSteps(this.#machine, 'dhcpv6', formatDuid(options.duid));
  }

  get state(): Dhcpv6ClientState {
    return this.#machine.state;
  }

  /** What is in use. */
  get lease(): Dhcpv6Lease | undefined {
    return this.#lease;
  }

  /** The last steps of the state machine, oldest first. */
  history(): readonly Transition<Dhcpv6ClientState, Dhcpv6ClientEvent>[] {
    return this.#machine.history();
  }

  /** Begins, if the client is stopped. */
  start(now: number): void {
    if (this.state !== 'stopped') return;
    if (this.#linkUp) this.#begin(now);
    else this.#take('link-down', now);
    this.advance(now);
  }

  /** Ends, and keeps the lease in mind for the next start. The server is not told. Idempotent. */
  stop(now: number): void {
    if (this.state === 'stopped') return;
    this.#lose('stopped');
    this.#take('stop', now);
    this.#outbox.deliver();
  }

  /** Gives the lease back (RFC 8415, section 18.2.7), and ends. Idempotent. */
  release(now: number): void {
    const lease = this.#lease;
    const release = lease !== undefined && this.#linkUp && this.#machine.can('release');
    if (!release && this.state === 'releasing') return;
    this.#lose('released');
    this.#known = undefined;
    if (release) {
      this.#take('release', now);
      this.#open('RELEASE', now, subjectOf(lease), lease.server);
    } else if (this.state !== 'stopped') {
      this.#take('stop', now);
    }
    this.advance(now);
  }

  /** The link has come up or gone down. What is held is verified when the link comes back (RFC 8415, section 18.2.12). */
  linkChanged(up: boolean, now: number): void {
    this.#linkUp = up;
    if (this.state === 'link-down') {
      if (up) this.#begin(now);
    } else if (!up && this.state !== 'stopped') {
      this.#take('link-down', now);
    }
    this.advance(now);
  }

  /** What the owner found out of an address it was asked to probe. */
  probed(address: IpAddress, inUse: boolean, now: number): void {
    if (this.#check !== undefined) {
      this.#check.answer(address, inUse);
      if (this.#check.isDone) this.#wakeAt = now;
    }
    this.advance(now);
  }

  deadline(): number {
    const ends = this.#lease === undefined ? Infinity : firstEnd(this.#lease);
    return Math.min(this.#wakeAt, this.#exchange?.nextAt ?? Infinity, ends);
  }

  advance(now: number): void {
    while (this.deadline() <= now) this.#step(now);
    this.#outbox.deliver();
  }

  /** A message that came to UDP port 546. Borrowed until this returns. */
  receive(bytes: Uint8Array, from: IpAddress, now: number): void {
    this.advance(now);
    const reason = this.#handle(bytes, now);
    countDrop(this.drops, reason, { engine: 'dhcpv6-client', from, at: now });
    this.advance(now);
  }

  /** Takes the message, or answers why not. */
  #handle(bytes: Uint8Array, now: number): string | undefined {
    const answer = readDhcpv6Answer(bytes, this.#exchange, this.#identity.duid);
    if (typeof answer === 'string') return answer;
    this.#longestWaits.read(answer.message);
    return answer.message.type === Dhcpv6MessageType.ADVERTISE
      ? this.#onAdvertise(answer, now)
      : this.#onReply(answer, now);
  }

  /** Keeps the best Advertise until the first wait is over; from then on, the first is taken at once (RFC 8415, section 18.2.1). */
  #onAdvertise(answer: Dhcpv6Answer, now: number): string | undefined {
    if (this.state !== 'soliciting') return 'unexpected';
    const best = this.#advertisements;
    const fault = best.offer(answer, this.#identity.associationId, this.#limits, now);
    if (fault !== undefined) return fault;
    if (best.isEnough || this.#exchange!.sent > 1) this.#select(best.lease!, now);
    return undefined;
  }

  #onReply(answer: Dhcpv6Answer, now: number): string | undefined {
    switch (this.state) {
      case 'soliciting':
        return this.#identity.rapidCommit && isRapidCommit(answer)
          ? this.#onGrant(answer, now)
          : 'unexpected';
      case 'requesting':
      case 'renewing':
      case 'rebinding':
        return this.#onGrant(answer, now);
      case 'confirming':
        return this.#onConfirmation(answer, now);
      case 'informing':
        return this.#onParameters(answer, now);
      default:
        // DECLINE or RELEASE: whatever the status, the exchange is over (RFC 8415, section 18.2.10.2).
        this.#giveUp(now);
        return undefined;
    }
  }

  #onGrant(answer: Dhcpv6Answer, now: number): string | undefined {
    const extending = this.state === 'renewing' || this.state === 'rebinding';
    const before = extending ? (this.#lease ?? this.#known) : this.#lease;
    const { associationId } = this.#identity;
    const verdict = judgeReply(answer, associationId, before, extending, this.#limits, now);
    switch (verdict.kind) {
      case 'lease':
        return this.#accept(verdict.lease, now);
      case 'no-binding':
        this.#take('no-binding', now);
        this.#open('REQUEST', now, subjectOf(before!), answer.server);
        return undefined;
      case 'refused':
        // A Reply to a Solicit that grants nothing at once (Rapid Commit) leaves the search going on.
        return this.state === 'soliciting' ? 'no-lease' : this.#refuse(now);
      default:
        return verdict.reason;
    }
  }

  #onConfirmation({ message }: Dhcpv6Answer, now: number): string | undefined {
    const status = readDhcpv6Status(message.options);
    if (status === Dhcpv6Status.NOT_ON_LINK) return this.#refuse(now);
    if (status !== Dhcpv6Status.SUCCESS) return 'server-failure';
    return this.#acceptKnown('confirmed', now);
  }

  #onParameters({ message, server }: Dhcpv6Answer, now: number): undefined {
    const parameters = readDhcpv6Parameters(message, server);
    this.#take('configured', now);
    this.#wakeAt = refreshTime(message, now);
    this.#outbox.add(() => this.#sink.configured(parameters));
  }

  /** Does what is due in this state. */
  #step(now: number): void {
    const lease = this.#lease;
    if (lease !== undefined && firstEnd(lease) <= now) this.#prune(lease, now);
    else if (this.#wakeAt <= now) this.#wake(now);
    else this.#transmit(this.#exchange!, now);
  }

  #wake(now: number): void {
    this.#wakeAt = Infinity;
    if (this.state === 'checking') this.#conclude(this.#check!, now);
    else if (this.state === 'informed') this.#begin(now);
    else this.#extend(this.#lease!, now);
  }

  /** Sends the message of the exchange, or gives it up. */
  #transmit(exchange: Dhcpv6Exchange, now: number): void {
    const advertised = this.state === 'soliciting' ? this.#advertisements.lease : undefined;
    if (advertised !== undefined) {
      this.#select(advertised, now);
      return;
    }
    if (exchange.isExhausted(now)) {
      this.#giveUp(now);
      return;
    }
    const message = encodeDhcpv6Request(this.#identity, exchange, now);
    exchange.markSent(now, this.#random, this.#longestWaits.of(exchange));
    this.#outbox.add(() => this.#sink.send(message, DHCPV6_ALL_SERVERS));
  }

  /** The exchange has come to its end: answered, where the answer says nothing, or not. */
  #giveUp(now: number): void {
    switch (this.state) {
      case 'declining':
        if (this.#rest === undefined) this.#solicit('declined', now, 0);
        else this.#bind(this.#rest, 'remaining', now);
        break;
      case 'releasing':
        this.#take('released', now);
        break;
      case 'requesting':
        this.#lose('refused');
        this.#solicit('unanswered', now, 0);
        break;
      default:
        // "If no responses are received, the client SHOULD continue to use" what it has (RFC 8415, section 18.2.3).
        this.#acceptKnown('keep', now);
    }
  }

  #begin(now: number): void {
    const known = this.#known && remainingLease(this.#known, now);
    this.#known = known;
    if (this.#stateless) {
      this.#take('inform', now);
      this.#open('INFORMATION_REQUEST', now);
    } else if (known === undefined) {
      this.#solicit('solicit', now, 0);
    } else if (known.prefixes.length > 0) {
      // Prefixes cannot be confirmed: they are rebound, at the pace of a Confirm (RFC 8415, section 18.2.12).
      this.#take('rebind', now);
      this.#open('REBIND', now, subjectOf(known), undefined, DHCPV6_RETRANSMISSION.CONFIRM);
    } else {
      this.#take('confirm', now);
      this.#open('CONFIRM', now, subjectOf(known));
    }
  }

  /** Takes the step, which leads to SOLICITING, and begins to look for servers after `wait`. */
  #solicit(
    event: 'solicit' | 'refused' | 'unanswered' | 'declined' | 'expire',
    now: number,
    wait: number,
  ): void {
    this.#take(event, now);
    this.#advertisements = new BestAdvertisement();
    this.#open('SOLICIT', now + wait, this.#hint);
  }

  #select(advertised: Dhcpv6Lease, now: number): void {
    this.#take('select', now);
    this.#open('REQUEST', now, subjectOf(advertised), advertised.server);
  }

  /** Has the lease renewed: by its server from T1 on, by any from T2 on (RFC 8415, sections 18.2.4 and 18.2.5). */
  #extend(lease: Dhcpv6Lease, now: number): void {
    if (lease.rebindAt <= now) {
      this.#take('rebind', now);
      this.#open('REBIND', now, subjectOf(lease));
    } else {
      this.#take('renew', now);
      this.#open('RENEW', now, subjectOf(lease), lease.server);
      this.#wakeAt = lease.rebindAt;
    }
  }

  /** Takes away what has ended. When that is all, the search begins anew; but addresses that are being checked may take its place. */
  #prune(lease: Dhcpv6Lease, now: number): void {
    const rest = remainingLease(lease, now);
    if (rest !== undefined) {
      this.#lease = rest;
      this.#known = rest;
      this.#outbox.add(() => this.#sink.renewed(rest));
      return;
    }
    this.#lose('expired');
    this.#known = undefined;
    if (this.state === 'link-down') this.#take('expire', now);
    else if (this.#machine.can('expire')) this.#solicit('expire', now, 0);
  }

  /** Uses the lease that was to be verified. */
  #acceptKnown(event: 'confirmed' | 'keep', now: number): undefined {
    const known = this.#known && remainingLease(this.#known, now);
    if (known === undefined) this.#solicit('expire', now, 0);
    else if (this.#lease === undefined) this.#accept(known, now);
    else this.#bind(known, event, now);
  }

  /** Uses the lease, once the addresses that are new have been checked. */
  #accept(lease: Dhcpv6Lease, now: number): undefined {
    const check = new LeaseCheck(lease, this.#lease);
    if (this.#lease !== undefined && check.isDone) {
      this.#bind(lease, 'confirmed', now);
      return;
    }
    this.#take('granted', now);
    this.#check = check;
    this.#wakeAt = check.isDone ? now : now + this.#limits.probeTimeout;
    for (const address of check.open) this.#outbox.add(() => this.#sink.probe(address));
  }

  #conclude({ lease, inUse }: LeaseCheck, now: number): void {
    if (inUse.length === 0) {
      this.#bind(lease, 'free', now);
      return;
    }
    this.#take('in-use', now);
    this.#rest = remainingLease(lease, now, inUse);
    this.#open('DECLINE', now, { addresses: inUse, prefixes: [] }, lease.server);
  }

  #bind(lease: Dhcpv6Lease, event: 'free' | 'confirmed' | 'remaining' | 'keep', now: number): void {
    const held = this.#lease !== undefined;
    this.#lease = lease;
    this.#known = lease;
    this.#refusals = 0;
    this.#take(event, now);
    this.#wakeAt = lease.renewAt;
    if (event !== 'keep') this.#outbox.add(() => this.#sink[held ? 'renewed' : 'bound'](lease));
  }

  #refuse(now: number): undefined {
    this.#lose('refused');
    this.#known = undefined;
    this.#solicit('refused', now, refusalWait(this.#refusals++));
  }

  #lose(reason: Dhcpv6LossReason): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    this.#outbox.add(() => this.#sink.lost(reason, lease));
  }

  /** Takes the step; what was under way in the state that is left is over. */
  #take(event: Dhcpv6ClientEvent, now: number): void {
    this.#machine.take(event, now);
    this.#wakeAt = Infinity;
    this.#exchange = undefined;
    this.#check = undefined;
    this.#rest = undefined;
  }

  #open(
    type: Dhcpv6ExchangeType,
    startAt: number,
    subject: Dhcpv6Subject = NO_SUBJECT,
    server?: Uint8Array,
    rule: Dhcpv6Retransmission = DHCPV6_RETRANSMISSION[type],
  ): void {
    const code = Dhcpv6MessageType[type];
    this.#exchange = new Dhcpv6Exchange(code, rule, subject, server, startAt, this.#random);
  }
}
