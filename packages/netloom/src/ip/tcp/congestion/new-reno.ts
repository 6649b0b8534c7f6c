import {
  MAXIMUM_WINDOW,
  initialWindow,
  windowAfterIdle,
  type AcknowledgedBytes,
  type CongestionControl,
  type CongestionOptions,
} from './congestion-control.ts';
import { SlowStart } from './slow-start.ts';

/** L of RFC 3465, section 2.2. */
const ACKNOWLEDGMENT_LIMIT = 2;

/**
 * The standard's own congestion control (RFC 5681, with RFC 6582 for the end of a recovery): one segment more for each round trip,
 * half the window at a loss. Counts bytes (RFC 3465).
 */
export class NewReno implements CongestionControl {
  readonly name: string = 'new-reno';
  window: number;
  slowStartThreshold: number = Infinity;
  #segmentSize: number;
  readonly #slowStart: SlowStart;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #acknowledged = 0;
  #anyAcknowledged = false;
  /** The timer has fired and nothing has been acknowledged since. */
  #timedOut = false;
  /** Before the last reduction; 0: there is nothing to restore. */
  #priorWindow = 0;
  #priorThreshold = 0;

  constructor(options: CongestionOptions) {
    this.#segmentSize = options.maximumSegmentSize;
    this.window = options.initialWindow ?? initialWindow(options.maximumSegmentSize);
    this.#slowStart = new SlowStart(options.acknowledgmentLimit ?? ACKNOWLEDGMENT_LIMIT);
  }

  onAcknowledged(ack: AcknowledgedBytes): void {
    this.#timedOut = false;
    this.#anyAcknowledged = true;
    // A window that was not used has not been shown to be safe (RFC 7661, section 4.3).
    if (ack.applicationLimited) return;
    if (this.window < this.slowStartThreshold) {
      const increase = this.#slowStart.increase(ack.bytes, ack.roundStarted, this.#segmentSize);
      this.#grow(Math.min(increase, this.slowStartThreshold - this.window));
    } else {
      this.#avoidCongestion(ack.bytes);
    }
  }

  /** One segment more when a window of bytes has been acknowledged (RFC 3465, section 2.1). */
  #avoidCongestion(bytes: number): void {
    this.#acknowledged += bytes;
    if (this.#acknowledged < this.window) return;
    this.#acknowledged -= this.window;
    this.#grow(this.#segmentSize);
  }

  onCongestion(_now: number, inFlight: number): void {
    this.#remember();
    this.#reduceThreshold(inFlight);
    this.window = this.slowStartThreshold;
    this.#acknowledged = 0;
  }

  /** RFC 6582, section 3.2, step 3: the window is the threshold. */
  onRecoveryEnd(): void {
    this.window = Math.min(this.window, this.slowStartThreshold);
  }

  onTimeout(_now: number, inFlight: number): void {
    // The threshold is reduced for the first of several timeouts in a row only (RFC 5681, section 3.1).
    if (!this.#timedOut) {
      this.#remember();
      this.#reduceThreshold(inFlight);
    }
    this.#timedOut = true;
    this.#slowStart.timedOut();
    this.#acknowledged = 0;
    // The loss window (RFC 5681, section 3.1).
    this.window = this.#segmentSize;
  }

  undo(): void {
    if (this.window < this.#priorWindow) {
      // The segments may have become larger since.
      const least = 2 * this.#segmentSize;
      this.window = Math.max(this.#priorWindow, least);
      this.slowStartThreshold = Math.max(this.#priorThreshold, least);
    }
    this.#priorWindow = 0;
  }

  onIdle(_now: number, idleFor: number, timeout: number): void {
    const restartWindow = initialWindow(this.#segmentSize);
    const reduced = Math.floor(windowAfterIdle(this.window, idleFor, timeout, restartWindow));
    if (reduced >= this.window) return;
    this.slowStartThreshold = Math.max(this.slowStartThreshold, Math.floor(0.75 * this.window));
    this.window = reduced;
    this.#priorWindow = 0;
    this.#acknowledged = 0;
  }

  setMaximumSegmentSize(bytes: number): void {
    this.#segmentSize = bytes;
    // The initial window is of the segments the path takes (RFC 5681, section 3.1).
    if (!this.#anyAcknowledged && this.slowStartThreshold === Infinity) {
      this.window = initialWindow(bytes);
    }
    const least = this.#timedOut ? bytes : 2 * bytes;
    this.window = Math.max(this.window, least);
    this.slowStartThreshold = Math.max(this.slowStartThreshold, 2 * bytes);
  }

  #remember(): void {
    this.#priorWindow = this.window;
    this.#priorThreshold = this.slowStartThreshold;
  }

  /** RFC 5681, equation 4. What is in flight beyond the window, after a change of sizes, must not make a reduction a rise. */
  #reduceThreshold(inFlight: number): void {
    const used = Math.min(inFlight, this.window);
    this.slowStartThreshold = Math.max(Math.floor(used / 2), 2 * this.#segmentSize);
  }

  #grow(bytes: number): void {
    this.window = Math.min(this.window + bytes, MAXIMUM_WINDOW);
  }
}
