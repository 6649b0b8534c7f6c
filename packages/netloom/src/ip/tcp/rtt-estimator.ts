/**
 * Round-trip time and the retransmission timeout derived from it.
 *
 * Reading list: RFC 6298 (the estimator; rules are cited by their number there), RFC 7323, section 4 and appendix G
 * (many samples in one round trip), RFC 8985, section 6.2 (why RACK wants the minimum).
 */

/** Bounds of the {@link RttEstimator}, in milliseconds. */
export interface RttLimits {
  /** The timeout before there is a sample (2.1). */
  readonly initialTimeout: number;
  /** The timeout is never less (2.4). */
  readonly minimumTimeout: number;
  /** Nor more, backed off or not (2.5: at least 60 s). */
  readonly maximumTimeout: number;
  /** The timeout is at least so much above the smoothed round-trip time: the clock's granularity G of (2.3), and more. */
  readonly minimumMargin: number;
  /** A round-trip time older than this no longer counts for {@link RttEstimator.minimum}. */
  readonly minimumWindow: number;
}

/**
 * The defaults.
 *
 * The minimum is below the 1 s of (2.4), as in every widespread stack: tail loss probes and RACK make most of the timeouts
 * needless that it guards against. The margin is as large, because on a long and steady path the variation decays to
 * nothing, and then a single delayed acknowledgment would fire a timer that has the clock's granularity as its only slack.
 */
export const RTT_LIMITS: RttLimits = {
  initialTimeout: 1000,
  minimumTimeout: 200,
  maximumTimeout: 60_000,
  minimumMargin: 200,
  minimumWindow: 300_000,
};

/** The timeout of the first data when the SYN had to be sent again and nothing has been measured (5.7). */
const TIMEOUT_AFTER_LOST_SYN = 3000;

/** Estimates the round-trip time of one path. Allocation free. */
export class RttEstimator {
  /** The smoothed round-trip time, SRTT; 0 while there is no sample. */
  smoothed = 0;
  /** The round-trip time's variation, RTTVAR. */
  variation = 0;
  /** The latest sample; undefined while there is none. */
  latest: number | undefined;
  readonly #limits: RttLimits;
  readonly #minimum: WindowedMinimum;
  /** The timeout without back-off. */
  #timeout: number;

  constructor(limits: RttLimits = RTT_LIMITS) {
    this.#limits = limits;
    this.#timeout = limits.initialTimeout;
    this.#minimum = new WindowedMinimum(limits.minimumWindow);
  }

  /** The least round-trip time of the last minutes; Infinity while there is no sample. */
  get minimum(): number {
    return this.#minimum.value;
  }

  /** Whether anything has been measured. */
  get hasSample(): boolean {
    return this.latest !== undefined;
  }

  /**
   * The retransmission timeout, RTO, doubled for each of the timeouts that have gone by in a row (5.5). The owner of the
   * timer counts those, and starts from 0 again when new data is acknowledged.
   */
  timeout(timeoutsInARow = 0): number {
    return Math.min(this.#timeout * 2 ** timeoutsInARow, this.#limits.maximumTimeout);
  }

  /**
   * Takes a sample, measured at `now`. It must not be of a segment sent more than once, unless a timestamp tells which
   * transmission was answered (3, Karn's algorithm).
   *
   * `expectedSamples` is how many samples a round trip is likely to bring: with timestamps, half the segments in flight. Each is
   * weighted the less, so that the estimate remembers as many round trips as with one sample in each (RFC 7323, appendix G).
   */
  sample(roundTrip: number, now: number, expectedSamples = 1): void {
    const rtt = Math.max(roundTrip, 0);
    this.#minimum.add(rtt, now);
    if (this.latest === undefined) {
      // (2.2)
      this.smoothed = rtt;
      this.variation = rtt / 2;
    } else {
      // (2.3): the variation first, for it needs the old mean.
      const share = 1 / Math.max(1, Math.ceil(expectedSamples));
      this.variation += (share / 4) * (Math.abs(this.smoothed - rtt) - this.variation);
      this.smoothed += (share / 8) * (rtt - this.smoothed);
    }
    this.latest = rtt;
    const margin = Math.max(4 * this.variation, this.#limits.minimumMargin);
    this.#timeout = Math.max(this.smoothed + margin, this.#limits.minimumTimeout);
  }

  /** The handshake is done, but its SYN was sent more than once, so that nothing could be measured (5.7). */
  handshakeRetransmitted(): void {
    if (this.hasSample) return;
    this.#timeout = Math.max(this.#limits.initialTimeout, TIMEOUT_AFTER_LOST_SYN);
  }
}

/**
 * The least of the values of a window of time, in constant space: the least of the present half of the window and the
 * least of the half before it. So it covers between one half and the whole of the window.
 */
class WindowedMinimum {
  /** Infinity while no value counts. */
  value = Infinity;
  readonly #half: number;
  #halfStart = -Infinity;
  #present = Infinity;
  #previous = Infinity;

  constructor(window: number) {
    this.#half = window / 2;
  }

  add(value: number, now: number): void {
    const halves = Math.floor((now - this.#halfStart) / this.#half);
    if (halves > 0) {
      this.#previous = halves === 1 ? this.#present : Infinity;
      this.#present = Infinity;
      this.#halfStart = halves === Infinity ? now : this.#halfStart + halves * this.#half;
    }
    if (value < this.#present) this.#present = value;
    this.value = Math.min(this.#present, this.#previous);
  }
}
