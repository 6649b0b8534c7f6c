import { TokenBucket, type Engine } from '../../../core/index.ts';
import type { FramePool } from '../../frame-pool.ts';
import type { FrameOffload } from '../../link.ts';
import { FairQueue } from './fair-queue.ts';
import { completeQueueing, type CompleteQueueing, type QueueingSettings } from './settings.ts';

/** Classes of traffic, one for each priority of IEEE 802.1Q. */
export const CLASS_COUNT = 8;

/** What has become of the frames of one class. */
export interface ClassStatistics {
  /** Waiting. */
  readonly frames: number;
  readonly bytes: number;
  /** That were too many. */
  readonly droppedFrames: number;
  readonly droppedBytes: number;
}

/** What an {@link EgressScheduler} gives its frames to. */
export interface SchedulerOptions {
  /** Where the frames come from, and go to. */
  readonly pool: FramePool;
  /** Sends a frame whose turn it is: borrowed. */
  send(frame: Uint8Array, offload: FrameOffload | undefined): void;
  /** A frame was dropped. */
  dropped(): void;
}

class TrafficClass {
  readonly queue: FairQueue;
  droppedFrames = 0;
  droppedBytes = 0;

  constructor(bounds: () => CompleteQueueing, discard: (frame: Uint8Array) => void) {
    this.queue = new FairQueue(bounds, (frame) => {
      this.countDrop(frame.length);
      discard(frame);
    });
  }

  countDrop(length: number): void {
    this.droppedFrames++;
    this.droppedBytes += length;
  }
}

/**
 * Holds what goes out by a port to a rate: a token bucket, and before it a queue for each class of traffic. As long as a class has a
 * frame waiting, none below it sends (strict priority, IEEE 802.1Q, clause 8.6.8.1); within a class flows share fairly.
 */
export class EgressScheduler implements Engine {
  readonly #options: SchedulerOptions;
  #settings: CompleteQueueing;
  #bucket: TokenBucket;
  /** By rank: the last goes first. */
  readonly #classes: readonly TrafficClass[];
  #frames = 0;
  #readyAt = Infinity;

  /** Throws `SWITCH_SETTING_INVALID`. */
  constructor(settings: QueueingSettings, options: SchedulerOptions) {
    this.#settings = completeQueueing(settings);
    this.#bucket = bucketOf(this.#settings);
    this.#options = options;
    const discard = (frame: Uint8Array): void => {
      this.#frames--;
      options.dropped();
      options.pool.give(frame);
    };
    const bounds = (): CompleteQueueing => this.#settings;
    this.#classes = Array.from({ length: CLASS_COUNT }, () => new TrafficClass(bounds, discard));
  }

  get settings(): CompleteQueueing {
    return this.#settings;
  }

  /** Frames that wait, in all classes. */
  get frames(): number {
    return this.#frames;
  }

  /** Bytes that wait, in all classes. */
  get bytes(): number {
    return this.#classes.reduce((sum, { queue }) => sum + queue.bytes, 0);
  }

  /** By rank, the last being what goes first. */
  get classes(): readonly ClassStatistics[] {
    return this.#classes.map(({ queue, droppedFrames, droppedBytes }) => ({
      frames: queue.frames,
      bytes: queue.bytes,
      droppedFrames,
      droppedBytes,
    }));
  }

  /** Changes rate and bounds; what waits goes on waiting, for the new rate. Throws `SWITCH_SETTING_INVALID`. */
  configure(settings: QueueingSettings, now: number): void {
    this.#settings = completeQueueing(settings);
    this.#bucket = bucketOf(this.#settings);
    if (this.#frames > 0) this.#readyAt = now;
  }

  /** Sends a frame of the pool, which is given away, or has it wait its turn. */
  offer(
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    rank: number,
    flow: number,
    now: number,
  ): void {
    if (this.#frames === 0 && this.#bucket.take(now, frame.length)) {
      this.#options.send(frame, offload);
      this.#options.pool.give(frame);
    } else {
      this.#wait(frame, offload, rank, flow, now);
    }
  }

  #wait(
    frame: Uint8Array,
    offload: FrameOffload | undefined,
    rank: number,
    flow: number,
    now: number,
  ): void {
    const traffic = this.#classes[rank]!;
    if (!traffic.queue.push(frame, offload, (flow >>> 0) % this.#settings.flows)) {
      traffic.countDrop(frame.length);
      this.#options.dropped();
      this.#options.pool.give(frame);
      return;
    }
    this.#frames++;
    // One of a class above may be shorter than what was to go next, and can go earlier.
    this.#readyAt = Math.min(this.#readyAt, this.#whenReady(now));
  }

  deadline(): number {
    return this.#readyAt;
  }

  advance(now: number): void {
    this.#readyAt = Infinity;
    for (let queue = this.#nextQueue(); queue !== undefined; queue = this.#nextQueue()) {
      if (!this.#bucket.take(now, queue.nextLength())) {
        this.#readyAt = this.#whenReady(now);
        return;
      }
      this.#release(queue, (frame, offload) => this.#options.send(frame, offload));
    }
  }

  /** Sends all that waits: there is no rate any more. */
  flush(): void {
    this.#empty((frame, offload) => this.#options.send(frame, offload));
  }

  /** Forgets all that waits: there is no port any more. */
  clear(): void {
    this.#empty(() => this.#options.dropped());
  }

  #empty(take: (frame: Uint8Array, offload: FrameOffload | undefined) => void): void {
    for (let queue = this.#nextQueue(); queue !== undefined; queue = this.#nextQueue()) {
      queue.nextLength();
      this.#release(queue, take);
    }
    this.#readyAt = Infinity;
  }

  #release(
    queue: FairQueue,
    take: (frame: Uint8Array, offload: FrameOffload | undefined) => void,
  ): void {
    const frame = queue.shift();
    this.#frames--;
    take(frame, queue.offload);
    this.#options.pool.give(frame);
  }

  #nextQueue(): FairQueue | undefined {
    if (this.#frames === 0) return undefined;
    return this.#classes.findLast(({ queue }) => queue.frames > 0)?.queue;
  }

  #whenReady(now: number): number {
    const queue = this.#nextQueue();
    return queue === undefined ? Infinity : this.#bucket.readyAt(now, queue.nextLength());
  }
}

function bucketOf({ rate, burst }: CompleteQueueing): TokenBucket {
  return new TokenBucket(rate / 8, burst);
}
