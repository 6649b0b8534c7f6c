import {
  Counters,
  TimerQueue,
  type Clock,
  type Random,
  type Timer,
  type TimerEntry,
} from '../../core/index.ts';
import type { FramePool } from '../frame-pool.ts';
import type { FrameOffload } from '../link.ts';
import { finishFrameChecksum, segmentFrame } from '../segmentation.ts';
import { changeImpairment, isClear, NO_IMPAIRMENT, type Impairment } from './settings.ts';

/** What can befall a frame: it is lost, for one of these reasons, */
export type FrameLoss =
  | 'loss'
  | 'burst-loss'
  | 'partition'
  /** The line was too slow for what was sent, or too much was under way. */
  | 'queue-full'
  /** The link was closed while it was under way. */
  | 'link-down'
  /** It was to be cut, and is no segment that could be. */
  | 'bad-offload';

/** or goes on, damaged, twice, or later than those behind it. */
export type FrameEffect = FrameLoss | 'corrupted' | 'duplicated' | 'reordered';

/** What an {@link ImpairedPath} is made from. */
export interface ImpairedPathOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: FramePool;
  /** Frames and bytes that may be under way; what comes on top is dropped. */
  readonly maximumFrames: number;
  readonly maximumBytes: number;
  /** Cuts segments to frames of the wire before anything befalls them. */
  readonly cut: boolean;
  /** Counts what is dropped, by reason. */
  readonly drops: Counters;
  /** Is shown each frame that something befalls, as it is then: borrowed. It must not throw: it stands in the way of the frame. */
  observe?(effect: FrameEffect, frame: Uint8Array, offload: FrameOffload | undefined): void;
  /** Takes a frame that has arrived: borrowed. */
  deliver(frame: Uint8Array, offload: FrameOffload | undefined): void;
  /** The frames that have arrived together have been delivered. */
  batchEnd(): void;
}

/** A frame under way. */
interface Flight extends TimerEntry {
  readonly frame: Uint8Array;
  readonly offload: FrameOffload | undefined;
}

/**
 * One direction of an impaired link. What befalls a frame is drawn when it enters, in this order: partition, loss, burst loss, corruption,
 * duplication, waiting for the line, delay. Settings changed later do not change the arrival of what is under way.
 */
export class ImpairedPath {
  /** What has befallen frames: how often each {@link FrameEffect}. */
  readonly effects: Counters = new Counters();
  readonly #options: ImpairedPathOptions;
  readonly #timer: Timer;
  readonly #flights = new TimerQueue<Flight>();
  #settings: Impairment = NO_IMPAIRMENT;
  #isClear = true;
  #isBad = false;
  #bytesUnderWay = 0;
  /** When the line has sent what has been given to it. */
  #lineFreeAt = 0;
  /** The latest arrival of a frame that keeps its place. */
  #lastArrival = 0;

  constructor(options: ImpairedPathOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(() => this.#arrive());
  }

  get settings(): Impairment {
    return this.#settings;
  }

  /** Changes the settings named; the others stay. Throws `IMPAIRMENT_INVALID`. */
  set(change: Partial<Impairment>): void {
    this.#settings = changeImpairment(this.#settings, change);
    this.#isClear = isClear(this.#settings);
  }

  /** Frames under way. */
  get framesUnderWay(): number {
    return this.#flights.size;
  }

  /** Bytes under way, those included that wait for the line's rate. */
  get bytesUnderWay(): number {
    return this.#bytesUnderWay;
  }

  /** Takes a borrowed frame. False: the queue was full. */
  accept(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.#isClear && this.#flights.size === 0) {
      this.#options.deliver(frame, offload);
      return true;
    }
    if (this.#needsCutting(offload)) return this.#cut(frame, offload);
    return this.#admit(this.#copy(frame), offload);
  }

  /** Takes a frame of the pool, which is given away. False: the queue was full. */
  acceptOwned(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const direct = this.#isClear && this.#flights.size === 0;
    if (!direct && !this.#needsCutting(offload)) return this.#admit(frame, offload);
    const taken = this.accept(frame, offload);
    this.#options.pool.give(frame);
    return taken;
  }

  /** Loses what is under way. */
  clear(): void {
    for (;;) {
      const flight = this.#flights.takeDue(Infinity);
      if (flight === undefined) break;
      this.#bytesUnderWay -= flight.frame.length;
      this.#drop('link-down', flight.frame, flight.offload);
    }
    this.#timer.clear();
  }

  /** Corruption must meet a checksum that its receiver verifies, so it cuts even where the owner would not. */
  #needsCutting(offload: FrameOffload | undefined): offload is FrameOffload {
    const { cut } = this.#options;
    return offload !== undefined && offload.segmentSize > 0 && (cut || this.#settings.corrupt > 0);
  }

  #cut(frame: Uint8Array, offload: FrameOffload): boolean {
    let taken = false;
    const fault = segmentFrame(
      frame,
      offload,
      (length) => this.#options.pool.take(length),
      (segment) => {
        taken = this.#admit(segment, undefined) || taken;
      },
    );
    if (fault !== undefined) this.#countLoss('bad-offload', frame, offload);
    return taken;
  }

  #copy(frame: Uint8Array): Uint8Array {
    const copy = this.#options.pool.take(frame.length);
    copy.set(frame);
    return copy;
  }

