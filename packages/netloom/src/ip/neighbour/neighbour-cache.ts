import {
  TimerQueue,
  TokenBucket,
  copyBytes,
  type Counters,
  type IpAddress,
  type Random,
} from '../../core/index.ts';
import type { FrameOffload } from '../../link/index.ts';
import { NeighbourRanks } from './neighbour-ranks.ts';
import { NeighbourTable } from './neighbour-table.ts';
import { Neighbour, type WaitingFrame } from './neighbour.ts';

/** Limits and times of a neighbour cache; times in milliseconds, defaults of RFC 4861, section 10. */
export interface NeighbourLimits {
  readonly neighbours: number;
  /** Frames that wait for one link address (RFC 4861, section 7.2.2: at least one). */
  readonly waitingFrames: number;
  /** Bytes of all frames that wait, with an allowance for each; past it those go that have waited longest: whoever is there answers soon. */
  readonly waitingBytes: number;
  /** Questions to all stations in a second: each costs every one of them (RFC 6583, section 5.2). */
  readonly questionsPerSecond: number;
  /** Answers to all stations in a second: whoever has no address yet has us speak to everybody with each question. */
  readonly answersPerSecond: number;
  readonly reachableTime: number;
  readonly retransmitTime: number;
  readonly delayFirstProbe: number;
  /** Solicitations by group or broadcast, and to the last known address. */
  readonly multicastSolicitations: number;
  readonly unicastSolicitations: number;
  /** How long a failed neighbour is answered for with an error before it is asked again. */
  readonly failedTime: number;
}

/** The defaults: those of RFC 4861, section 10. */
export const NEIGHBOUR_LIMITS: NeighbourLimits = {
  neighbours: 1024,
  waitingFrames: 64,
  waitingBytes: 4_194_304,
  questionsPerSecond: 500,
  answersPerSecond: 50,
  reachableTime: 30_000,
  retransmitTime: 1000,
  delayFirstProbe: 5000,
  multicastSolicitations: 3,
  unicastSolicitations: 3,
  failedTime: 1000,
};

/** What a cache needs of its interface. */
export interface NeighbourSink {
  /** Asks for the link address: by ARP or neighbour solicitation, of everybody or (`unicast`) of the address known. */
  solicit(neighbour: Neighbour, unicast: boolean): void;
  /** Sends a frame whose destination is now known. */
  release(waiting: WaitingFrame, neighbour: Neighbour): void;
  /** The neighbour did not answer; its waiting frames are dropped after this. */
  unreachable(neighbour: Neighbour): void;
  /** {@link NeighbourCache.deadline} may have moved. */
  timersChanged(): void;
}

/**
 * The link addresses of one interface's neighbours: resolution, reachability, ageing (RFC 4861, section 7.3; RFC 1122, section 2.3.2 for
 * ARP). One cache serves both families.
 */
export class NeighbourCache {
  readonly #limits: NeighbourLimits;
  readonly #sink: NeighbourSink;
  readonly #random: Random;
  readonly #drops: Counters;
  readonly #entries: NeighbourTable;
  readonly #ranks = new NeighbourRanks();
  readonly #timers = new TimerQueue<Neighbour>();
  readonly #questions: TokenBucket;
  readonly #answers: TokenBucket;
  /** All frames that wait, oldest first. */
  readonly #waiting = new Set<WaitingFrame>();
  #waitingBytes = 0;

  constructor(limits: NeighbourLimits, sink: NeighbourSink, random: Random, drops: Counters) {
    this.#limits = limits;
    this.#sink = sink;
    this.#random = random;
    this.#drops = drops;
    this.#entries = new NeighbourTable(random.fill(new Uint8Array(8)));
    const { questionsPerSecond, answersPerSecond } = limits;
    this.#questions = new TokenBucket(questionsPerSecond, questionsPerSecond);
    this.#answers = new TokenBucket(answersPerSecond, answersPerSecond);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of the frames that wait, as the limit counts them. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  entries(): Iterable<Neighbour> {
    return this.#entries.values();
  }

  find(address: IpAddress): Neighbour | undefined {
    return this.#entries.get(address);
  }

  /** As {@link find}, by the 32 bits of an IPv4 address. */
  findV4(word: number): Neighbour | undefined {
    return this.#entries.find(4, 0, 0, 0xffff, word);
  }

