import type { NetloomError } from 'netloom/core';
import { WrappedLink, type Link, type LinkHandler } from 'netloom/link';

/** A link of which it is known when it is lost. */
export class WatchedLink extends WrappedLink {
  readonly #lost: (error: NetloomError) => void;
  #isUp = true;

  /** @param lost is told when the link goes without having been closed from here */
  constructor(inner: Link, lost: (error: NetloomError) => void) {
    super(inner);
    this.#lost = lost;
  }

  /** It has not gone, nor been closed. */
  get isUp(): boolean {
    return this.#isUp;
  }

  override attach(handler: LinkHandler): void {
    super.attach({
      receive: (frame, offload) => handler.receive(frame, offload),
      batchEnd: () => handler.batchEnd(),
      closed: (error) => {
        this.#isUp = false;
        handler.closed?.(error);
        if (error !== undefined) this.#lost(error);
      },
    });
  }
}
