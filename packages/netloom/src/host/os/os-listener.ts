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
import { adoptSocket, cutOff, type ConnectedSocket, type SocketFamily } from './socket.ts';

/** The default of {@link ListenOptions.backlog}. */
export const BACKLOG = 511;

/** How a {@link OsListener}'s server listens, and what becomes of the sockets it accepts. */
export interface ListenerKind {
  /** What it listens at, in errors. */
  readonly where: string;
  readonly family: SocketFamily;
  begin(server: Server, whenListening: () => void): void;
  /** Where a server that listens does so. */
  local(server: Server): SocketAddress;
  /** The socket, received from as ours are; undefined when the peer has gone already. */
  adopt(accepted: Socket): ConnectedSocket | undefined;
}

/** Opens a listening TCP socket of the platform. */
export function listen(context: OsContext, options: ListenOptions): Promise<OsListener> {
  const { address, port, backlog } = options;
  return openListener(context, (connection) => options.accept(connection), {
    where: address === undefined ? `port ${port}` : formatSocketAddress({ address, port }),
    family: 'tcp',
    begin: (server, whenListening) =>
      server.listen(
        {
          port,
          backlog: backlog ?? BACKLOG,
          ...(address === undefined ? {} : { host: address.toString() }),
        },
        whenListening,
      ),
    local(server) {
      const bound = server.address() as { address: string; port: number };
      return { address: parsePlatformAddress(bound.address), port: bound.port };
    },
    adopt: (accepted) => adoptSocket(context.clock, accepted),
  });
}

/** Opens a listening socket of that kind. */
export function openListener(
  context: OsContext,
  accept: ListenOptions['accept'],
  kind: ListenerKind,
): Promise<OsListener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const onError = (error: Error): void => {
      context.drops.add('accept-failed');
      reject(fromSystemError(error, `cannot listen on ${kind.where}`));
    };
    // Stays for good: accepting may fail later (too many open files), which the listener lives through.
    server.on('error', onError);
    kind.begin(server, () => resolve(new OsListener(context, server, accept, kind)));
  });
}

/** A listening stream socket of the platform. */
export class OsListener implements Listener, OpenThing {
  readonly local: SocketAddress;
  readonly #context: OsContext;
  readonly #server: Server;
  readonly #tell: ListenOptions['accept'];
  readonly #kind: ListenerKind;
  #closed: Promise<void> | undefined;

  /** Of a server that listens. */
  constructor(
    context: OsContext,
    server: Server,
    accept: ListenOptions['accept'],
    kind: ListenerKind,
  ) {
    this.local = kind.local(server);
    this.#context = context;
    this.#server = server;
    this.#tell = accept;
    this.#kind = kind;
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
    const { drops, limits, open } = this.#context;
    if (open.size >= limits.open) {
      drops.add('open-limit');
      cutOff(accepted, this.#kind.family);
      return;
    }
    const connected = this.#kind.adopt(accepted);
    if (connected === undefined) {
      drops.add('gone-before-accept');
      return;
    }
    const connection = new OsConnection(this.#context, connected);
    try {
      this.#tell(connection);
    } catch (thrown) {
      const where = this.#where();
      const error = hostError('HANDLER_THREW', `accept() of the listener on ${where} threw`, {
        cause: thrown,
      });
      connection.abort(error);
      hostFaults.publish({ host: this.#context.name, error });
    }
  }

  #where(): string {
    return this.#kind.family === 'tcp' ? formatSocketAddress(this.local) : this.#kind.where;
  }
}
