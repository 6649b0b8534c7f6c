import { NOT_QUEUED, type Random, type TimerQueue } from '../../core/index.ts';
import { SOLICITATION_JITTER, type SlaacLimits } from './limits.ts';
import type { SlaacTimer } from './timer.ts';

/** When to ask for routers: again and again, ever more seldom, until one answers (RFC 7559, section 2; the times as in RFC 8415, section 15). */
export class SolicitationTimer implements SlaacTimer {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly #timers: TimerQueue<SlaacTimer>;
  readonly #random: Random;
  readonly #limits: SlaacLimits;
  readonly #due: () => void;
  /** The interval that was waited last; 0: none yet. */
  #interval = 0;

  constructor(
    timers: TimerQueue<SlaacTimer>,
    random: Random,
    limits: SlaacLimits,
    due: () => void,
  ) {
    this.#timers = timers;
    this.#random = random;
    this.#limits = limits;
    this.#due = due;
  }

  /** Asks at `at` for the first time. */
  start(at: number): void {
    this.#interval = 0;
    this.#timers.set(this, at);
  }

  stop(): void {
    this.#timers.clear(this);
  }

  elapsed(now: number): void {
    this.#interval = this.#nextInterval();
    this.#timers.set(this, now + this.#interval);
    this.#due();
  }

  #nextInterval(): number {
    const { firstSolicitationInterval: first, longestSolicitationInterval: longest } = this.#limits;
    const jitter = (2 * this.#random.float() - 1) * SOLICITATION_JITTER;
    if (this.#interval === 0) return first * (1 + jitter);
    const doubled = this.#interval * (2 + jitter);
    return doubled > longest ? longest * (1 + jitter) : doubled;
  }
}