  #admit(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const lost = this.#causeOfLoss();
    if (lost !== undefined) {
      // True: a sender does not learn what befalls a frame on its way.
      this.#drop(lost, frame, offload);
      return true;
    }
    let left = offload;
    if (this.#happens(this.#settings.corrupt)) {
      left = undefined;
      this.#corrupt(frame, offload);
      this.#note('corrupted', frame, left);
    }
    if (this.#happens(this.#settings.duplicate)) {
      this.#note('duplicated', frame, left);
      this.#schedule(this.#copy(frame), left);
    }
    return this.#schedule(frame, left);
  }

  #causeOfLoss(): FrameLoss | undefined {
    const { partition, loss, burstLoss } = this.#settings;
    if (partition) return 'partition';
    if (this.#happens(loss)) return 'loss';
    if (burstLoss === undefined) return undefined;
    if (this.#happens(this.#isBad ? burstLoss.leave : burstLoss.enter)) this.#isBad = !this.#isBad;
    const probability = this.#isBad
      ? (burstLoss.lossWhileBad ?? 1)
      : (burstLoss.lossWhileGood ?? 0);
    return this.#happens(probability) ? 'burst-loss' : undefined;
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#options.random.float() < probability;
  }

  /** Turns one bit over, after the checksum has been completed: a checksum made later would agree with the damage. */
  #corrupt(frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (offload !== undefined) finishFrameChecksum(frame, offload);
    const bit = this.#options.random.below(frame.length * 8);
    frame[bit >>> 3]! ^= 1 << (bit & 7);
  }

  /** Puts the frame on its way, and delivers at once what need not wait. */
  #schedule(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const now = this.#options.clock.now();
    if (!this.#hasRoom(frame, now)) {
      this.#drop('queue-full', frame, offload);
      return false;
    }
    const arrival = this.#arrivalOf(frame, offload, now);
    if (arrival <= now && this.#flights.deadline() > now) {
      this.#options.deliver(frame, offload);
      this.#options.pool.give(frame);
      return true;
    }
    this.#bytesUnderWay += frame.length;
    const flight: Flight = {
      frame,
      offload: offload && { ...offload },
      deadline: Infinity,
      position: -1,
      order: 0,
    };
    this.#flights.set(flight, arrival);
    this.#arm();
    return true;
  }

  #hasRoom(frame: Uint8Array, now: number): boolean {
    const { maximumFrames, maximumBytes } = this.#options;
    if (this.#flights.size >= maximumFrames) return false;
    if (this.#bytesUnderWay + frame.length > maximumBytes) return false;
    const { rate, queueBytes } = this.#settings;
    if (rate === Infinity || this.#lineFreeAt <= now) return true;
    const waiting = ((this.#lineFreeAt - now) * rate) / 8000;
    return waiting + frame.length <= queueBytes;
  }

  #arrivalOf(frame: Uint8Array, offload: FrameOffload | undefined, now: number): number {
    const { rate, delay, jitter, reorder, reorderDelay } = this.#settings;
    let departure = now;
    if (rate < Infinity) {
      departure = Math.max(now, this.#lineFreeAt) + (frame.length * 8000) / rate;
      this.#lineFreeAt = departure;
    }
    const variation = jitter > 0 ? jitter * (2 * this.#options.random.float() - 1) : 0;
    const arrival = departure + Math.max(0, delay + variation);
    if (this.#happens(reorder)) {
      this.#note('reordered', frame, offload);
      return arrival + reorderDelay;
    }
    this.#lastArrival = Math.max(this.#lastArrival, arrival);
    return this.#lastArrival;
  }

  #arrive(): void {
    const { clock, deliver, batchEnd, pool } = this.#options;
    try {
      for (;;) {
        const flight = this.#flights.takeDue(clock.now());
        if (flight === undefined) break;
        this.#bytesUnderWay -= flight.frame.length;
        if (this.#settings.partition) {
          this.#drop('partition', flight.frame, flight.offload);
        } else {
          deliver(flight.frame, flight.offload);
          pool.give(flight.frame);
        }
      }
      batchEnd();
    } finally {
      this.#arm();
    }
  }

  #arm(): void {
    if (this.#flights.size > 0) this.#timer.set(this.#flights.deadline());
    else this.#timer.clear();
  }

  #drop(loss: FrameLoss, frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.#countLoss(loss, frame, offload);
    this.#options.pool.give(frame);
  }

  #countLoss(loss: FrameLoss, frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.#options.drops.add(loss);
    this.#note(loss, frame, offload);
  }

  #note(effect: FrameEffect, frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.effects.add(effect);
    this.#options.observe?.(effect, frame, offload);
  }
}
