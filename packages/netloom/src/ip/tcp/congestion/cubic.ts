import { AcknowledgmentTrain } from './acknowledgment-train.ts';
import {
  MAXIMUM_WINDOW,
  initialWindow,
  windowAfterIdle,
  type AcknowledgedBytes,
  type CongestionControl,
  type CongestionOptions,
} from './congestion-control.ts';
import { HyStart } from './hystart.ts';
import { SlowStart } from './slow-start.ts';

/** C: how steep the cubic function is, in segments per second cubed (RFC 9438, section 5.1). */
const STEEPNESS = 0.4;
/** Beta: what is left of the window after congestion (section 4.6). */
const DECREASE_FACTOR = 0.7;
/** Alpha: the growth, in segments for each round trip, that makes the average window Reno's (section 4.3). */
const FRIENDLY_INCREASE = (3 * (1 - DECREASE_FACTOR)) / (1 + DECREASE_FACTOR);
/** The window grows by half in a round trip at most (section 4.2). */
const MAXIMUM_TARGET = 1.5;
/** L where nothing paces the sender (RFC 9406, section 4.3). */
const ACKNOWLEDGMENT_LIMIT = 8;
/** Below so many segments a train of acknowledgments tells nothing: a few that come together are no pace (Ha and Rhee 2011). */
const LEAST_TRAIN_WINDOW = 16;

/**
 * CUBIC (RFC 9438; sections without a number are its), with HyStart++ (RFC 9406) for the first slow start, and the
 * train of acknowledgments beside it ({@link AcknowledgmentTrain}).
 *
 * After congestion the window approaches the size it then had (W_max) fast at first, rests there, and then searches beyond: a cubic
 * function of time, not of acknowledgments, so that long round trips are no handicap. Where that would be slower than
 * Reno, it grows as Reno does.
 *
 * Windows are kept in bytes and with fraction; the RFC has segments. Reductions start from the window and not from what is
 * in flight, as section 4.6 allows a sender whose window does not grow unused.
 */
export class Cubic implements CongestionControl {
  readonly name: string = 'cubic';
  slowStartThreshold: number = Infinity;
  #window: number;
  #segmentSize: number;
  readonly #slowStart: SlowStart;
  readonly #hyStart = new HyStart();
  readonly #train = new AcknowledgmentTrain();
  #anyAcknowledged = false;
  /** The timer has fired and nothing has been acknowledged since. */
  #timedOut = false;
  /** The last slow start or recovery was entered by congestion, so that W_max is a goal; after a timeout it is not (section 4.8). */
  #hasGoal = false;

