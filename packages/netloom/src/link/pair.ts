import { MacAddress, NetloomError, withLimits, type Clock } from '../core/index.ts';
import { FramePool } from './frame-pool.ts';
import { FrameQueue } from './frame-queue.ts';
import {
  LinkStatistics,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from './link.ts';
import { refusalOf } from './refusal.ts';
import { StrictLink } from './strict.ts';

/** The limits of a {@link linkPair}. */
export interface LinkPairLimits {
  /** Frames that may wait at one end. */
  readonly queueFrames: number;
  /** Bytes that may wait at one end. */
  readonly queueBytes: number;
  /** Bytes of memory kept for frames to come, for both ends. */
  readonly poolBytes: number;
}

const DEFAULT_LIMITS: LinkPairLimits = {
  queueFrames: 1024,
  queueBytes: 8 * 1024 * 1024,
  poolBytes: 16 * 1024 * 1024,
};

/** What a {@link linkPair} is made from. */
export interface LinkPairOptions {
  /** Default `pair0` and `pair1`. */
  readonly names?: readonly [string, string];
  /** Default 02:00:00:00:00:01 and :02. Give others where several pairs meet in one network. */
  readonly macs?: readonly [MacAddress, MacAddress];
  /** Default 1500. */
  readonly mtu?: number;
  /** Default: all of it. What only goes through memory needs no checksum and no cutting. */
  readonly offload?: LinkOffload;
  /** Makes each end a {@link StrictLink}, which finds out users that break the contract. For tests; default false. */
  readonly strict?: boolean;
  readonly limits?: Partial<LinkPairLimits>;
}

/** The largest IP packet with the Ethernet header, rounded up as the TAP device's is. */
const LARGEST_SEGMENT = 65_550;

/**
 * Two ends of a cable in memory. A frame sent at one end is received at the other at the same instant of the clock, by one
 * deferred call for all that have been sent by then; `batchEnd` follows. What {@link FrameOffload} said is handed on with the frame.
 *
 * Closing one end takes the cable away: the other receives what was already sent to it, then `closed` with `LINK_PEER_CLOSED`.
 */
export function linkPair(clock: Clock, options: LinkPairOptions = {}): [Link, Link] {
  const limits = withLimits(DEFAULT_LIMITS, options.limits);
  const pool = new FramePool(limits.poolBytes);
  const [name0, name1] = options.names ?? ['pair0', 'pair1'];
  const [mac0, mac1] = options.macs ?? [
    new MacAddress(0x0200, 0x0000_0001),
    new MacAddress(0x0200, 0x0000_0002),
  ];
  const end0 = new PairEnd(name0, mac0, clock, options, limits, pool);
  const end1 = new PairEnd(name1, mac1, clock, options, limits, pool);
  end0.join(end1);
  end1.join(end0);
  return options.strict === true ? [new StrictLink(end0), new StrictLink(end1)] : [end0, end1];
}

class PairEnd implements Link {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #clock: Clock;
  readonly #pool: FramePool;
  /** Frames on their way from this end to the other. */
  readonly #queue: FrameQueue;
  #peer!: PairEnd;
  #handler: LinkHandler | undefined;
  #up = true;
  #ended = false;
  #endedBy: NetloomError | undefined;
  #deliveryDue = false;
  readonly #closed = Promise.withResolvers<void>();
  readonly #deliver = (): void => this.#deliverAll();

  constructor(
    name: string,
    mac: MacAddress,
    clock: Clock,
    options: LinkPairOptions,
    limits: LinkPairLimits,
    pool: FramePool,
  ) {
    this.name = name;
    this.mac = mac;
    this.mtu = options.mtu ?? 1500;
    this.offload = options.offload ?? { checksum: true, segmentation: LARGEST_SEGMENT };
    this.#clock = clock;
    this.#pool = pool;
    this.#queue = new FrameQueue(limits.queueFrames, limits.queueBytes);
  }

  join(peer: PairEnd): void {
    this.#peer = peer;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    // A handler that comes too late is told so, and waits for nothing.
    if (this.#ended) this.#clock.defer(() => handler.closed?.(this.#endedBy));
  }

  allocate(length: number): Uint8Array {
    return this.#pool.take(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const refusal = this.#refusal(frame, offload);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      this.#pool.give(frame);
      return false;
    }
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    this.statistics.queueDepth = this.#queue.length;
    if (!this.#deliveryDue) {
      this.#deliveryDue = true;
      this.#clock.defer(this.#deliver);
    }
    return true;
  }

  /** Queues the frame, or answers the reason why not. */
  #refusal(frame: Uint8Array, offload: FrameOffload | undefined): string | undefined {
    if (!this.#up) return 'link-down';
    const refusal = refusalOf(frame, offload, this.mtu, this.offload);
    if (refusal !== undefined) return refusal;
    return this.#queue.push(frame, offload) ? undefined : 'queue-full';
  }

  /** Hands the frames that were queued when it began to the other end; what its handler makes this end send is for the next turn. */
  #deliverAll(): void {
    const queue = this.#queue;
    const peer = this.#peer;
    try {
      for (let left = queue.length; left > 0 && queue.length > 0; left--) {
        const frame = queue.shift();
        this.statistics.queueDepth = queue.length;
        peer.#receive(frame, queue.offload);
        this.#pool.give(frame);
      }
      peer.#batchEnd();
    } finally {
      // Also when a handler threw: the frames behind are not to be lost with it.
      this.#deliveryDue = queue.length > 0;
      if (this.#deliveryDue) this.#clock.defer(this.#deliver);
    }
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

  #batchEnd(): void {
    if (this.#up) this.#handler?.batchEnd();
  }

  close(): Promise<void> {
    if (this.#up) {
      this.#up = false;
      const peer = this.#peer;
      // Deferred: behind the delivery of what this end has sent, and never from inside the handler that closes.
      this.#clock.defer(() => {
        this.#finish(undefined);
        peer.#loseCable(this.name);
      });
    }
    return this.#closed.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #loseCable(peerName: string): void {
    if (!this.#up) return;
    this.#up = false;
    this.#finish(
      new NetloomError(
        'LINK_PEER_CLOSED',
        `${peerName}, the other end of ${this.name}, was closed`,
      ),
    );
  }

  #finish(error: NetloomError | undefined): void {
    this.#ended = true;
    this.#endedBy = error;
    this.#closed.resolve();
    this.#handler?.closed?.(error);
  }
}
