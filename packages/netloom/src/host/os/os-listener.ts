import {
  hostError,
  type ListenOptions,
  type Listener,
  type SocketAddress,
} from '../../core/index.ts';
import { hostFaults, type OpenThing, type OsContext } from './context.ts';
import { OsConnection } from './os-connection.ts';
import type { Acceptor, Arrival } from './stream.ts';

/** A listening stream socket of the operating system. */
export class OsListener implements Listener, OpenThing {
  readonly local: SocketAddress;
  readonly #context: OsContext;
  readonly #acceptor: Acceptor;
  readonly #tell: ListenOptions['accept'];
  #closed: Promise<void> | undefined;

  constructor(context: OsContext, acceptor: Acceptor, accept: ListenOptions['accept']) {
    this.local = acceptor.local;
    this.#context = context;
    this.#acceptor = acceptor;
    this.#tell = accept;
    context.open.add(this);
    acceptor.start(
      (arrival) => this.#accept(arrival),
      () => context.drops.add('accept-failed'),
    );
  }

  close(): Promise<void> {
    this.#context.open.delete(this);
    this.#closed ??= this.#acceptor.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(arrival: Arrival): void {
    const { drops, limits, open } = this.#context;
    if (open.size >= limits.open) {
      drops.add('open-limit');
      arrival.refuse();
      return;
    }
    const connected = arrival.accept();
    if (connected === undefined) {
      drops.add('gone-before-accept');
      return;
    }
    const connection = new OsConnection(this.#context, connected);
    try {
      this.#tell(connection);
    } catch (thrown) {
      const error = hostError(
        'HANDLER_THREW',
        `accept() of the listener on ${this.#acceptor.where} threw`,
        { cause: thrown },
      );
      connection.abort(error);
      hostFaults.publish({ host: this.#context.name, error });
    }
  }
}
