import { TokenBucket, type Clock, type Timer } from '../../core/index.ts';

/** Milliseconds. Where a turn of the event loop takes longer, a turn is that: a timer is called once in it. */
const TURN = 1;

/** After a quiet time a guest may begin what it could in so many turns. */
const QUIET_TURNS = 8;

/** So many of one station may wait before {@link FlowStarts.isFull} says so. */
const WAITING = 256;

/** Stations that are told apart. */
const STARTERS = 1024;

/** A guest, by its station. */
interface Starter {
  /** What it may begin at once. */
  readonly credit: TokenBucket;
  /** What waits, oldest first. */
  readonly waiting: Set<() => boolean>;
}

/**
 * Begins flows in turns. A flow costs a socket, which is as much work as many packets, and all guests share one thread: so each of them begins so many in one turn, and what is
 * more waits for the next, before which the others' packets are read as well. Whoever asks for few waits for nothing.
 *
 * A station is forgotten when it could begin as much as one never seen. Those that come while too many others cannot count as one station: made-up ones gain nothing.
 */
export class FlowStarts {
  readonly #perTurn: number;
  readonly #clock: Clock;
  readonly #timer: Timer;
  /** By station; in the order of use. */
  readonly #starters = new Map<number, Starter>();
  /** Whoever there was no room for. */
  readonly #others: Starter;
  /** Those with something that waits. */
  readonly #busy = new Set<Starter>();

  /** @param perTurn how many a station begins in one turn, where more wait */
  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock;
    this.#perTurn = perTurn;
    this.#timer = clock.timer(() => this.#turn());
    this.#others = this.#newStarter();
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#busy].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  /** Whether so much of a station waits that no more is to be asked for. */
  isFull(station: number): boolean {
    return this.#starterOf(station, this.#clock.now()).waiting.size >= WAITING;
  }

  /** Calls `begin` at once, or in a later turn; false from it: nothing had to be begun any more. Whoever calls has asked {@link isFull}, or has a limit of its own. */
  run(station: number, begin: () => boolean): void {
    const now = this.#clock.now();
    const starter = this.#starterOf(station, now);
    const { credit, waiting } = starter;
    if (waiting.size === 0 && credit.readyAt(now) <= now) {
      if (begin()) credit.take(now);
      return;
    }
    if (this.#busy.size === 0) this.#timer.set(now + TURN);
    this.#busy.add(starter);
    waiting.add(begin);
  }

  #starterOf(station: number, now: number): Starter {
    const known = this.#starters.get(station);
    if (known === undefined && this.#starters.size >= STARTERS && !this.#forget(now)) {
      return this.#others;
    }
    const starter = known ?? this.#newStarter();
    this.#starters.delete(station);
    this.#starters.set(station, starter);
    return starter;
  }

  #newStarter(): Starter {
    return {
      credit: new TokenBucket((1000 / TURN) * this.#perTurn, QUIET_TURNS * this.#perTurn),
      waiting: new Set(),
    };
  }

  /** Forgets the station that has asked for nothing for longest. False: it would gain by that. */
  #forget(now: number): boolean {
    for (const [station, { credit, waiting }] of this.#starters) {
      if (waiting.size > 0) continue;
      const isRested = credit.readyAt(now, QUIET_TURNS * this.#perTurn) <= now;
      return isRested && this.#starters.delete(station);
    }
    return false;
  }

  #turn(): void {
    const now = this.#clock.now();
    for (const starter of this.#busy) {
      let left = this.#perTurn;
      for (const begin of starter.waiting) {
        if (left <= 0) break;
        starter.waiting.delete(begin);
        if (begin()) left--;
      }
      starter.credit.drain(now);
      if (starter.waiting.size === 0) this.#busy.delete(starter);
    }
    if (this.#busy.size > 0) this.#timer.set(this.#clock.now() + TURN);
  }
}
