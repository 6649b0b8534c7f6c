import { MacAddress } from 'netloom/core';
import {
  LinkStatistics,
  NO_OFFLOAD,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from 'netloom/link';

/** A link that stays while what is at its other end comes and goes. While there is nothing, frames are dropped and counted. */
export class Jack implements Link {
  readonly name: string;
  readonly mac: MacAddress = MacAddress.ZERO;
  readonly mtu: number;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  #plugged: Link | undefined;
  /** Where the frame that was asked for last comes from. */
  #allocator: Link | undefined;
  #handler: LinkHandler | undefined;
  #isOpen = true;

  constructor(name: string, mtu: number) {
    this.name = name;
    this.mtu = mtu;
  }

  get isPlugged(): boolean {
    return this.#plugged !== undefined;
  }

  get offload(): LinkOffload {
    return this.#plugged?.offload ?? NO_OFFLOAD;
  }

  /** Puts a link in, which is attached to; `unplugged` is told when it has gone. What was there is closed. */
  plug(link: Link, unplugged: () => void): void {
    void this.#plugged?.close();
    this.#plugged = link;
    link.attach({
      receive: (frame, offload) => this.#receive(frame, offload),
      batchEnd: () => this.#handler?.batchEnd(),
      closed: () => {
        // Counts are of the jack: they go on with the next.
        for (const [why, count] of Object.entries(link.statistics.drops.snapshot())) {
          this.statistics.drops.add(why, count);
        }
        if (this.#plugged === link) this.#plugged = undefined;
        unplugged();
      },
    });
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
  }

  allocate(length: number): Uint8Array {
    this.#allocator = this.#plugged;
    return this.#plugged?.allocate(length) ?? new Uint8Array(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const { length } = frame;
    const link = this.#plugged;
    if (link === undefined || link !== this.#allocator) {
      this.statistics.drops.add('not-connected');
      return false;
    }
    if (!link.transmit(frame, offload)) return false;
    this.statistics.sentFrames++;
    this.statistics.sentBytes += length;
    return true;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#plugged?.close();
    this.#handler?.closed?.(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler?.receive(frame, offload);
  }
}
