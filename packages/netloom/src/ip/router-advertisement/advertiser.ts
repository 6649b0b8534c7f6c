/**
 * A router that tells of itself and its link.
 *
 * Read first: RFC 4861, section 6.2 (when to send), RFC 4191 (preferences and routes), RFC 8106 (DNS), RFC 4862, section 5.5.3 (what
 * stations make of it).
 */
import {
  Counters,
  TokenBucket,
  withLimits,
  type Engine,
  type IpAddress,
  type MacAddress,
  type Random,
} from '../../core/index.ts';
import { IPV6_ALL_NODES, type RouterAdvertisement } from '../../wire/index.ts';
import { Outbox } from '../outbox.ts';
import { ROUTER_ADVERTISER_LIMITS, type RouterAdvertiserLimits } from './limits.ts';
import {
  advertisementOf,
  checkNetwork,
  farewellOf,
  invalid,
  type AdvertisedNetwork,
} from './network.ts';

/** What a {@link RouterAdvertiser} calls. */
export interface RouterAdvertiserSink {
  /** Send from the interface's link-local address with hop limit 255. */
  send(message: RouterAdvertisement, destination: IpAddress): void;
}

/** How to make a {@link RouterAdvertiser}. */
export interface RouterAdvertiserOptions {
  readonly network: AdvertisedNetwork;
  readonly mac: MacAddress;
  readonly random: Random;
  /** The longest time between advertisements to all, in milliseconds: 4 s to 1,800 s. Default 600 s. */
  readonly maximumInterval?: number;
  /** The shortest: 3 s to three quarters of the longest. Default a third of the longest. */
  readonly minimumInterval?: number;
  readonly limits?: Partial<RouterAdvertiserLimits>;
}

/** `MaxRtrAdvInterval` and `MinRtrAdvInterval` (RFC 4861, section 6.2.1). */
const DEFAULT_MAXIMUM_INTERVAL = 600_000;
const MINIMUM_SHARE = 1 / 3;
const LARGEST_MINIMUM_SHARE = 0.75;

/** A router's advertisements for one interface: the state machine alone, without socket and clock. */
export class RouterAdvertiser implements Engine {
  /** Answers that were put off or joined with others, by reason. */
  readonly counters: Counters = new Counters();
  readonly #options: RouterAdvertiserOptions;
  readonly #limits: RouterAdvertiserLimits;
  readonly #maximumInterval: number;
  readonly #minimumInterval: number;
  readonly #sink: RouterAdvertiserSink;
  readonly #outbox: Outbox = new Outbox();
  readonly #answerRate: TokenBucket;
  #network: AdvertisedNetwork;
  /** When everybody is told next; Infinity while it is stopped. */
  #nextAt = Infinity;
  #lastAt = -Infinity;
  /** Advertisements that are still to be sent at short intervals. */
  #initialLeft = 0;
  /** Stations to be answered alone: when, by address. */
  readonly #answers = new Map<string, { address: IpAddress; at: number }>();

  /** Throws `ROUTER_ADVERTISEMENT_INVALID`. */
  constructor(options: RouterAdvertiserOptions, sink: RouterAdvertiserSink) {
    const maximum = options.maximumInterval ?? DEFAULT_MAXIMUM_INTERVAL;
    const minimum = options.minimumInterval ?? Math.max(maximum * MINIMUM_SHARE, 3000);
    if (!(maximum >= 4000 && maximum <= 1_800_000)) {
      throw invalid(`every ${maximum} ms`, 'The longest interval is 4,000 to 1,800,000 ms.');
    }
    if (!(minimum >= 3000 && minimum <= maximum * LARGEST_MINIMUM_SHARE)) {
      const remedy = 'The shortest interval is 3,000 ms to three quarters of the longest.';
      throw invalid(`every ${minimum} ms at least`, remedy);
    }
    checkNetwork(options.network);
    this.#options = options;
    this.#network = options.network;
    this.#maximumInterval = maximum;
    this.#minimumInterval = minimum;
    this.#limits = withLimits(ROUTER_ADVERTISER_LIMITS, options.limits);
    const { answersPerSecond } = this.#limits;
    this.#answerRate = new TokenBucket(answersPerSecond, 2 * answersPerSecond);
    this.#sink = sink;
  }

