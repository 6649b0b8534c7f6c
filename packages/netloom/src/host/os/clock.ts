import {
  NOT_QUEUED,
  TimerQueue,
  type Clock,
  type Timer,
  type TimerEntry,
} from '../../core/index.ts';

/** The longest delay the platform's timers take, about 25 days; a longer wait is made of several. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** How a {@link SystemClock} behaves towards its process. */
export interface SystemClockOptions {
  /**
   * Whether a timer that is set keeps the process alive, as `setTimeout` does. Default true: what was asked for will
   * happen. Give false for a clock of background work that must not hold up the exit (statistics, expiry of caches).
   */
  readonly keepsProcessAlive?: boolean;
}

/**
 * The platform's time: `performance.now()`, and any number of timers in one {@link TimerQueue} behind one `setTimeout`.
 *
 * A timer is never early. The platform's timers count whole milliseconds from the loop's cached time, so one may be up to
 * about two milliseconds late; a deadline that has passed already is served within the turn.
 */
export class SystemClock implements Clock {
  readonly #queue = new TimerQueue<SystemTimer>();
  readonly #keepsProcessAlive: boolean;
  #timeout: NodeJS.Timeout | undefined;
  /** When the platform will next call {@link #fire}; Infinity when it will not. */
  #armedFor = Infinity;
  #deferred: (() => void)[] = [];
  #deferredScheduled = false;

  constructor(options: SystemClockOptions = {}) {
    this.#keepsProcessAlive = options.keepsProcessAlive ?? true;
  }

  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }

  timer(callback: () => void): Timer {
    return new SystemTimer(this.#queue, this.#arm, callback);
  }

  /** After what the platform has at hand: in the loop's check phase (`setImmediate`), all deferred calls in one, in order. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
    this.#scheduleDeferred();
  }

  /** Sees that {@link #fire} is called at the earliest deadline or before. Called after each change of the queue. */
  readonly #arm = (): void => {
    const deadline = this.#queue.deadline();
    if (deadline === Infinity) {
      // The platform's timer stays armed (setting one anew costs more than its firing for nothing), but holds nobody up.
      this.#timeout?.unref();
    } else if (deadline >= this.#armedFor) {
      if (this.#keepsProcessAlive) this.#timeout?.ref();
    } else {
      this.#armFor(deadline, this.now());
    }
  };

  #armFor(deadline: number, now: number): void {
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
    if (deadline <= now) {
      this.#armedFor = -Infinity;
      this.defer(this.#fire);
      return;
    }
    const delay = Math.min(Math.ceil(deadline - now), LONGEST_DELAY);
    this.#armedFor = Math.min(deadline, now + LONGEST_DELAY);
    this.#timeout = setTimeout(this.#fire, delay);
    if (!this.#keepsProcessAlive) this.#timeout.unref();
  }

  readonly #fire = (): void => {
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#armedFor = Infinity;
    // All that are due are taken out first: one that a callback sets for a time gone by waits for the next turn, and
    // so cannot keep the loop from its other work.
    const now = this.now();
    const due: SystemTimer[] = [];
    for (;;) {
      const timer = this.#queue.takeDue(now);
      if (timer === undefined) break;
      timer.due = true;
      due.push(timer);
    }
    try {
      for (const timer of due) timer.fire();
    } finally {
      // After a callback that threw: the rest is due still.
      for (const timer of due) if (timer.due) timer.set(now);
      this.#arm();
    }
  };

  #scheduleDeferred(): void {
    if (this.#deferredScheduled) return;
    this.#deferredScheduled = true;
    setImmediate(this.#runDeferred);
  }

  readonly #runDeferred = (): void => {
    this.#deferredScheduled = false;
    const batch = this.#deferred;
    this.#deferred = [];
    let done = 0;
    try {
      while (done < batch.length) batch[done++]!();
    } finally {
      // After a callback that threw: the rest comes first in the next turn.
      if (done < batch.length) {
        this.#deferred = [...batch.slice(done), ...this.#deferred];
        this.#scheduleDeferred();
      }
    }
  };
}

/** A timer of a {@link SystemClock}. */
class SystemTimer implements Timer, TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  /** Taken out of the queue and about to be called. */
  due = false;
  readonly #queue: TimerQueue<SystemTimer>;
  readonly #changed: () => void;
  readonly #callback: () => void;

  constructor(queue: TimerQueue<SystemTimer>, changed: () => void, callback: () => void) {
    this.#queue = queue;
    this.#changed = changed;
    this.#callback = callback;
  }

  set(deadline: number): void {
    if (deadline === Infinity) {
      this.clear();
      return;
    }
    this.due = false;
    this.#queue.set(this, deadline);
    this.#changed();
  }

  clear(): void {
    this.due = false;
    this.#queue.clear(this);
    this.#changed();
  }

  /** Calls back, unless it was set anew or cleared since it became due. */
  fire(): void {
    if (!this.due) return;
    this.due = false;
    this.#callback();
  }
}
