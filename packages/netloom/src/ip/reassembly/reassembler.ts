/**
 * Fragments to datagrams, for IPv4 (RFC 791, section 3.2; RFC 815) and IPv6 (RFC 8200, section 4.5).
 *
 * Read first: RFC 5722 (overlaps in IPv6), RFC 1858 and RFC 3128 (attacks by tiny and overlapping fragments), RFC 6864
 * (the IPv4 identification), RFC 6946 (atomic fragments), RFC 8900 (why fragmentation is fragile).
 */
import {
  Counters,
  FairShares,
  HalfSipHash,
  TimerQueue,
  withLimits,
  type Engine,
  type Random,
} from '../../core/index.ts';
import type { Ipv4Header, Ipv6Chain, Ipv6Header } from '../../wire/index.ts';
import { Fragment } from './fragment.ts';
import { PartialDatagram, type Arrival } from './partial-datagram.ts';

/** Limits of a {@link Reassembler}. */
export interface ReassemblyLimits {
  /** Datagrams under way, those given up but still remembered included. */
  readonly datagrams: number;
  /** Memory of all, in bytes, with an allowance for each datagram and fragment. */
  readonly bytes: number;
  /** Of that, what the datagrams of one source may take. */
  readonly bytesPerSource: number;
  /** Fragments of one datagram: 65,535 bytes at an MTU of 576 are 119. */
  readonly fragments: number;
  /** Milliseconds a datagram's fragments may take. IPv4: RFC 1122, section 3.3.2 would have 60 s; most systems wait half as long, since an identification comes again sooner on today's links. */
  readonly timeoutV4: number;
  /** RFC 8200, section 4.5. */
  readonly timeoutV6: number;
}

/** The defaults. */
export const REASSEMBLY_LIMITS: ReassemblyLimits = {
  datagrams: 1024,
  bytes: 4_194_304,
  bytesPerSource: 1_048_576,
  fragments: 128,
  timeoutV4: 30_000,
  timeoutV6: 60_000,
};

/** What a {@link Reassembler} calls. */
export interface ReassemblySink<From extends Arrival> {
  /**
   * The rest did not come in time. `first` is the first fragment, as it came; its sender is told by an ICMP time exceeded message of code
   * 1. Not called where the first fragment is missing (RFC 792; RFC 8200, section 4.5). The bytes are given away.
   */
  timedOut(first: Uint8Array, from: From): void;
}

/** Allowances for the memory of a datagram and of a fragment beside their bytes, so that small ones are not free. */
const DATAGRAM_CHARGE = 512;
const FRAGMENT_CHARGE = 128;

/** What the datagrams of one source hold. Sources whose hashes agree share one. */
interface SourceBudget<From extends Arrival> {
  bytes: number;
  /** In the order they began. */
  readonly datagrams: Set<PartialDatagram<From>>;
}

/**
 * Puts datagrams together. `From` is how a fragment came in: told with a timeout, and its interface is a part of the key for
 * link-local addresses.
 *
 * Overlapping fragments: the datagram is dropped, and what still comes of it (RFC 5722, section 4; RFC 8200, section 4.5).
 * For IPv4 the same, although RFC 791 lets the later fragment win: no honest sender makes them, and whoever sees the packets on their
 * way (a filter, an intrusion detector) may settle them otherwise than we do, which is what makes them an attack (RFC 1858,
 * section 4; RFC 3128). An exact copy of a fragment is no overlap: networks do duplicate packets.
 */
export class Reassembler<From extends Arrival> implements Engine {
  /** Fragments and datagrams dropped, by reason. */
  readonly drops: Counters = new Counters();
  readonly #limits: ReassemblyLimits;
  readonly #sink: ReassemblySink<From>;
  /** Keyed, so that nobody outside can choose fragments that fall together. */
  readonly #hash: HalfSipHash;
  readonly #words = new Int32Array(10);
  readonly #fragment = new Fragment();
  /** By hash; datagrams of one hash hang together by `next`. */
  readonly #table = new Map<number, PartialDatagram<From>>();
  readonly #sources = new Map<number, SourceBudget<From>>();
  readonly #stations = new FairShares<number, PartialDatagram<From>>();
  readonly #timers = new TimerQueue<PartialDatagram<From>>();
  #bytes = 0;
  #reassembled = 0;

