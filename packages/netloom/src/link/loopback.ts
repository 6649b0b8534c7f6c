import { MacAddress, type Clock } from '../core/index.ts';
import { FramePool } from './frame-pool.ts';
import { FrameQueue } from './frame-queue.ts';
import {
  LinkStatistics,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from './link.ts';

/** Frames and bytes that may wait, and bytes of memory kept for frames to come. */
const QUEUE_FRAMES = 4096;
const QUEUE_BYTES = 16 * 1024 * 1024;

/** A link that brings every frame back to its sender, at the same instant of the clock: a host's way to itself. */
export function loopbackLink(clock: Clock, name = 'lo'): Link {
  return new LoopbackLink(clock, name);
}

class LoopbackLink implements Link {
  readonly name: string;
  readonly mac: MacAddress = MacAddress.ZERO;
  readonly mtu = 65_535;
  readonly offload: LinkOffload = { checksum: true, segmentation: 65_550 };
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #clock: Clock;
  readonly #pool = new FramePool();
  readonly #queue = new FrameQueue(QUEUE_FRAMES, QUEUE_BYTES);
  #handler: LinkHandler | undefined;
  #up = true;
  #deliveryDue = false;
  readonly #deliver = (): void => this.#deliverAll();

  constructor(clock: Clock, name: string) {
    this.#clock = clock;
    this.name = name;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
  }

  allocate(length: number): Uint8Array {
    return this.#pool.take(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    if (!this.#up || !this.#queue.push(frame, offload)) {
      this.statistics.drops.add(this.#up ? 'queue-full' : 'link-down');
      this.#pool.give(frame);
      return false;
    }
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    this.#schedule();
    return true;
  }

  close(): Promise<void> {
    if (this.#up) {
      this.#up = false;
      this.#clock.defer(() => this.#handler?.closed?.(undefined));
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #schedule(): void {
    this.statistics.queueDepth = this.#queue.length;
    if (this.#deliveryDue) return;
    this.#deliveryDue = true;
    this.#clock.defer(this.#deliver);
  }

  #receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (this.#handler === undefined || !this.#up) {
      this.statistics.drops.add(this.#up ? 'not-attached' : 'link-down');
      return;
    }
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler.receive(frame, offload);
  }

  /** Hands over what was queued when it began; what that makes the stack send is for the next turn. */
  #deliverAll(): void {
    this.#deliveryDue = false;
    const queue = this.#queue;
    try {
      for (let left = queue.length; left > 0; left--) {
        const frame = queue.shift();
        this.statistics.queueDepth = queue.length;
        this.#receive(frame, queue.offload);
        this.#pool.give(frame);
      }
      if (this.#up) this.#handler?.batchEnd();
    } finally {
      // Also when a handler threw: the frames behind are not to be lost with it.
      if (queue.length > 0) this.#schedule();
    }
  }
}
