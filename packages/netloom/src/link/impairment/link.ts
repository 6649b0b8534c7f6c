import { withLimits, type Clock, type MacAddress, type Random } from '../../core/index.ts';
import { forwardFrame } from '../forward.ts';
import { FramePool } from '../frame-pool.ts';
import {
  LinkStatistics,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../link.ts';
import { ImpairedPath } from './path.ts';
import type { Impairment } from './settings.ts';

/** The limits of an {@link ImpairedLink}, for each direction. */
export interface ImpairedLinkLimits {
  /** Frames that may be under way: delay times rate. */
  readonly framesUnderWay: number;
  readonly bytesUnderWay: number;
  /** Bytes of memory kept for frames to come. */
  readonly poolBytes: number;
}

const DEFAULT_LIMITS: ImpairedLinkLimits = {
  framesUnderWay: 65_536,
  bytesUnderWay: 64 * 1024 * 1024,
  poolBytes: 16 * 1024 * 1024,
};

/** What an {@link ImpairedLink} is made from beside the link. */
export interface ImpairedLinkOptions {
  readonly clock: Clock;
  /** What decides each frame's fate; seeded, the fate is the seed's. */
  readonly random: Random;
  /** What befalls frames sent. */
  readonly outbound?: Partial<Impairment>;
  /** What befalls frames received. */
  readonly inbound?: Partial<Impairment>;
  /**
   * Cuts segments that the stack left whole (segmentation offload) to frames of the wire before anything befalls them, since it is those that
   * a wire loses. Default true. False is faster, and one loss then takes up to 64 KiB.
   */
  readonly cut?: boolean;
  readonly limits?: Partial<ImpairedLinkLimits>;
}

/**
 * A link with something wrong: delay, jitter, loss, reordering, duplication, corruption, a narrow line, a partition.
 *
 * It wraps one end of any link and impairs both directions there. (To sit between two links would serve only those whose far ends are not
 * ours, and a {@link forwardFrame} between two wrapped ones does that too.) What passes is held in pooled memory and copied once.
 */
export class ImpairedLink implements Link {
  readonly statistics: LinkStatistics = new LinkStatistics();
  /** The direction away from this end: settings to change, effects to read. */
  readonly outbound: ImpairedPath;
  /** The direction towards this end. */
  readonly inbound: ImpairedPath;
  readonly #inner: Link;
  readonly #pool: FramePool;
  #handler: LinkHandler | undefined;
  #up = true;

  constructor(inner: Link, options: ImpairedLinkOptions) {
    const limits = withLimits(DEFAULT_LIMITS, options.limits);
    this.#inner = inner;
    this.#pool = new FramePool(limits.poolBytes);
    const common = {
      clock: options.clock,
      random: options.random,
      pool: this.#pool,
      maximumFrames: limits.framesUnderWay,
      maximumBytes: limits.bytesUnderWay,
      cut: options.cut ?? true,
      drops: this.statistics.drops,
    };
    this.outbound = new ImpairedPath({
      ...common,
      deliver: (frame, offload) => this.#leave(frame, offload),
      batchEnd() {},
    });
    this.inbound = new ImpairedPath({
      ...common,
      deliver: (frame, offload) => this.#arrive(frame, offload),
      batchEnd: () => this.#handler?.batchEnd(),
    });
    this.outbound.set(options.outbound ?? {});
    this.inbound.set(options.inbound ?? {});
  }

  get name(): string {
    return this.#inner.name;
  }

  get mac(): MacAddress {
    return this.#inner.mac;
  }

  get mtu(): number {
    return this.#inner.mtu;
  }

  get offload(): LinkOffload {
    return this.#inner.offload;
  }

  /** Changes both directions. Throws `IMPAIRMENT_INVALID`. */
  impair(change: Partial<Impairment>): void {
    this.outbound.set(change);
    this.inbound.set(change);
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.#inner.attach({
      receive: (frame, offload) => this.inbound.accept(frame, offload),
      batchEnd: () => handler.batchEnd(),
      closed: (error) => {
        this.#end();
        handler.closed?.(error);
      },
    });
  }

  allocate(length: number): Uint8Array {
    return this.#pool.take(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    if (!this.#up) {
      this.statistics.drops.add('link-down');
      return false;
    }
    // Asked before: the frame is no longer ours afterwards.
    const { length } = frame;
    if (!this.outbound.acceptOwned(frame, offload)) return false;
    this.statistics.sentFrames++;
    this.statistics.sentBytes += length;
    this.statistics.queueDepth = this.outbound.framesUnderWay;
    return true;
  }

  #leave(frame: Uint8Array, offload: FrameOffload | undefined): void {
    // What the inner link refuses, it has counted itself.
    forwardFrame(this.#inner, frame, offload);
    this.statistics.queueDepth = this.outbound.framesUnderWay;
  }

  #arrive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    // The inner link may have frames at hand while it closes.
    if (!this.#up) return;
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, offload);
  }

  /** Frames under way are lost with it. */
  close(): Promise<void> {
    this.#end();
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): void {
    this.#up = false;
    this.outbound.clear();
    this.inbound.clear();
  }
}
