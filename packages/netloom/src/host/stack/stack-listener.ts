import {
  IpAddress,
  type ListenOptions,
  type Listener,
  type SocketAddress,
} from '../../core/index.ts';
import type { IpStack, TcpListener } from '../../ip/index.ts';

/** A {@link Listener} of a stack. */
export class StackListener implements Listener {
  readonly local: SocketAddress;
  readonly #stack: IpStack;
  readonly #listener: TcpListener;
  readonly #onClose: () => void;
  #closed = false;

  constructor(stack: IpStack, options: ListenOptions, onClose: () => void) {
    this.#stack = stack;
    this.#onClose = onClose;
    const { port, address, backlog, accept } = options;
    this.#listener = stack.tcp.listen(port, anyOf(address), backlog, accept);
    this.local = { address: address ?? IpAddress.ANY6, port: this.#listener.port };
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#stack.tcp.unlisten(this.#listener);
      this.#onClose();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** `::` takes both families, as a dual-stack socket does. */
function anyOf(address: IpAddress | undefined): IpAddress | undefined {
  return address?.family === 6 && address.isUnspecified ? undefined : address;
}