  constructor(
    options: { readonly random: Random; readonly limits?: Partial<ReassemblyLimits> | undefined },
    sink: ReassemblySink<From>,
  ) {
    this.#limits = withLimits(REASSEMBLY_LIMITS, options.limits);
    this.#hash = new HalfSipHash(options.random.fill(new Uint8Array(8)));
    this.#sink = sink;
  }

  /** Datagrams under way, those given up but still remembered included. */
  get size(): number {
    return this.#timers.size;
  }

  /** Memory held, as the limits count it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Datagrams completed so far. */
  get reassembled(): number {
    return this.#reassembled;
  }

  /** Takes the fragment at `start`, whose header has been parsed. Answers the whole packet if none is missing any more. */
  addV4(
    header: Ipv4Header,
    bytes: Uint8Array,
    start: number,
    from: From,
    now: number,
  ): Uint8Array | undefined {
    this.#fragment.setV4(header, bytes, start);
    return this.#add(this.#fragment, from, now);
  }

  /**
   * As {@link addV4}; `chain` is what `walkIpv6` found, which also sees that a first fragment holds all headers (RFC 7112). The packet
   * answered has no Fragment header; headers behind it have not been processed yet. A packet with a Fragment header that is
   * whole (RFC 6946) is freed of it, without a look at others.
   */
  addV6(
    header: Ipv6Header,
    chain: Ipv6Chain,
    bytes: Uint8Array,
    start: number,
    from: From,
    now: number,
  ): Uint8Array | undefined {
    this.#fragment.setV6(header, chain, bytes, start);
    return this.#add(this.#fragment, from, now);
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const datagram = this.#timers.takeDue(now);
      if (datagram === undefined) return;
      const first = datagram.firstFragment;
      const wasDiscarded = datagram.pieces === undefined;
      this.#remove(datagram);
      if (!wasDiscarded) this.drops.add('timed-out');
      if (first !== undefined) this.#sink.timedOut(first, datagram.from);
    }
  }

  #add(fragment: Fragment, from: From, now: number): Uint8Array | undefined {
    const fault = fragment.fault();
    if (fault !== undefined) {
      this.drops.add(fault);
      return undefined;
    }
    if (fragment.offset === 0 && !fragment.moreFragments) return this.#alone(fragment, from);
    const datagram = this.#obtain(fragment, from, now);
    const { pieces } = datagram;
    if (pieces === undefined) {
      this.drops.add('given-up');
      return undefined;
    }
    const data = fragment.bytes.subarray(fragment.data, fragment.end);
    const outcome = pieces.insert(fragment.offset, data, !fragment.moreFragments);
    if (outcome !== 'added') {
      this.drops.add(outcome);
      if (outcome !== 'duplicate') this.#discard(datagram);
      return undefined;
    }
    this.#charge(datagram, FRAGMENT_CHARGE + data.length + datagram.note(fragment));
    if (pieces.isComplete) return this.#complete(datagram);
    if (pieces.count >= this.#limits.fragments) {
      this.drops.add('too-many-fragments');
      this.#discard(datagram);
    }
    this.#makeRoom(datagram);
    return undefined;
  }

  /** A packet that says it is a fragment and is whole: those under way, even of the same key, have nothing to do with it (RFC 6946, section 4). */
  #alone(fragment: Fragment, from: From): Uint8Array | undefined {
    const datagram = new PartialDatagram(fragment, 0, 0, from);
    datagram.pieces!.insert(0, fragment.bytes.subarray(fragment.data, fragment.end), true);
    datagram.note(fragment);
    return this.#deliver(datagram);
  }

  #complete(datagram: PartialDatagram<From>): Uint8Array | undefined {
    this.#remove(datagram);
    return this.#deliver(datagram);
  }

  #deliver(datagram: PartialDatagram<From>): Uint8Array | undefined {
    const packet = datagram.assemble();
    if (typeof packet === 'string') {
      this.drops.add(packet);
      return undefined;
    }
    this.#reassembled++;
    return packet;
  }

  /** The datagram that the fragment is one of; a new one if it is the first of it. */
  #obtain(fragment: Fragment, from: From, now: number): PartialDatagram<From> {
    const words = this.#words;
    words[0] = fragment.source0;
    words[1] = fragment.source1;
    words[2] = fragment.source2;
    words[3] = fragment.source3;
    words[4] = fragment.destination0;
    words[5] = fragment.destination1;
    words[6] = fragment.destination2;
    words[7] = fragment.destination3;
    words[8] = fragment.identification;
    words[9] = fragment.protocol;
    const hash = this.#hash.hash(words);
    const head = this.#table.get(hash);
    for (let known = head; known !== undefined; known = known.next) {
      if (known.owns(fragment, from)) return known;
    }
    const made = new PartialDatagram(fragment, hash, this.#hash.hash(words, 4), from);
    made.next = head;
    this.#table.set(hash, made);
    const { timeoutV4, timeoutV6 } = this.#limits;
    this.#timers.set(made, now + (fragment.family === 4 ? timeoutV4 : timeoutV6));
    this.#budgetOf(made).datagrams.add(made);
    this.#stations.add(from.station, made);
    this.#charge(made, DATAGRAM_CHARGE);
    return made;
  }

  #budgetOf({ sourceHash }: PartialDatagram<From>): SourceBudget<From> {
    let budget = this.#sources.get(sourceHash);
    if (budget === undefined) {
      budget = { bytes: 0, datagrams: new Set() };
      this.#sources.set(sourceHash, budget);
    }
    return budget;
  }

  #charge(datagram: PartialDatagram<From>, bytes: number): void {
    datagram.charge += bytes;
    this.#budgetOf(datagram).bytes += bytes;
    this.#bytes += bytes;
  }

  /**
   * Has the oldest give way until the limits hold: first those of the same source, then those of the station that has most, so that one sender cannot crowd out the
   * others, be it by one address or by many.
   */
  #makeRoom(datagram: PartialDatagram<From>): void {
    const budget = this.#budgetOf(datagram);
    for (const oldest of budget.datagrams) {
      if (budget.bytes <= this.#limits.bytesPerSource) break;
      this.#remove(oldest);
      this.drops.add('source-evicted');
    }
    while (this.#bytes > this.#limits.bytes || this.size > this.#limits.datagrams) {
      const oldest = this.#stations.oldestOfLargest();
      if (oldest === undefined) return;
      this.#remove(oldest);
      this.drops.add('evicted');
    }
  }

  /** Frees the datagram's memory but keeps its key until its time is over, so that what still comes of it is known to be of it. */
  #discard(datagram: PartialDatagram<From>): void {
    datagram.discard();
    this.#charge(datagram, DATAGRAM_CHARGE - datagram.charge);
  }

  #remove(datagram: PartialDatagram<From>): void {
    this.#timers.clear(datagram);
    this.#stations.remove(datagram.from.station, datagram);
    this.#charge(datagram, -datagram.charge);
    const budget = this.#budgetOf(datagram);
    budget.datagrams.delete(datagram);
    if (budget.datagrams.size === 0) this.#sources.delete(datagram.sourceHash);
    const head = this.#table.get(datagram.hash);
    if (head === datagram) {
      if (datagram.next === undefined) this.#table.delete(datagram.hash);
      else this.#table.set(datagram.hash, datagram.next);
      return;
    }
    for (let known = head; known !== undefined; known = known.next) {
      if (known.next === datagram) known.next = datagram.next;
    }
  }
}
