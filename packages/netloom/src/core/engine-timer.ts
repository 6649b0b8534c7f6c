import type { Clock, Timer } from './clock.ts';
import type { Engine } from './engine.ts';

/** Keeps an engine's deadline with a clock: call {@link update} after whatever may have moved it. */
export class EngineTimer {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #timer: Timer;

  constructor(clock: Clock, engine: Engine) {
    this.#clock = clock;
    this.#engine = engine;
    this.#timer = clock.timer(() => this.#fire());
  }

  /** Sees that the engine is called at its deadline. */
  update(): void {
    const deadline = this.#engine.deadline();
    if (deadline === Infinity) {
      if (this.#timer.deadline !== Infinity) this.#timer.clear();
    } else if (deadline < this.#timer.deadline) {
      // A deadline that has moved away (they do, with each byte) waits for the timer to find that out.
      this.#timer.set(deadline);
    }
  }

  #fire(): void {
    const now = this.#clock.now();
    if (now >= this.#engine.deadline()) this.#engine.advance(now);
    this.update();
  }
}