  /** A stage of congestion avoidance is under way. */
  #inStage = false;
  /** When it started; moved on by the time in which the window was not the limit (section 4.2). */
  #stageStart = 0;
  /** W_max. */
  #maximum = 0;
  /** K, in seconds: when the cubic function reaches W_max. */
  #timeToMaximum = 0;
  /** W_est: the window Reno would have. */
  #estimate = 0;
  /** The window before the last reduction, cwnd_prior. */
  #beforeReduction = 0;
  #lastAcknowledgment = 0;
  /** To restore if the last reduction was a mistake (section 4.9). One object, made once. */
  readonly #prior = {
    valid: false,
    window: 0,
    slowStartThreshold: 0,
    maximum: 0,
    timeToMaximum: 0,
    stageStart: 0,
    estimate: 0,
    beforeReduction: 0,
    inStage: false,
    hasGoal: false,
  };

  constructor(options: CongestionOptions) {
    this.#segmentSize = options.maximumSegmentSize;
    this.#window = options.initialWindow ?? initialWindow(options.maximumSegmentSize);
    this.#slowStart = new SlowStart(options.acknowledgmentLimit ?? ACKNOWLEDGMENT_LIMIT);
  }

  get window(): number {
    return Math.floor(this.#window);
  }

  onAcknowledged(ack: AcknowledgedBytes): void {
    const since = Math.max(ack.now - this.#lastAcknowledgment, 0);
    this.#lastAcknowledgment = ack.now;
    this.#timedOut = false;
    this.#anyAcknowledged = true;
    if (this.#window < this.slowStartThreshold) this.#slowStartGrowth(ack);
    else if (ack.applicationLimited) this.#stageStart += since;
    else this.#avoidCongestion(ack);
  }

  #slowStartGrowth(ack: AcknowledgedBytes): void {
    let divisor = 1;
    let ended = false;
    if (this.slowStartThreshold === Infinity) {
      const fillsPath = this.#fillsPath(ack);
      ended = this.#hyStart.acknowledged(ack.rtt, ack.roundStarted) || fillsPath;
      divisor = this.#hyStart.growthDivisor;
    }
    if (!ack.applicationLimited) {
      const increase = this.#slowStart.increase(ack.bytes, ack.roundStarted, this.#segmentSize);
      this.#setWindow(Math.min(this.#window + increase / divisor, this.slowStartThreshold));
    }
    if (ended) this.slowStartThreshold = this.window;
  }

  #fillsPath({ now, minRtt, applicationLimited }: AcknowledgedBytes): boolean {
    const isTrain = this.#train.acknowledged(now, minRtt);
    return isTrain && !applicationLimited && this.#window >= LEAST_TRAIN_WINDOW * this.#segmentSize;
  }

  #avoidCongestion(ack: AcknowledgedBytes): void {
    if (!this.#inStage) this.#startStage(ack.now);
    const time = (ack.now - this.#stageStart) / 1000;
    const window = this.#window;
    // The part of a round trip that this acknowledgment stands for.
    const share = Math.min(ack.bytes / window, 1);
    const increase = this.#estimate >= this.#beforeReduction ? 1 : FRIENDLY_INCREASE;
    this.#estimate = Math.min(
      this.#estimate + increase * this.#segmentSize * share,
      MAXIMUM_WINDOW,
    );
    if (this.#cubicWindow(time) < this.#estimate) {
      // The Reno-friendly region (section 4.3).
      this.#setWindow(Math.max(window, this.#estimate));
    } else {
      // The concave and the convex region (sections 4.4 and 4.5), with the bounds of section 4.2.
      const goal = this.#cubicWindow(time + ack.smoothedRtt / 1000);
      const target = Math.min(Math.max(goal, window), MAXIMUM_TARGET * window);
      this.#setWindow(window + (target - window) * share);
    }
  }

  /** Section 4.2; after a timeout, and after a slow start that ended without loss, K is 0 and W_max the window (4.8 and 4.10). */
  #startStage(now: number): void {
    this.#inStage = true;
    this.#stageStart = now;
    this.#estimate = this.#window;
    if (this.#hasGoal && this.#maximum > this.#window) {
      const missing = (this.#maximum - this.#window) / this.#segmentSize;
      this.#timeToMaximum = Math.cbrt(missing / STEEPNESS);
    } else {
      this.#timeToMaximum = 0;
      this.#maximum = this.#window;
    }
  }

  /** W_cubic, `time` seconds into the stage (figure 1 of section 4.2). */
  #cubicWindow(time: number): number {
    const distance = time - this.#timeToMaximum;
    return this.#maximum + STEEPNESS * this.#segmentSize * distance * distance * distance;
  }

  onCongestion(): void {
    this.#remember();
    const window = this.#window;
    // Fast convergence (section 4.7): a window that did not reach the last maximum makes room for others.
    this.#maximum = window < this.#maximum ? (window * (1 + DECREASE_FACTOR)) / 2 : window;
    this.#reduceThreshold();
    this.#window = this.slowStartThreshold;
    this.#hasGoal = true;
  }

  onRecoveryEnd(): void {
    this.#window = Math.min(this.#window, this.slowStartThreshold);
  }

  onTimeout(): void {
    // The threshold is reduced for the first of several timeouts in a row only (RFC 5681, section 3.1).
    if (!this.#timedOut) {
      this.#remember();
      this.#reduceThreshold();
    }
    this.#timedOut = true;
    this.#hasGoal = false;
    this.#slowStart.timedOut();
    this.#window = this.#segmentSize;
  }

  undo(): void {
    const prior = this.#prior;
    if (prior.valid && this.#window < prior.window) {
      // The segments may have become larger since.
      const least = 2 * this.#segmentSize;
      this.#window = Math.max(prior.window, least);
      this.slowStartThreshold = Math.max(prior.slowStartThreshold, least);
      this.#maximum = prior.maximum;
      this.#timeToMaximum = prior.timeToMaximum;
      this.#stageStart = prior.stageStart;
      this.#estimate = prior.estimate;
      this.#beforeReduction = prior.beforeReduction;
      this.#inStage = prior.inStage;
      this.#hasGoal = prior.hasGoal;
    }
    prior.valid = false;
  }

  onIdle(now: number, idleFor: number, timeout: number): void {
    this.#stageStart += Math.max(now - this.#lastAcknowledgment, 0);
    this.#lastAcknowledgment = now;
    const restartWindow = initialWindow(this.#segmentSize);
    const reduced = windowAfterIdle(this.#window, idleFor, timeout, restartWindow);
    if (reduced >= this.#window) return;
    this.slowStartThreshold = Math.max(this.slowStartThreshold, Math.floor(0.75 * this.#window));
    this.#window = reduced;
    this.#inStage = false;
    this.#prior.valid = false;
  }

  setMaximumSegmentSize(bytes: number): void {
    this.#segmentSize = bytes;
    // The initial window is of the segments the path takes (RFC 5681, section 3.1).
    if (!this.#anyAcknowledged && this.slowStartThreshold === Infinity) {
      this.#window = initialWindow(bytes);
    }
    this.#window = Math.max(this.#window, this.#timedOut ? bytes : 2 * bytes);
    this.slowStartThreshold = Math.max(this.slowStartThreshold, 2 * bytes);
  }

  /** Section 4.6; the stage of congestion avoidance is over. */
  #reduceThreshold(): void {
    this.#beforeReduction = this.#window;
    const reduced = Math.round(this.#window * DECREASE_FACTOR);
    this.slowStartThreshold = Math.max(reduced, 2 * this.#segmentSize);
    this.#inStage = false;
  }

  #remember(): void {
    const prior = this.#prior;
    prior.valid = true;
    prior.window = this.#window;
    prior.slowStartThreshold = this.slowStartThreshold;
    prior.maximum = this.#maximum;
    prior.timeToMaximum = this.#timeToMaximum;
    prior.stageStart = this.#stageStart;
    prior.estimate = this.#estimate;
    prior.beforeReduction = this.#beforeReduction;
    prior.inStage = this.#inStage;
    prior.hasGoal = this.#hasGoal;
  }

  #setWindow(bytes: number): void {
    this.#window = Math.min(bytes, MAXIMUM_WINDOW);
  }
}
