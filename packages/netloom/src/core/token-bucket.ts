/** What rounding may cost: so that a bucket that is full enough at the time {@link TokenBucket.readyAt} told is not a hair too empty. */
const ROUNDING = 1e-6;

/**
 * A token bucket: how much of something may be done in the long run, and how much at once after a quiet time. It begins full, and allocates
 * nothing.
 *
 * More than the bucket can hold may be taken when it is full, and leaves it in debt: so a large frame passes a small bucket, and the
 * rate holds. A bucket that holds nothing gives nothing.
 */
export class TokenBucket {
  readonly #perMillisecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether so much may be done at `now`; if so, it counts as done. */
  take(now: number, amount = 1): boolean {
    this.#fill(now);
    if (this.#tokens + ROUNDING < this.#needed(amount)) return false;
    this.#tokens -= amount;
    return true;
  }

  /** When {@link take} will allow so much, if nothing is taken meanwhile: `now` or later; Infinity: never. */
  readyAt(now: number, amount = 1): number {
    this.#fill(now);
    const missing = this.#needed(amount) - this.#tokens;
    return missing <= ROUNDING ? now : now + missing / this.#perMillisecond;
  }

  /** Takes whatever there is at `now`; a debt stays one. */
  drain(now: number): void {
    this.#fill(now);
    this.#tokens = Math.min(this.#tokens, 0);
  }

  #needed(amount: number): number {
    return this.#burst > 0 ? Math.min(amount, this.#burst) : Infinity;
  }

  #fill(now: number): void {
    const elapsed = now - this.#filledAt;
    if (elapsed <= 0) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMillisecond);
    this.#filledAt = now;
  }
}
