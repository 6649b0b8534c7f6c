import type { Clock, Timer } from '../../core/index.ts';

/** Milliseconds. Where a turn of the event loop takes longer, a turn is that: a timer is called once in it. */
const TURN = 1;

/** After a quiet time a guest may begin what it could in so many turns. */
const QUIET_TURNS = 8;

/** A guest, by its station. */
interface Starter {
  /** How many it may begin at once, as of a time. */
  credit: number;
  at: number;
  /** What waits, oldest first. */
  readonly waiting: Set<() => boolean>;
}

/** So many of one station may wait before {@link FlowStarts.isFull} says so. */
const WAITING = 256;

/** Stations whose credit is remembered; what is forgotten was in no hurry. */
const STARTERS = 1024;

/**
 * Begins flows in turns. A flow costs a socket, which is as much work as many packets, and all guests share one thread: so each of them begins so many in one turn, and what is
 * more waits for the next, before which the others' packets are read as well. Whoever asks for few waits for nothing.
 */
export class FlowStarts {
  readonly #perTurn: number;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #starters = new Map<number, Starter>();
  /** Those of them with something that waits. */
  readonly #busy = new Set<Starter>();

  /** @param perTurn how many a station begins in one turn, where more wait */
  constructor(clock: Clock, perTurn: number) {
    this.#clock = clock;
    this.#perTurn = perTurn;
    this.#timer = clock.timer(() => this.#turn());
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#busy].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  /** Whether so much of a station waits that no more is to be asked for. */
  isFull(station: number): boolean {
    return (this.#starters.get(station)?.waiting.size ?? 0) >= WAITING;
  }

  /** Calls `begin` at once, or in a later turn; false from it: nothing had to be begun any more. Whoever calls has asked {@link isFull}, or has a limit of its own. */
  run(station: number, begin: () => boolean): void {
    const now = this.#clock.now();
    const starter = this.#starterOf(station, now);
    if (starter.waiting.size === 0) this.#fill(starter, now);
    if (starter.waiting.size === 0 && starter.credit >= 1) {
      if (begin()) starter.credit--;
      return;
    }
    if (this.#busy.size === 0) this.#timer.set(now + TURN);
    this.#busy.add(starter);
    starter.waiting.add(begin);
  }

  #starterOf(station: number, now: number): Starter {
    const known = this.#starters.get(station);
    if (known !== undefined) return known;
    if (this.#starters.size >= STARTERS) this.#forget();
    const made = {
      credit: QUIET_TURNS * this.#perTurn,
      at: now,
      waiting: new Set<() => boolean>(),
    };
    this.#starters.set(station, made);
    return made;
  }

  #forget(): void {
    for (const [station, { waiting }] of this.#starters) {
      if (waiting.size === 0) this.#starters.delete(station);
    }
  }

  #fill(starter: Starter, now: number): void {
    const earned = ((now - starter.at) / TURN) * this.#perTurn;
    starter.credit = Math.min(starter.credit + earned, QUIET_TURNS * this.#perTurn);
    starter.at = now;
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
      starter.credit = 0;
      starter.at = now;
      if (starter.waiting.size === 0) this.#busy.delete(starter);
    }
    if (this.#busy.size > 0) this.#timer.set(this.#clock.now() + TURN);
  }
}
