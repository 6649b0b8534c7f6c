/** The longest pause within a train, in milliseconds, and as a share of the round-trip time: the smaller one counts. */
const LONGEST_PAUSE = 2;
const PAUSE_DIVISOR = 16;
/** Round trips shorter than this tell nothing: what delays acknowledgments by chance is of the same size. */
const LEAST_ROUND_TRIP = 8;

/**
 * The sign by which the hybrid slow start of Ha and Rhee (2011) leaves slow start before a queue builds; RFC 9438, section 4.10 names it
 * as another choice beside HyStart++.
 *
 * Acknowledgments return at the pace of the narrowest link. When they follow each other for half of the round-trip time, the window they
 * answer filled half of the path; each of them has let out twice what it acknowledged, so by now the window is about what the path holds. The
 * round-trip time shows the same, but its least of a round only in the round after, when the window has doubled once more.
 */
export class AcknowledgmentTrain {
  #start = 0;
  #last = 0;

  /** An acknowledgment has come. True: the window fills the path. */
  acknowledged(now: number, minRtt: number): boolean {
    if (now - this.#last > Math.min(LONGEST_PAUSE, minRtt / PAUSE_DIVISOR)) this.#start = now;
    this.#last = now;
    return minRtt >= LEAST_ROUND_TRIP && now - this.#start >= minRtt / 2;
  }
}
