/** Samples kept over the window. */
const SAMPLES = 50;

/** Tells how fast something comes, over the last seconds. */
export class RateMeter {
  readonly #window: number;
  /** Positions and when they were reached, oldest first. */
  #samples: { readonly at: number; readonly position: number }[];

  /** `window` is in milliseconds. */
  constructor(window: number, now: number, position: number) {
    this.#window = window;
    this.#samples = [{ at: now, position }];
  }

  /** Notes how far it has come. */
  note(now: number, position: number): void {
    const last = this.#samples.at(-1)!;
    if (position < last.position) this.#samples = [];
    else if (now - last.at < this.#window / SAMPLES) return;
    this.#samples.push({ at: now, position });
    // One sample older than the window stays, so that the window is covered.
    while (this.#samples.length > 1 && this.#samples[1]!.at <= now - this.#window) {
      this.#samples.shift();
    }
  }

  /** Units a second, up to `position` now; 0 as long as nothing can be said. */
  rate(now: number, position: number): number {
    const first = this.#samples[0]!;
    const elapsed = now - first.at;
    return elapsed <= 0 ? 0 : Math.max(0, ((position - first.position) * 1000) / elapsed);
  }
}
