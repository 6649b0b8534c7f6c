import {
  NOT_QUEUED,
  NetloomError,
  TimerQueue,
  type Clock,
  type Timer,
  type TimerEntry,
} from '../../core/index.ts';

/** 2020-01-01T00:00:00Z: a fixed moment, so that runs are alike. */
const WALL_TIME_AT_START = 1_577_836_800_000;

/** Deferred callbacks that have run before their places are given back. */
const COMPACTED_AT = 4096;

/**
 * The time of a simulated world. It stands still until {@link step} has nothing left to run, then jumps to the next timer.
 *
 * The order at one instant is that of `ManualClock`, which is an event loop's: the timers that are due, then what was deferred
 * by then, and so on. The difference is the driving: a `ManualClock` runs a whole instant in one call, and this one
 * a single callback, so that promises settle between any two, as they do on a platform.
 */
export class SimClock implements Clock {
  #now = 0;
  #steps = 0;
  /** Steps at the present instant. */
  #stepsHere = 0;
  readonly #stepsPerInstant: number;
  readonly #timers = new TimerQueue<SimTimer>();
  #deferred: (() => void)[] = [];
  /** Index of the next callback of {@link #deferred} to run. */
  #next = 0;
  /** Where the round that has begun ends; what is deferred meanwhile belongs to the next. */
  #roundEnd = 0;

  /** @param stepsPerInstant callbacks at one instant past which {@link step} throws `SIM_STUCK` */
  constructor(stepsPerInstant: number) {
    this.#stepsPerInstant = stepsPerInstant;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return WALL_TIME_AT_START + this.#now;
  }

  /** Callbacks run so far. */
  get steps(): number {
    return this.#steps;
  }

  timer(callback: () => void): Timer {
    return new SimTimer(this.#timers, callback);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** When something is next to be done: now, if a callback is deferred or a timer overdue; Infinity, if nothing ever. */
  deadline(): number {
    if (this.#next < this.#deferred.length) return this.#now;
    return Math.max(this.#now, this.#timers.deadline());
  }

  /** Runs the next callback, if it is due at `until` or before; time goes on to its instant. False: there is none. */
  step(until: number): boolean {
    const callback = this.#takeDeferred() ?? this.#takeTimer() ?? this.#takeNextRound();
    if (callback !== undefined) {
      this.#run(callback);
      return true;
    }
    const deadline = this.#timers.deadline();
    if (!(deadline <= until && deadline < Infinity)) return false;
    this.#now = deadline;
    this.#stepsHere = 0;
    this.#run(this.#takeTimer()!);
    return true;
  }

  /** Goes on to `to`, where {@link step} has nothing to run before. */
  skip(to: number): void {
    if (to > this.#now) {
      this.#now = to;
      this.#stepsHere = 0;
    }
  }

  #run(callback: () => void): void {
    this.#steps++;
    if (++this.#stepsHere > this.#stepsPerInstant) {
      throw new NetloomError(
        'SIM_STUCK',
        `${this.#stepsPerInstant} callbacks ran at ${this.#now} ms of virtual time, and more are due`,
        { remedy: 'Look for a timer, a deferred callback or a loop of promises that never waits.' },
      );
    }
    callback();
  }

  #takeTimer(): (() => void) | undefined {
    return this.#timers.takeDue(this.#now)?.callback;
  }

  /** The next callback of the round. */
  #takeDeferred(): (() => void) | undefined {
    if (this.#next >= this.#roundEnd) return undefined;
    const callback = this.#deferred[this.#next++]!;
    if (this.#next === this.#deferred.length) {
      this.#deferred.length = this.#next = this.#roundEnd = 0;
    } else if (this.#next === COMPACTED_AT) {
      this.#deferred = this.#deferred.slice(COMPACTED_AT);
      this.#roundEnd -= COMPACTED_AT;
      this.#next = 0;
    }
    return callback;
  }

  #takeNextRound(): (() => void) | undefined {
    this.#roundEnd = this.#deferred.length;
    return this.#takeDeferred();
  }
}

class SimTimer implements Timer, TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly callback: () => void;
  readonly #queue: TimerQueue<SimTimer>;

  constructor(queue: TimerQueue<SimTimer>, callback: () => void) {
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
