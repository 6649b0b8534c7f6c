import { Agenda } from './agenda.ts';
import type { Clock, Timer } from './clock.ts';
import type { Engine } from './engine.ts';
import { NetloomError } from './errors.ts';
import { withLimits } from './limits.ts';

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
  /** What {@link ManualClock.wallTime} answers at first. Default {@link VIRTUAL_WALL_TIME}. */
  readonly wallTime?: number;
  readonly limits?: Partial<ManualClockLimits>;
}

/** What clocks that are driven by hand say at first to be the wall time, unless told otherwise: 2020-01-01T00:00:00Z, so that runs are alike. */
export const VIRTUAL_WALL_TIME = 1_577_836_800_000;

/**
 * A clock that goes only when it is told to: the clock of tests and of the simulator.
 *
 * What happens at one instant is in the order of an {@link Agenda}: timers that are due, then deferred callbacks, round by round.
 * A callback that throws ends the call it ran in with its error; the others stay in line and run with the next call.
 */
export class ManualClock implements Clock, Engine {
  #now: number;
  readonly #wallOffset: number;
  readonly #limits: ManualClockLimits;
  readonly #agenda = new Agenda();
  #running = false;

  constructor(options: ManualClockOptions = {}) {
    this.#now = options.start ?? 0;
    this.#wallOffset = (options.wallTime ?? VIRTUAL_WALL_TIME) - this.#now;
    this.#limits = withLimits(DEFAULT_LIMITS, options.limits);
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  timer(callback: () => void): Timer {
    return this.#agenda.timer(callback);
  }

  defer(callback: () => void): void {
    this.#agenda.defer(callback);
  }

  /** When something is next to be done: now, if a callback is deferred or a timer overdue; Infinity, if nothing ever. */
  deadline(): number {
    return this.#agenda.deadline(this.#now);
  }

  /** Goes on to `to`, calling back all that is due on the way, each at its own instant. A time that has passed stands for now. */
  advance(to: number): void {
    for (;;) {
      this.#runInstant();
      const next = this.#agenda.timersDeadline;
      if (!(next <= to)) break;
      this.#now = next;
    }
    this.#now = Math.max(this.#now, to);
  }

  /** Runs deferred callbacks, and those they defer, until there are none. Timers stay where they are, due or not. */
  runDeferred(): void {
    this.#bounded(() => call(this.#agenda.takeDeferred()));
  }

  /** Runs one callback that is due at this instant. False: there was none, and time may go on. */
  step(): boolean {
    let ran = false;
    this.#exclusive(() => {
      ran = call(this.#agenda.take(this.#now));
    });
    return ran;
  }

  #runInstant(): void {
    this.#bounded(() => call(this.#agenda.take(this.#now)));
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
}

/** Calls it, if there is one, and answers whether there was. */
function call(callback: (() => void) | undefined): boolean {
  callback?.();
  return callback !== undefined;
}
