import {
  formatSocketAddress,
  hostError,
  type Datagram,
  type DatagramHandler,
  type NetloomError,
  type SocketAddress,
} from '../../core/index.ts';
import { hostFaults, type OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';

/** The handler of a UDP socket, as the socket calls it: one that throws ends its socket, and nothing else. */
export class GuardedHandler {
  readonly #context: OsContext;
  readonly #local: SocketAddress;
  readonly #close: () => void;
  #handler: DatagramHandler | undefined;
  #isOver = false;
  #error: NetloomError | undefined;

  /** @param close ends the socket, and calls {@link over} */
  constructor(context: OsContext, local: SocketAddress, close: () => void) {
    this.#context = context;
    this.#local = local;
    this.#close = close;
  }

  /** There is somebody to be told. */
  get isSet(): boolean {
    return this.#handler !== undefined;
  }

  set(handler: DatagramHandler): void {
    this.#handler = handler;
  }

  receive(batch: readonly Datagram[]): void {
    this.#call(() => this.#handler?.receive?.(batch));
  }

  /** Tells what the platform said of a datagram, not before this returns. */
  error(thrown: unknown, remote?: SocketAddress): void {
    if (this.#isOver) return;
    const to = remote === undefined ? '' : ` to ${formatSocketAddress(remote)}`;
    const error = fromSystemError(thrown, `${this.#name()}${to}`);
    this.#context.clock.defer(() => {
      if (!this.#isOver) this.#call(() => this.#handler?.error?.(error, remote));
    });
  }

  /** Of the socket nothing is told any more, but that it is closed. */
  over(): void {
    this.#isOver = true;
  }

  closed(): void {
    try {
      this.#handler?.closed?.(this.#error);
    } catch (thrown) {
      const error = this.#threw(' in closed()', thrown);
      hostFaults.publish({ host: this.#context.name, error });
    }
  }

  #call(event: () => void): void {
    try {
      event();
    } catch (thrown) {
      this.#error = this.#threw('', thrown);
      this.#close();
    }
  }

  #threw(where: string, cause: unknown): NetloomError {
    return hostError('HANDLER_THREW', `the handler of ${this.#name()} threw${where}`, { cause });
  }

  #name(): string {
    return `UDP ${formatSocketAddress(this.#local)}`;
  }
}
