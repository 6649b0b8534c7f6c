import {
  NOT_QUEUED,
  TimerQueue,
  type Clock,
  type Timer,
  type TimerEntry,
} from '../../core/index.ts';
import { ReadinessWatcher } from '../../native/index.ts';
import { PlatformAlarm, PreciseAlarm, type ClockAlarm } from './clock-alarm.ts';

/**
 * How often, within one turn of the loop, calls are made that deferred calls have deferred: a frame that comes in and leaves by a socket takes two, and one more
 * where a switch is between. With a turn for each a round trip of 64 bytes through this process took 46 us instead of 43 (the least median of several runs).
 * What is beyond waits for a turn, so that calls that defer themselves do not keep the loop from its other work.
 */
const ROUNDS_IN_TURN = 4;

/** How a {@link SystemClock} behaves towards its process. */
export interface SystemClockOptions {
  /**
   * Whether a timer that is set keeps the process alive, as `setTimeout` does. Default true: what was asked for will
   * happen. Give false for a clock of background work that must not hold up the exit (statistics, expiry of caches).
   */
  readonly keepsProcessAlive?: boolean;
  /**
   * Whether timers are to be precise: late by some tenths of a millisecond on an idle machine, instead of by one or two. Costs a system call each time the earliest
   * deadline changes, and a descriptor as long as the process lives: for a clock by which lines are slow on purpose. Where there are no native calls, and for
   * a clock that does not keep the process alive, it is as without. Default false.
   */
  readonly precise?: boolean;
}

/**
 * The platform's time: `performance.now()`, and any number of timers in one {@link TimerQueue} behind one alarm.
 *
 * A timer is never early. The platform's timers count whole milliseconds from the loop's cached time, so one may be up to
 * about two milliseconds late, unless the clock is {@link SystemClockOptions.precise}; a deadline that has passed already is served within the turn.
 */
export class SystemClock implements Clock {
  readonly #queue = new TimerQueue<SystemTimer>();
  readonly #keepsProcessAlive: boolean;
  readonly #alarm: ClockAlarm;
  /** When the platform will next call {@link #fire}; Infinity when it will not. */
  #armedFor = Infinity;
  #deferred: (() => void)[] = [];
  #deferredScheduled = false;
  #isRunningDeferred = false;
  /** Of {@link ROUNDS_IN_TURN}: those that were begun. */
  #rounds = 0;

  constructor(options: SystemClockOptions = {}) {
    this.#keepsProcessAlive = options.keepsProcessAlive ?? true;
    const isPrecise = options.precise === true && this.#keepsProcessAlive;
    const precise = isPrecise ? PreciseAlarm.tryMake(this.#fire) : undefined;
    this.#alarm = precise ?? new PlatformAlarm(this.#fire);
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

  /** After what the platform has at hand: in the loop's check phase (`setImmediate`), all deferred calls in one, in order; of that phase at its end. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
    this.#scheduleDeferred();
  }

  /** Sees that {@link #fire} is called at the earliest deadline or before. Called after each change of the queue. */
  readonly #arm = (): void => {
    const deadline = this.#queue.deadline();
    if (deadline === Infinity) {
      // The alarm stays set (setting it anew costs more than its ringing for nothing), but holds nobody up.
      this.#alarm.hold(false);
    } else if (deadline >= this.#armedFor) {
      this.#alarm.hold(this.#keepsProcessAlive);
    } else {
      this.#armFor(deadline, this.now());
    }
  };

  #armFor(deadline: number, now: number): void {
    if (deadline <= now) {
      this.#armedFor = -Infinity;
      this.defer(this.#fire);
      return;
    }
    this.#armedFor = deadline;
    this.#alarm.set(deadline - now);
    this.#alarm.hold(this.#keepsProcessAlive);
  }

  readonly #fire = (): void => {
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
    const isInCheckPhase = this.#isRunningDeferred || ReadinessWatcher.isCalling;
    if (ReadinessWatcher.isCalling) this.#rounds = 0;
    if (isInCheckPhase && this.#rounds < ROUNDS_IN_TURN) {
      this.#rounds++;
      process.nextTick(this.#runDeferred);
    } else {
      setImmediate(this.#runDeferredInNewTurn);
    }
  }

  readonly #runDeferredInNewTurn = (): void => {
    this.#rounds = 0;
    this.#runDeferred();
  };

  readonly #runDeferred = (): void => {
    this.#deferredScheduled = false;
    const batch = this.#deferred;
    this.#deferred = [];
    let done = 0;
    this.#isRunningDeferred = true;
    try {
      while (done < batch.length) batch[done++]!();
    } finally {
      this.#isRunningDeferred = false;
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
