/**
 * A token bucket: how often something may be done that an outsider can provoke. For ICMP errors (RFC 4443, section 2.4 f;
 * RFC 1812, section 4.3.2.8) and challenge ACKs (RFC 5961, section 7). It allocates nothing.
 */
export class RateLimiter {
  readonly #perMillisecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = 0;

  /** `perSecond` in the long run, and `burst` at once after a quiet time. It begins full. A burst below 1 allows nothing. */
  constructor(perSecond: number, burst: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether it may be done at `now`; if so, it counts as done. */
  take(now: number): boolean {
    const elapsed = now - this.#filledAt;
    if (elapsed > 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + elapsed * this.#perMillisecond);
      this.#filledAt = now;
    }
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
