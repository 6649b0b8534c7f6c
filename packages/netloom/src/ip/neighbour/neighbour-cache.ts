import { type Counters, type IpAddress, type Random, TimerQueue } from '../../core/index.ts';
import type { FrameOffload } from '../../link/index.ts';
import { Neighbour, type WaitingFrame } from './neighbour.ts';

/** Limits and times of a neighbour cache; times in milliseconds, defaults of RFC 4861, section 10. */
export interface NeighbourLimits {
  readonly neighbours: number;
  /** Frames that wait for one link address (RFC 4861, section 7.2.2: at least one). */
  readonly waitingFrames: number;
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
  readonly #entries = new Map<string, Neighbour>();
  readonly #timers = new TimerQueue<Neighbour>();

  constructor(limits: NeighbourLimits, sink: NeighbourSink, random: Random, drops: Counters) {
    this.#limits = limits;
    this.#sink = sink;
    this.#random = random;
    this.#drops = drops;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<Neighbour> {
    return this.#entries.values();
  }

  find(address: IpAddress): Neighbour | undefined {
    return this.#entries.get(address.toString());
  }

  /** The entry for this address, made if it is not there. */
  get(address: IpAddress, now: number): Neighbour {
    const key = address.toString();
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made = new Neighbour(address);
    made.usedAt = now;
    this.#add(key, made);
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
    if (!neighbour.machine.can('use')) return neighbour.isResolved;
    // A failed neighbour is not asked again at once.
    if (neighbour.state === 'failed' && now < neighbour.deadline) return false;
    const state = neighbour.machine.take('use', now);
    if (state === 'delay') {
      this.#setTimer(neighbour, now + this.#limits.delayFirstProbe);
    } else {
      neighbour.solicitations = 0;
    }
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
      neighbour.waiting.shift();
      this.#drops.add('neighbour-queue-full');
    }
    neighbour.waiting.push({ frame: frame.slice(), offload: offload && { ...offload } });
    if (neighbour.solicitations === 0) this.#solicit(neighbour, now);
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
    if (solicited) this.#reachable(neighbour, now);
    else if (changed) this.#heard(neighbour, now);
    this.#releaseWaiting(neighbour);
  }

  /** Another link address has been heard that may not take the place of the one known: so that one is to be proven again (RFC 4861, section 7.2.5). */
  doubt(neighbour: Neighbour, now: number): void {
    if (neighbour.state === 'reachable') this.#heard(neighbour, now);
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const neighbour = this.#timers.takeDue(now);
      if (neighbour === undefined) return;
      this.#elapsed(neighbour, now);
    }
  }

  /** Forgets everything: the link went down. */
  clear(): void {
    for (const neighbour of this.#entries.values()) this.#forget(neighbour);
  }

  /** The cache's entry for the address of one that is not in it any more: another by now, or this one again. */
  #recall(neighbour: Neighbour): Neighbour {
    const key = neighbour.address.toString();
    const other = this.#entries.get(key);
    if (other !== undefined) return other;
    neighbour.isForgotten = false;
    this.#add(key, neighbour);
    return neighbour;
  }

  #add(key: string, neighbour: Neighbour): void {
    if (this.#entries.size >= this.#limits.neighbours) this.#evict();
    this.#entries.set(key, neighbour);
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
    neighbour.solicitations = 0;
    neighbour.confirmedByUse = false;
    // Between 0.5 and 1.5 times the base, so that stations do not ask in step (RFC 4861, section 6.3.2).
    const time = this.#limits.reachableTime * (0.5 + this.#random.float());
    this.#setTimer(neighbour, now + time);
  }

  #elapsed(neighbour: Neighbour, now: number): void {
    const { state } = neighbour;
    if ((state === 'reachable' || state === 'delay') && neighbour.confirmedByUse) {
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
    this.#sink.solicit(neighbour, unicast);
  }

  #releaseWaiting(neighbour: Neighbour): void {
    for (const waiting of neighbour.waiting.splice(0)) this.#sink.release(waiting, neighbour);
  }

  /**
   * Makes room: one that is not known to be there goes first, since a scan brings nothing but those; among equals the longest unused. A full
   * cache is rare, so a search is cheap enough.
   */
  #evict(): void {
    let least: Neighbour | undefined;
    for (const neighbour of this.#entries.values()) {
      if (least === undefined || isWorthLess(neighbour, least)) least = neighbour;
    }
    if (least === undefined) return;
    this.#drops.add('neighbour-evicted');
    this.#forget(least);
  }

  #forget(neighbour: Neighbour): void {
    this.#dropWaiting(neighbour, 'neighbour-forgotten');
    this.#timers.clear(neighbour);
    this.#entries.delete(neighbour.address.toString());
    neighbour.machine.take('forgotten', neighbour.usedAt);
    neighbour.isForgotten = true;
    neighbour.isResolved = false;
    neighbour.isFresh = false;
    neighbour.solicitations = 0;
  }

  #dropWaiting({ waiting }: Neighbour, reason: string): void {
    if (waiting.length > 0) this.#drops.add(reason, waiting.length);
    waiting.length = 0;
  }
}

function isWorthLess(a: Neighbour, b: Neighbour): boolean {
  return worth(a) < worth(b) || (worth(a) === worth(b) && a.usedAt < b.usedAt);
}

/** How much is known of a neighbour: nothing, only its address, or that it is there. */
function worth({ state, isResolved }: Neighbour): number {
  if (!isResolved) return 0;
  return state === 'stale' ? 1 : 2;
}
