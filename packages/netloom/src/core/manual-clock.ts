import type { Clock, Timer } from './clock.ts';
import type { Engine } from './engine.ts';
import { NetloomError } from './errors.ts';
import { withLimits } from './limits.ts';
import { TimerQueue, type TimerEntry } from './timer-queue.ts';

/** The limits of a {@link ManualClock}. */
export interface ManualClockLimits {
  /** Callbacks at one instant, after which {@link ManualClock.advance} gives up with `CLOCK_STUCK`: timers that set themselves to now never let time go on. */
  readonly callbacksPerInstant: number;
}

const DEFAULT_LIMITS: ManualClockLimits = { callbacksPerInstant: 10_000_000 };

/** What a {@link ManualClock} is made from. */
export interface ManualClockOptions {
  /** What {@link ManualClock.now} answers at first. Default 0. */
  readonly start?: number;
  /** What {@link ManualClock.wallTime} answers at first. Default 2020-01-01T00:00:00Z: a fixed moment, so that runs are alike. */
  readonly wallTime?: number;
  readonly limits?: Partial<ManualClockLimits>;
}

/** 2020-01-01T00:00:00Z */
const DEFAULT_WALL_TIME = 1_577_836_800_000;

/**
 * A clock that goes only when it is told to: the clock of tests and of the simulator.
 *
 * What happens at one instant is ordered as on a platform's event loop: first the timers that are due, by deadline
 * and among equals in the order they were set; then the callbacks deferred so far, in order; then what those have made
 * due or deferred, and so on until nothing is left. A callback that throws ends the call it ran in with its error; the others
 * stay in line and run with the next call.
 */
export class ManualClock implements Clock, Engine {
  #now: number;
  readonly #wallOffset: number;
  readonly #limits: ManualClockLimits;
  readonly #timers = new TimerQueue<ManualTimer>();
  #deferred: (() => void)[] = [];
  /** Index of the next callback of {@link #deferred} to run. */
  #next = 0;
  /** Deferred callbacks of the round that has begun; those deferred meanwhile belong to the next. */
  #roundEnd = 0;
  #running = false;

  constructor(options: ManualClockOptions = {}) {
    this.#now = options.start ?? 0;
    this.#wallOffset = (options.wallTime ?? DEFAULT_WALL_TIME) - this.#now;
    this.#limits = withLimits(DEFAULT_LIMITS, options.limits);
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  timer(callback: () => void): Timer {
    return new ManualTimer(this.#timers, callback);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** When something is next to be done: now, if a callback is deferred or a timer overdue; Infinity, if nothing ever. */
  deadline(): number {
    if (this.#next < this.#deferred.length) return this.#now;
    return Math.max(this.#now, this.#timers.deadline());
  }

  /** Goes on to `to`, calling back all that is due on the way, each at its own instant. A time that has passed stands for now. */
  advance(to: number): void {
    for (;;) {
      this.#runInstant();
      const next = this.#timers.deadline();
      if (!(next <= to)) break;
      this.#now = next;
    }
    this.#now = Math.max(this.#now, to);
  }

  /** Runs deferred callbacks, and those they defer, until there are none. Timers stay where they are, due or not. */
  runDeferred(): void {
    this.#bounded(() => this.#runOneDeferred());
  }

  /** Runs one callback that is due at this instant. False: there was none, and time may go on. */
  step(): boolean {
    let ran = false;
    this.#exclusive(() => {
      ran = this.#runOne();
    });
    return ran;
  }

  #runInstant(): void {
    this.#bounded(() => this.#runOne());
  }

  /** Calls `one` until it answers false, but not for ever. */
  #bounded(one: () => boolean): void {
    this.#exclusive(() => {
      let left = this.#limits.callbacksPerInstant;
      while (one()) {
        if (--left > 0) continue;
        throw new NetloomError(
          'CLOCK_STUCK',
          `${this.#limits.callbacksPerInstant} callbacks ran at the instant ${this.#now}, and more are due`,
          { remedy: 'Look for a timer or a deferred callback that sets itself again at once.' },
        );
      }
    });
  }

  /** A callback that drives the clock it is called by would see time go on under its feet. */
  #exclusive(run: () => void): void {
    if (this.#running) {
      throw new NetloomError('CLOCK_REENTERED', 'a callback of the clock tried to drive the clock');
    }
    this.#running = true;
    try {
      run();
    } finally {
      this.#running = false;
    }
  }

  #runOne(): boolean {
    if (this.#next < this.#roundEnd) return this.#runOneDeferred();
    const timer = this.#timers.takeDue(this.#now);
    if (timer !== undefined) {
      timer.callback();
      return true;
    }
    this.#roundEnd = this.#deferred.length;
    return this.#runOneDeferred();
  }

  #runOneDeferred(): boolean {
    if (this.#next === this.#deferred.length) {
      this.#deferred.length = this.#next = this.#roundEnd = 0;
      return false;
    }
    const callback = this.#deferred[this.#next++]!;
    if (this.#next === DEFERRED_COMPACTED_AT) this.#compact();
    callback();
    return true;
  }

  /** Lets go of callbacks that have run, where callbacks keep deferring others and the list never empties. */
  #compact(): void {
    this.#deferred = this.#deferred.slice(this.#next);
    this.#roundEnd = Math.max(0, this.#roundEnd - this.#next);
    this.#next = 0;
  }
}

/** Deferred callbacks that have run before their places are given back. */
const DEFERRED_COMPACTED_AT = 4096;

class ManualTimer implements Timer, TimerEntry {
  deadline = Infinity;
  position = -1;
  order = 0;
  readonly callback: () => void;
  readonly #queue: TimerQueue<ManualTimer>;

  constructor(queue: TimerQueue<ManualTimer>, callback: () => void) {
    this.#queue = queue;
    this.callback = callback;
  }

  set(deadline: number): void {
    if (deadline === Infinity) this.#queue.clear(this);
    else this.#queue.set(this, deadline);
  }

  clear(): void {
    this.#queue.clear(this);
  }
}
