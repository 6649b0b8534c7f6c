import type { Timer } from './clock.ts';
import { NOT_QUEUED, TimerQueue, type TimerEntry } from './timer-queue.ts';

/** Deferred callbacks that have run before their places are given back. */
const COMPACTED_AT = 4096;

/**
 * What a clock that is driven by hand has still to call, and in which order; {@link ManualClock} and the simulator's clock
 * differ in how they are driven, and have this in common.
 *
 * The order at one instant is that of a platform's event loop: first the timers that are due, by deadline and among equals in the
 * order they were set; then the callbacks deferred so far, in order; then what those have made due or deferred, and so on.
 */
export class Agenda {
  readonly #timers = new TimerQueue<AgendaTimer>();
  #deferred: (() => void)[] = [];
  /** Index of the next callback of {@link #deferred}. */
  #next = 0;
  /** Where the round that has begun ends; what is deferred meanwhile belongs to the next. */
  #roundEnd = 0;

  timer(callback: () => void): Timer {
    return new AgendaTimer(this.#timers, callback);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** When the earliest timer is due; Infinity if none is set. */
  get timersDeadline(): number {
    return this.#timers.deadline();
  }

  /** When something is next to be called: `now` if a callback is deferred or a timer overdue; Infinity, if nothing ever. */
  deadline(now: number): number {
    if (this.#next < this.#deferred.length) return now;
    return Math.max(now, this.#timers.deadline());
  }

  /** Takes out what is to be called next at this instant; undefined: nothing, and time may go on. */
  take(now: number): (() => void) | undefined {
    return (
      (this.#next < this.#roundEnd ? this.takeDeferred() : undefined) ??
      this.#timers.takeDue(now)?.callback ??
      this.#takeFirstOfRound()
    );
  }

  /** Takes out the next deferred callback, whether or not a timer would come before it. */
  takeDeferred(): (() => void) | undefined {
    if (this.#next === this.#deferred.length) return undefined;
    const callback = this.#deferred[this.#next++]!;
    if (this.#next === this.#deferred.length) {
      this.#deferred.length = this.#next = this.#roundEnd = 0;
    } else if (this.#next === COMPACTED_AT) {
      this.#compact();
    }
    return callback;
  }

  #takeFirstOfRound(): (() => void) | undefined {
    this.#roundEnd = this.#deferred.length;
    return this.takeDeferred();
  }

  /** Lets go of callbacks that have run, where callbacks keep deferring others and the list never empties. */
  #compact(): void {
    this.#deferred = this.#deferred.slice(this.#next);
    this.#roundEnd = Math.max(0, this.#roundEnd - this.#next);
    this.#next = 0;
  }
}

class AgendaTimer implements Timer, TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly callback: () => void;
  readonly #queue: TimerQueue<AgendaTimer>;

  constructor(queue: TimerQueue<AgendaTimer>, callback: () => void) {
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
