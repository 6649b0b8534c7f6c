import {
  Agenda,
  NetloomError,
  VIRTUAL_WALL_TIME,
  type Clock,
  type Timer,
} from '../../core/index.ts';

/**
 * The time of a simulated world. It stands still until {@link step} has nothing left to run, then jumps to the next timer.
 *
 * The order at one instant is that of `ManualClock`, an {@link Agenda}'s. The difference is the driving: a `ManualClock` runs a whole
 * instant in one call, and this one a single callback, so that promises settle between any two, as they do on a platform.
 */
export class SimClock implements Clock {
  #now = 0;
  #steps = 0;
  /** Steps at the present instant. */
  #stepsHere = 0;
  readonly #stepsPerInstant: number;
  readonly #agenda = new Agenda();

  /** @param stepsPerInstant callbacks at one instant past which {@link step} throws `SIM_STUCK` */
  constructor(stepsPerInstant: number) {
    this.#stepsPerInstant = stepsPerInstant;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return VIRTUAL_WALL_TIME + this.#now;
  }

  /** Callbacks run so far. */
  get steps(): number {
    return this.#steps;
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

  /** Runs the next callback, if it is due at `until` or before; time goes on to its instant. False: there is none. */
  step(until: number): boolean {
    let callback = this.#agenda.take(this.#now);
    if (callback === undefined) {
      const deadline = this.#agenda.timersDeadline;
      if (!(deadline <= until && deadline < Infinity)) return false;
      this.skip(deadline);
      callback = this.#agenda.take(deadline)!;
    }
    this.#run(callback);
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
}
