/** What wakes a clock: a timer of the platform's, or one of the kernel's. */
import { Alarm, nativeAvailable } from '../../native/index.ts';

/** The longest delay the platform's timers take, about 25 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Calls what it was made with, once for each time it is set; perhaps too early, where the wait is a long one. */
export interface ClockAlarm {
  /** To call in so many milliseconds, more than 0, and not when it was set to before. */
  set(delay: number): void;
  /** Whether it keeps the process alive while it is set. */
  hold(holds: boolean): void;
}

/** By `setTimeout`: in whole milliseconds from the loop's cached time. */
export class PlatformAlarm implements ClockAlarm {
  readonly #ring: () => void;
  #timeout: NodeJS.Timeout | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(delay: number): void {
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(this.#ring, Math.min(Math.ceil(delay), LONGEST_DELAY));
  }

  hold(holds: boolean): void {
    if (holds) this.#timeout?.ref();
    else this.#timeout?.unref();
  }
}

/** By the kernel's high-resolution timers. */
export class PreciseAlarm implements ClockAlarm {
  readonly #alarm: Alarm;
  #holds = false;

  private constructor(ring: () => void) {
    this.#alarm = new Alarm(ring);
  }

  /** Undefined: there are no native calls here. */
  static tryMake(ring: () => void): PreciseAlarm | undefined {
    return nativeAvailable() === undefined ? new PreciseAlarm(ring) : undefined;
  }

  set(delay: number): void {
    this.#alarm.set(Math.min(delay, LONGEST_DELAY));
  }

  hold(holds: boolean): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (holds) this.#alarm.start();
    else this.#alarm.stop();
  }
}