  /** The entry for this address, made if it is not there. */
  get(address: IpAddress, now: number): Neighbour {
    const known = this.#entries.get(address);
    if (known !== undefined) return known;
    const made = new Neighbour(address);
    made.usedAt = now;
    this.#add(made);
    return made;
  }

  /**
   * A packet is to be sent to it: starts a check where one is due. Answers whether the link address is known; if it is not, the frame
   * goes to {@link wait}, which asks.
   */
  use(neighbour: Neighbour, now: number): boolean {
    if (neighbour.isForgotten) {
      const current = this.#recall(neighbour);
      if (current !== neighbour) {
        const known = this.use(current, now);
        neighbour.macHigh = current.macHigh;
        neighbour.macLow = current.macLow;
        return known;
      }
    }
    neighbour.usedAt = now;
    if (!neighbour.machine.can('use')) {
      neighbour.isUsed = true;
      return neighbour.isResolved;
    }
    // A failed neighbour is not asked again at once.
    if (neighbour.state === 'failed' && now < neighbour.deadline) return false;
    const state = neighbour.machine.take('use', now);
    if (state === 'delay') {
      // Progress of the time before it was stale proves nothing.
      neighbour.confirmedByUse = false;
      this.#setTimer(neighbour, now + this.#limits.delayFirstProbe);
    } else {
      neighbour.solicitations = 0;
    }
    this.#ranks.update(neighbour);
    return neighbour.isResolved;
  }

  /**
   * Keeps a copy of a frame until the link address is known; the oldest gives way when too many wait. Only then is the address asked
   * for: the question is a frame too, and a link may have memory for just one.
   */
  wait(
    neighbour: Neighbour,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    now: number,
  ): void {
    if (neighbour.isForgotten) {
      this.wait(this.#recall(neighbour), frame, offload, now);
      return;
    }
    if (neighbour.state === 'failed') {
      this.#drops.add('neighbour-failed');
      return;
    }
    if (neighbour.waiting.length >= this.#limits.waitingFrames) {
      this.#dropOldest(neighbour, 'neighbour-queue-full');
    }
    this.#keep({ neighbour, frame: copyBytes(frame), offload: offload && { ...offload } });
    if (neighbour.solicitations === 0) this.#solicit(neighbour, now);
    this.#ranks.update(neighbour);
  }

  /**
   * Its link address has been heard. `solicited`: in answer to our question, so it is reachable; otherwise only the address is news.
   */
  learn(
    neighbour: Neighbour,
    macHigh: number,
    macLow: number,
    solicited: boolean,
    now: number,
  ): void {
    const changed =
      !neighbour.isResolved || neighbour.macHigh !== macHigh || neighbour.macLow !== macLow;
    neighbour.macHigh = macHigh;
    neighbour.macLow = macLow;
    neighbour.isResolved = true;
    if (changed) neighbour.isProven = false;
    if (solicited) this.#reachable(neighbour, now);
    else if (changed) this.#heard(neighbour, now);
    this.#releaseWaiting(neighbour);
    this.#ranks.update(neighbour);
  }

  /** Another link address has been heard that may not take the place of the one known: so that one is to be proven again (RFC 4861, section 7.2.5). */
  doubt(neighbour: Neighbour, now: number): void {
    if (neighbour.state !== 'reachable') return;
    this.#heard(neighbour, now);
    this.#ranks.update(neighbour);
  }

  /** Whether one more question may be answered to all stations; if not, that is counted. */
  mayAnswerAll(now: number): boolean {
    if (this.#answers.take(now)) return true;
    this.#drops.add('neighbour-answer-limit');
    return false;
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const neighbour = this.#timers.takeDue(now);
      if (neighbour === undefined) return;
      this.#elapsed(neighbour, now);
      this.#ranks.update(neighbour);
    }
  }

  /** Forgets everything: the link went down. */
  clear(): void {
    for (const neighbour of this.#entries.values()) this.#forget(neighbour);
  }

  /** The cache's entry for the address of one that is not in it any more: another by now, or this one again. */
  #recall(neighbour: Neighbour): Neighbour {
    const other = this.#entries.get(neighbour.address);
    if (other !== undefined) return other;
    neighbour.isForgotten = false;
    this.#add(neighbour);
    return neighbour;
  }

  #add(neighbour: Neighbour): void {
    if (this.#entries.size >= this.#limits.neighbours) this.#evict();
    this.#entries.add(neighbour);
    this.#ranks.update(neighbour);
  }

  #setTimer(neighbour: Neighbour, deadline: number): void {
    this.#timers.set(neighbour, deadline);
    this.#sink.timersChanged();
  }