  /** What is advertised. */
  get network(): AdvertisedNetwork {
    return this.#network;
  }

  /** Begins: the first advertisements come at short intervals (RFC 4861, section 6.2.4). */
  start(now: number): void {
    if (this.#nextAt !== Infinity) return;
    this.#initialLeft = this.#limits.initialAdvertisements;
    this.#nextAt = now;
    this.advance(now);
  }

  /** Tells of other things from now on, at short intervals to begin with. Throws `ROUTER_ADVERTISEMENT_INVALID`. */
  change(network: AdvertisedNetwork, now: number): void {
    checkNetwork(network);
    this.#network = network;
    if (this.#nextAt === Infinity) return;
    this.#initialLeft = this.#limits.initialAdvertisements;
    this.#nextAt = Math.max(now, this.#lastAt + this.#limits.interval);
    this.advance(now);
  }

  /** The router is one no longer: everybody is told (RFC 4861, section 6.2.5). */
  stop(now: number): void {
    if (this.#nextAt === Infinity) return;
    this.#nextAt = Infinity;
    this.#answers.clear();
    this.#lastAt = now;
    const { mac } = this.#options;
    const farewell = farewellOf(this.#network, mac, this.#maximumInterval);
    this.#outbox.add(() => this.#sink.send(farewell, IPV6_ALL_NODES));
    this.#outbox.deliver();
  }

  /**
   * Somebody asks for routers: it is answered alone, after a short random wait (RFC 4861, section 6.2.6, and RFC 7772, section 4); or with all others, at once or when
   * they were told too short a time ago, if it has no address or there are too many.
   */
  solicited(source: IpAddress, now: number): void {
    if (this.#nextAt === Infinity) return;
    const at = now + this.#limits.answerDelay * this.#options.random.float();
    const key = source.toString();
    if (this.#answers.has(key)) {
      this.counters.add('asked-again');
    } else if (source.isUnspecified) {
      this.#tellAllBy(at);
    } else if (this.#answers.size >= this.#limits.answers || !this.#answerRate.take(now)) {
      this.counters.add('answered-along-with-all');
      this.#tellAllBy(at);
    } else {
      this.#answers.set(key, { address: source, at });
    }
    this.advance(now);
  }

  deadline(): number {
    let deadline = this.#nextAt;
    for (const { at } of this.#answers.values()) deadline = Math.min(deadline, at);
    return deadline;
  }

  advance(now: number): void {
    if (this.#nextAt <= now) this.#sendToAll(now);
    for (const [key, { address, at }] of this.#answers) {
      if (at > now) continue;
      this.#answers.delete(key);
      this.#send(address);
    }
    this.#outbox.deliver();
  }

  /** Everybody is told at this instant, or as soon after as is allowed. */
  #tellAllBy(at: number): void {
    this.#nextAt = Math.min(this.#nextAt, Math.max(at, this.#lastAt + this.#limits.interval));
  }

  #sendToAll(now: number): void {
    // That answers those who were to be answered alone, too.
    this.#answers.clear();
    this.#send(IPV6_ALL_NODES);
    this.#lastAt = now;
    const span = this.#maximumInterval - this.#minimumInterval;
    let wait = this.#minimumInterval + span * this.#options.random.float();
    if (this.#initialLeft > 0) {
      this.#initialLeft--;
      if (this.#initialLeft > 0) wait = Math.min(wait, this.#limits.initialInterval);
    }
    this.#nextAt = now + wait;
  }

  #send(destination: IpAddress): void {
    const { mac } = this.#options;
    const message = advertisementOf(this.#network, mac, this.#maximumInterval);
    this.#outbox.add(() => this.#sink.send(message, destination));
  }
}
