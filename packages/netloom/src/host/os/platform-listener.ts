import { createServer, type Server, type Socket } from 'node:net';
import { formatSocketAddress, type ListenOptions, type SocketAddress } from '../../core/index.ts';
import { parsePlatformAddress, type OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';
import { adoptSocket } from './platform-sockets.ts';
import { cutOff, type SocketFamily } from './platform-stream.ts';
import { BACKLOG, whereOf, type Acceptor, type Arrival, type ConnectedStream } from './stream.ts';

/** How a server of `node:net` listens, and what becomes of the sockets it accepts. */
export interface ListenerKind {
  /** What it listens at, in errors. */
  readonly where: string;
  readonly family: SocketFamily;
  begin(server: Server, whenListening: () => void): void;
  /** Where a server that listens does so. */
  local(server: Server): SocketAddress;
  /** What it is called in errors once it listens. */
  whereBound(local: SocketAddress): string;
  /** The socket, received from as ours are; undefined when the peer has gone already. */
  adopt(accepted: Socket): ConnectedStream | undefined;
}

/** Opens a listening TCP socket of `node:net`. */
export function listenPlatform(context: OsContext, options: ListenOptions): Promise<Acceptor> {
  const { address, port, backlog } = options;
  return openServer({
    where: whereOf(options),
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
    whereBound: formatSocketAddress,
    adopt: (accepted) => adoptSocket(context.clock, accepted),
  });
}

/** Opens a listening socket of that kind. */
export function openServer(kind: ListenerKind): Promise<Acceptor> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const onError = (error: Error): void => {
      reject(fromSystemError(error, `cannot listen on ${kind.where}`));
    };
    server.on('error', onError);
    kind.begin(server, () => {
      resolve(new ServerAcceptor(server, kind));
    });
  });
}

class ServerAcceptor implements Acceptor {
  readonly local: SocketAddress;
  readonly where: string;
  readonly #server: Server;
  readonly #kind: ListenerKind;

  constructor(server: Server, kind: ListenerKind) {
    this.local = kind.local(server);
    this.where = kind.whereBound(this.local);
    this.#server = server;
    this.#kind = kind;
  }

  start(arrived: (arrival: Arrival) => void, failed: () => void): void {
    const { family, adopt } = this.#kind;
    this.#server.on('connection', (socket) =>
      arrived({ accept: () => adopt(socket), refuse: () => cutOff(socket, family) }),
    );
    // Accepting may fail later (too many open files), which the listener lives through.
    this.#server.on('error', failed);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
