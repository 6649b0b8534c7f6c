import { withLimits, type Clock, type Random, type Timer } from '../../core/index.ts';
import type { CaptureDirection } from '../../wire/index.ts';
import { forwardFrame } from '../forward.ts';
import { FramePool } from '../frame-pool.ts';
import { LinkStatistics, type FrameOffload, type Link, type LinkHandler } from '../link.ts';
import { WrappedLink } from '../wrapped-link.ts';
import { ImpairedPath, type FrameEffect, type ImpairedPathOptions } from './path.ts';
import type { Impairment } from './settings.ts';

/** The limits of an {@link ImpairedLink}, for each direction. */
export interface ImpairedLinkLimits {
  /** Frames that may be under way: delay times rate. */
  readonly framesUnderWay: number;
  readonly bytesUnderWay: number;
  /** Bytes of memory kept for frames to come. */
  readonly poolBytes: number;
  /** Milliseconds that a closed link goes on letting out what was sent before; the rest is lost. */
  readonly closeTimeout: number;
}

const DEFAULT_LIMITS: ImpairedLinkLimits = {
  framesUnderWay: 65_536,
  bytesUnderWay: 64 * 1024 * 1024,
  poolBytes: 16 * 1024 * 1024,
  closeTimeout: 1000,
};

/** What an {@link ImpairedLink} is made from beside the link. */
export interface ImpairedLinkOptions {
  readonly clock: Clock;
  /** What decides each frame's fate; seeded, the fate is the seed's. */
  readonly random: Random;
  /** What decides the fate of frames received, so that it does not depend on what is sent meanwhile. Default: `random`. */
  readonly inboundRandom?: Random;
  /** What befalls frames sent. */
  readonly outbound?: Partial<Impairment>;
  /** What befalls frames received. */
  readonly inbound?: Partial<Impairment>;
  /**
   * Cuts segments that the stack left whole (segmentation offload) to frames of the wire before anything befalls them, since it is those that
   * a wire loses. Default true. False is faster, and one loss then takes up to 64 KiB.
   */
  readonly cut?: boolean;
  /**
   * Is shown each frame that something befalls, on its way `out` or `in`, as it is then; borrowed. So a trace or a capture can say where
   * a frame was lost. It must not throw: it stands in the way of the frame.
   */
  observe?(
    direction: CaptureDirection,
    effect: FrameEffect,
    frame: Uint8Array,
    offload: FrameOffload | undefined,
  ): void;
  readonly limits?: Partial<ImpairedLinkLimits>;
}

/**
 * A link with something wrong: delay, jitter, loss, reordering, duplication, corruption, a narrow line, a partition.
 *
 * It wraps one end of any link and impairs both directions there. (To sit between two links would serve only those whose far ends are not
 * ours, and a {@link forwardFrame} between two wrapped ones does that too.) What passes is held in pooled memory and copied once.
 */
export class ImpairedLink extends WrappedLink {
  readonly #statistics: LinkStatistics = new LinkStatistics(this);
  /** The direction away from this end: settings to change, effects to read. */
  readonly outbound: ImpairedPath;
  /** The direction towards this end. */
  readonly inbound: ImpairedPath;
  readonly #pool: FramePool;
  readonly #clock: Clock;
  readonly #closeTimeout: number;
  #handler: LinkHandler | undefined;
  #up = true;
  #closing: PromiseWithResolvers<void> | undefined;
  readonly #closeTimer: Timer;

  constructor(inner: Link, options: ImpairedLinkOptions) {
    super(inner);
    const limits = withLimits(DEFAULT_LIMITS, options.limits);
    this.#clock = options.clock;
    this.#closeTimeout = limits.closeTimeout;
    this.#closeTimer = options.clock.timer(() => this.#closeInner());
    this.#pool = new FramePool(limits.poolBytes);
    const common = {
      clock: options.clock,
      pool: this.#pool,
      maximumFrames: limits.framesUnderWay,
      maximumBytes: limits.bytesUnderWay,
      cut: options.cut ?? true,
      drops: this.statistics.drops,
    };
    this.outbound = new ImpairedPath({
      ...common,
      random: options.random,
      ...observer(options, 'out'),
      deliver: (frame, offload) => this.#leave(frame, offload),
      batchEnd: () => this.#left(),
    });
    this.inbound = new ImpairedPath({
      ...common,
      random: options.inboundRandom ?? options.random,
      ...observer(options, 'in'),
      deliver: (frame, offload) => this.#arrive(frame, offload),
      batchEnd: () => this.#handler?.batchEnd(),
    });
    this.outbound.set(options.outbound ?? {});
    this.inbound.set(options.inbound ?? {});
  }

  override get statistics(): LinkStatistics {
    return this.#statistics;
  }

  /** Changes both directions. Throws `IMPAIRMENT_INVALID`. */
  impair(change: Partial<Impairment>): void {
    this.outbound.set(change);
    this.inbound.set(change);
  }

  override attach(handler: LinkHandler): void {
    this.#handler = handler;
    this.inner.attach({
      receive: (frame, offload) => this.inbound.accept(frame, offload),
      batchEnd: () => handler.batchEnd(),
      closed: (error) => {
        this.#end();
        handler.closed?.(error);
      },
    });
  }

  override allocate(length: number): Uint8Array {
    return this.#pool.take(length);
  }

  override transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    if (!this.#up) {
      this.statistics.drops.add('link-down');
      return false;
    }
    // Asked before: the frame is no longer ours afterwards.
    const { length } = frame;
    if (!this.outbound.acceptOwned(frame, offload)) return false;
    this.statistics.sentFrames++;
    this.statistics.sentBytes += length;
    this.#updateDepth();
    return true;
  }

  #leave(frame: Uint8Array, offload: FrameOffload | undefined): void {
    // What the inner link refuses, it has counted itself.
    forwardFrame(this.inner, frame, offload);
  }

  #left(): void {
    this.#updateDepth();
    this.#closeOnceSent();
  }

  #updateDepth(): void {
    this.statistics.queueDepth = this.outbound.framesUnderWay;
  }

  #arrive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    // The inner link may have frames at hand while it closes.
    if (!this.#up) {
      this.statistics.drops.add('link-down');
      return;
    }
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, offload);
  }

  /** What was sent before is on the wire, and goes on to the other end; what is on its way to this end is lost. */
  override close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    this.#closing = Promise.withResolvers();
    this.#up = false;
    this.inbound.clear();
    this.#closeTimer.set(this.#clock.now() + this.#closeTimeout);
    this.#closeOnceSent();
    return this.#closing.promise;
  }

  #closeOnceSent(): void {
    if (this.#closing !== undefined && this.outbound.framesUnderWay === 0) this.#closeInner();
  }

  /** What is still under way is lost. */
  #closeInner(): void {
    this.#end();
    this.#closing?.resolve(this.inner.close());
  }

  #end(): void {
    this.#up = false;
    this.#closeTimer.clear();
    this.outbound.clear();
    this.inbound.clear();
    this.#updateDepth();
  }
}

/** The observer of one direction, if there is one. */
function observer(
  options: ImpairedLinkOptions,
  direction: CaptureDirection,
): Pick<ImpairedPathOptions, 'observe'> {
  if (options.observe === undefined) return {};
  return {
    observe: (effect, frame, offload) => options.observe?.(direction, effect, frame, offload),
  };
}