  #heard(neighbour: Neighbour, now: number): void {
    neighbour.machine.take('heard', now);
    neighbour.isFresh = false;
    this.#timers.clear(neighbour);
  }

  #reachable(neighbour: Neighbour, now: number): void {
    neighbour.machine.take('confirmed', now);
    neighbour.isFresh = true;
    neighbour.isProven = true;
    neighbour.solicitations = 0;
    neighbour.confirmedByUse = false;
    // Between 0.5 and 1.5 times the base, so that stations do not ask in step (RFC 4861, section 6.3.2).
    const time = this.#limits.reachableTime * (0.5 + this.#random.float());
    this.#setTimer(neighbour, now + time);
  }

  #elapsed(neighbour: Neighbour, now: number): void {
    const { state } = neighbour;
    if (neighbour.isResolved && neighbour.confirmedByUse) {
      this.#reachable(neighbour, now);
    } else if (state === 'reachable') {
      neighbour.machine.take('elapsed', now);
      neighbour.isFresh = false;
    } else if (state === 'delay') {
      neighbour.machine.take('elapsed', now);
      neighbour.solicitations = 0;
      this.#solicit(neighbour, now);
    } else if (state === 'incomplete' || state === 'probe') {
      this.#solicit(neighbour, now);
    }
  }

  /** Asks once more, or gives up. */
  #solicit(neighbour: Neighbour, now: number): void {
    const unicast = neighbour.state === 'probe';
    const allowed = unicast
      ? this.#limits.unicastSolicitations
      : this.#limits.multicastSolicitations;
    if (neighbour.solicitations >= allowed) {
      neighbour.machine.take('unanswered', now);
      neighbour.isResolved = false;
      this.#sink.unreachable(neighbour);
      this.#dropWaiting(neighbour, 'neighbour-unreachable');
      this.#timers.clear(neighbour);
      neighbour.deadline = now + this.#limits.failedTime;
      return;
    }
    neighbour.solicitations++;
    this.#setTimer(neighbour, now + this.#limits.retransmitTime);
    if (unicast || this.#questions.take(now)) this.#sink.solicit(neighbour, unicast);
    else this.#drops.add('neighbour-question-limit');
  }

  #keep(waiting: WaitingFrame): void {
    waiting.neighbour.waiting.push(waiting);
    this.#waiting.add(waiting);
    this.#waitingBytes += chargeOf(waiting);
    while (this.#waitingBytes > this.#limits.waitingBytes) {
      const [oldest] = this.#waiting;
      this.#dropOldest(oldest!.neighbour, 'neighbour-waiting-limit');
      this.#ranks.update(oldest!.neighbour);
    }
  }

  #releaseWaiting(neighbour: Neighbour): void {
    for (const waiting of neighbour.waiting.splice(0)) {
      this.#letGo(waiting);
      this.#sink.release(waiting, neighbour);
    }
  }

  /** Makes room. */
  #evict(): void {
    const least = this.#ranks.least();
    if (least === undefined) return;
    this.#drops.add('neighbour-evicted');
    this.#forget(least);
  }

  #forget(neighbour: Neighbour): void {
    this.#dropWaiting(neighbour, 'neighbour-forgotten');
    this.#timers.clear(neighbour);
    this.#ranks.remove(neighbour);
    this.#entries.remove(neighbour);
    neighbour.machine.take('forgotten', neighbour.usedAt);
    neighbour.isForgotten = true;
    neighbour.isResolved = false;
    neighbour.isFresh = false;
    neighbour.isProven = false;
    neighbour.solicitations = 0;
  }

  #dropWaiting({ waiting }: Neighbour, reason: string): void {
    if (waiting.length > 0) this.#drops.add(reason, waiting.length);
    for (const each of waiting.splice(0)) this.#letGo(each);
  }

  #dropOldest({ waiting }: Neighbour, reason: string): void {
    this.#drops.add(reason);
    this.#letGo(waiting.shift()!);
  }

  #letGo(waiting: WaitingFrame): void {
    this.#waiting.delete(waiting);
    this.#waitingBytes -= chargeOf(waiting);
  }
}

/** An allowance for what a frame takes beside its bytes. */
const FRAME_CHARGE = 256;

function chargeOf({ frame }: WaitingFrame): number {
  return frame.length + FRAME_CHARGE;
}
