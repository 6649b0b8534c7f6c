/**
 * The increase of the window in slow start: as many bytes as were acknowledged, within a limit for each
 * acknowledgment (RFC 5681, section 3.1; RFC 3465, section 2.2).
 */
export class SlowStart {
  readonly #limit: number;
  /** Rounds until nothing that was in flight at the last timeout can still be acknowledged. */
  #roundsOfCaution = 0;

  /** `limit` is L of RFC 3465, in segments. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes the window grows by. */
  increase(bytes: number, roundStarted: boolean, maximumSegmentSize: number): number {
    if (roundStarted && this.#roundsOfCaution > 0) this.#roundsOfCaution--;
    const limit = this.#roundsOfCaution > 0 ? 1 : this.#limit;
    return Math.min(bytes, limit * maximumSegmentSize);
  }

  /**
   * After a timeout one acknowledgment may cover much that had arrived before it, which says nothing of the
   * network now: it counts for one segment (RFC 3465, section 2.3). The second round from here began after the timeout.
   */
  timedOut(): void {
    this.#roundsOfCaution = 2;
  }
}
