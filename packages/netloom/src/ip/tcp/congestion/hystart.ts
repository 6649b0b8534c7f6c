/** The constants of RFC 9406, section 4.3. Milliseconds where they are times. */
const MINIMUM_THRESHOLD = 4;
const MAXIMUM_THRESHOLD = 16;
const THRESHOLD_DIVISOR = 8;
const SAMPLES_NEEDED = 8;
const CONSERVATIVE_GROWTH_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;

/**
 * HyStart++ (RFC 9406): leaves slow start when the round-trip time shows that a queue is building, before it overflows.
 *
 * A rise of the round-trip time leads to conservative slow start, which grows a quarter as fast. If the round-trip time comes down
 * again there, the rise was jitter, and slow start goes on; if not, slow start has ended after five rounds.
 * Of use in the first slow start only, when there is no threshold yet.
 */
export class HyStart {
  /** What the increase of slow start is to be divided by: 1, or 4 in conservative slow start. */
  growthDivisor = 1;
  #lastRoundMinimum = Infinity;
  #roundMinimum = Infinity;
  #samples = 0;
  /** What the round-trip time was when conservative slow start began. */
  #baseline = Infinity;
  #conservativeRounds = 0;

  /** Takes what an acknowledgment measured. True: slow start is over, the window it reached is the threshold. */
  acknowledged(rtt: number | undefined, roundStarted: boolean): boolean {
    if (rtt !== undefined) this.#sample(rtt);
    return roundStarted && this.#endRound();
  }

  #sample(rtt: number): void {
    this.#samples++;
    if (rtt < this.#roundMinimum) this.#roundMinimum = rtt;
    if (this.#samples < SAMPLES_NEEDED) return;
    if (this.growthDivisor !== 1) {
      if (this.#roundMinimum < this.#baseline) this.growthDivisor = 1;
    } else if (this.#roundMinimum >= this.#lastRoundMinimum + this.#threshold()) {
      this.#baseline = this.#roundMinimum;
      this.#conservativeRounds = 0;
      this.growthDivisor = CONSERVATIVE_GROWTH_DIVISOR;
    }
  }

  /** The rise of the round-trip time that counts (RttThresh). */
  #threshold(): number {
    const share = this.#lastRoundMinimum / THRESHOLD_DIVISOR;
    return Math.max(MINIMUM_THRESHOLD, Math.min(share, MAXIMUM_THRESHOLD));
  }

  /** Answers whether the last conservative round has passed; the one it began in counts. */
  #endRound(): boolean {
    this.#lastRoundMinimum = this.#roundMinimum;
    this.#roundMinimum = Infinity;
    this.#samples = 0;
    return this.growthDivisor !== 1 && ++this.#conservativeRounds >= CONSERVATIVE_ROUNDS;
  }
}
