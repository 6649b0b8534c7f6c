import { createServer, type Server, type Socket } from 'node:net';
import {
  formatSocketAddress,
  hostError,
  type ListenOptions,
  type Listener,
  type SocketAddress,
} from '../../core/index.ts';
import { hostFaults, parsePlatformAddress, type OpenThing, type OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';
import { OsConnection } from './os-connection.ts';
import { adoptSocket } from './socket.ts';

/** Opens a listening socket of the platform. */
export function listen(context: OsContext, options: ListenOptions): Promise<OsListener> {
  const where = options.address === undefined ? `port ${options.port}` : describe(options);
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const onError = (error: Error): void => {
      context.drops.add('accept-failed');
      reject(fromSystemError(error, `cannot listen on ${where}`));
    };
    // Stays for good: accepting may fail later (too many open files), which the listener lives through.
    server.on('error', onError);
    server.listen(
      {
        port: options.port,
        backlog: options.backlog ?? 511,
        ...(options.address === undefined ? {} : { host: options.address.toString() }),
      },
      () => resolve(new OsListener(context, server, options)),
    );
  });
}

function describe(options: ListenOptions): string {
  return formatSocketAddress({ address: options.address!, port: options.port });
}

/** A listening TCP socket of the platform. */
export class OsListener implements Listener, OpenThing {
  readonly local: SocketAddress;
  readonly #context: OsContext;
  readonly #server: Server;
  readonly #options: ListenOptions;
  #closed: Promise<void> | undefined;

  /** Of a server that listens. */
  constructor(context: OsContext, server: Server, options: ListenOptions) {
    const bound = server.address() as { address: string; port: number };
    this.local = { address: parsePlatformAddress(bound.address), port: bound.port };
    this.#context = context;
    this.#server = server;
    this.#options = options;
    context.open.add(this);
    server.on('connection', (socket) => this.#accept(socket));
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#context.open.delete(this);
      this.#server.close(() => resolve());
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(accepted: Socket): void {
    const { clock, drops, limits, open } = this.#context;
    if (open.size >= limits.open) {
      drops.add('open-limit');
      accepted.resetAndDestroy();
      return;
    }
    const connected = adoptSocket(clock, accepted);
    if (connected === undefined) {
      drops.add('gone-before-accept');
      return;
    }
    const connection = new OsConnection(this.#context, connected);
    try {
      this.#options.accept(connection);
    } catch (thrown) {
      const where = formatSocketAddress(this.local);
      const error = hostError('HANDLER_THREW', `accept() of the listener on ${where} threw`, {
        cause: thrown,
      });
      connection.abort(error);
      hostFaults.publish({ host: this.#context.name, error });
    }
  }
}
