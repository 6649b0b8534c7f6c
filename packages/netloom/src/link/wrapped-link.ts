import type { MacAddress } from '../core/index.ts';
import type { FrameOffload, Link, LinkHandler, LinkOffload, LinkStatistics } from './link.ts';

/** A link that is another with something added: what a subclass does not say otherwise is the inner link's. */
export class WrappedLink implements Link {
  protected readonly inner: Link;

  constructor(inner: Link) {
    this.inner = inner;
  }

  get name(): string {
    return this.inner.name;
  }

  get mac(): MacAddress {
    return this.inner.mac;
  }

  get mtu(): number {
    return this.inner.mtu;
  }

  get offload(): LinkOffload {
    return this.inner.offload;
  }

  get statistics(): LinkStatistics {
    return this.inner.statistics;
  }

  attach(handler: LinkHandler): void {
    this.inner.attach(handler);
  }

  allocate(length: number): Uint8Array {
    return this.inner.allocate(length);
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    return this.inner.transmit(frame, offload);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
