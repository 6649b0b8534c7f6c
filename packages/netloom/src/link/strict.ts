import { NetloomError } from '../core/index.ts';
import type { FrameOffload, LinkHandler } from './link.ts';
import { WrappedLink } from './wrapped-link.ts';

/** No frame is that byte over and over; what is read as a length or an offset is far out of range. */
const POISON = 0xdb;
const POISONED_OFFSET = 0xdbdb;

/**
 * A link that holds both its users to the contract of {@link Link}, for tests. What a careless user gets away with on links that have
 * memory for every frame breaks on those that have one slot only, as a TAP.
 *
 * - The content of what {@link allocate} gives is overwritten, and again when another is allocated before it was sent.
 * - Sending anything but the frame allocated last throws `LINK_CONTRACT_BROKEN`; the memory of a frame sent is overwritten.
 * - A frame received is overwritten when its handler has returned, and so is its offload.
 */
export class StrictLink extends WrappedLink {
  /** Allocated, and not sent yet. */
  #pending: Uint8Array | undefined;

  override attach(handler: LinkHandler): void {
    this.inner.attach({
      receive(frame, offload) {
        const lent = Uint8Array.from(frame);
        const lentOffload = offload && { ...offload };
        handler.receive(lent, lentOffload);
        lent.fill(POISON);
        if (lentOffload !== undefined) poisonOffload(lentOffload);
      },
      batchEnd: () => handler.batchEnd(),
      closed: (error) => handler.closed?.(error),
    });
  }

  override allocate(length: number): Uint8Array {
    this.#pending?.fill(POISON);
    this.#pending = new Uint8Array(length).fill(POISON);
    return this.#pending;
  }

  override transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    if (frame !== this.#pending) {
      throw new NetloomError(
        'LINK_CONTRACT_BROKEN',
        `a frame was sent on ${this.name} that is not the one allocated last`,
        {
          remedy:
            'Allocate a frame, fill it and send it before allocating the next; copy one that comes from elsewhere.',
        },
      );
    }
    this.#pending = undefined;
    const given = this.inner.allocate(frame.length);
    given.set(frame);
    frame.fill(POISON);
    return this.inner.transmit(given, offload);
  }
}

function poisonOffload(offload: FrameOffload): void {
  offload.checksumStart = POISONED_OFFSET;
  offload.checksumOffset = POISONED_OFFSET;
  offload.segmentSize = POISONED_OFFSET;
}
