import { chmodSync } from 'node:fs';
import {
  IpAddress,
  NetloomError,
  hostError,
  type ConnectOptions,
  type Connection,
  type DatagramSocket,
  type EchoReply,
  type Host,
  type ListenOptions,
  type Listener,
  type ResolveOptions,
  type SocketAddress,
} from '../../core/index.ts';
import { resolveSpecialName } from '../special-names.ts';
import { OsConnection } from './os-connection.ts';
import { OsListener } from './os-listener.ts';
import { openServer } from './platform-listener.ts';
import { adoptHandle, connectStream } from './platform-sockets.ts';
import { PlatformStream } from './platform-stream.ts';
import { SocketHost, type SocketHostOptions } from './socket-host.ts';
import { BACKLOG, type ConnectedStream, type Ends } from './stream.ts';

/** Bytes of a socket's path: `sun_path` of Linux has 108, of which the last is zero. */
const LONGEST_PATH = 107;

/** What both ends are shown as: a Unix socket has no IP address. */
const NOWHERE: SocketAddress = { address: IpAddress.LOOPBACK4, port: 0 };

/**
 * A {@link Host} whose every connection goes over one Unix socket, so that what is made for Hosts (an HTTP server, its client) can be
 * reached on this machine alone, and by its owner alone: the socket has mode 0600.
 *
 * Names, addresses and ports are of no meaning: all of them lead to the socket. There are no datagrams, no echo, and no resets: a peer
 * that was cut off sees the end, unless something it had sent was not read. Closing the listener removes the socket; one that a
 * killed process left is in the way (`ADDRESS_IN_USE`) until somebody removes it.
 */
export function localSocketHost(path: string, options: SocketHostOptions = {}): LocalSocketHost {
  return new LocalSocketHost(path, options);
}

/** See {@link localSocketHost}. */
export class LocalSocketHost extends SocketHost implements Host {
  readonly path: string;

  constructor(path: string, options: SocketHostOptions) {
    checkPath(path);
    super(path, 'platform', options);
    this.path = path;
  }

  connect(options: ConnectOptions): Promise<Connection> {
    const what = `the connection to ${this.path}`;
    return this.pending.run(options.signal, what, async (signal) => {
      this.checkLimit();
      const stream = new PlatformStream(this.clock, {}, 'local');
      const ends = (): Ends => this.#ends();
      try {
        const connected = await connectStream(stream, { path: this.path }, what, signal, ends);
        return new OsConnection(this.context, connected);
      } catch (error) {
        throw isMissing(error) ? nobodyListens(what, error) : error;
      }
    });
  }

  listen(options: ListenOptions): Promise<Listener> {
    const { path } = this;
    return this.pending.run(options.signal, `listening on ${path}`, async () => {
      this.checkLimit();
      const acceptor = await openServer({
        where: path,
        family: 'local',
        begin: (server, whenListening) => {
          server.listen({ path, backlog: options.backlog ?? BACKLOG }, whenListening);
          // A path is bound at once; a failure is told later.
          if (server.listening) chmodSync(path, 0o600);
        },
        local: () => NOWHERE,
        whereBound: () => path,
        adopt: (accepted): ConnectedStream | undefined => {
          const stream = adoptHandle(this.clock, accepted, 'local');
          return stream && { stream, ...this.#ends() };
        },
      });
      return new OsListener(this.context, acceptor, (connection) => options.accept(connection));
    });
  }

  /** Rejects with `NETWORK_UNREACHABLE`. */
  bind(): Promise<DatagramSocket> {
    return this.pending.run(undefined, 'binding', () =>
      Promise.reject(hostError('NETWORK_UNREACHABLE', `${this.name} carries no datagrams`)),
    );
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    return this.pending.run(options.signal, `resolving '${name}'`, async () => {
      const { family } = options;
      const any = family === 6 ? IpAddress.LOOPBACK6 : IpAddress.LOOPBACK4;
      return resolveSpecialName(name, family) ?? [any];
    });
  }

  /** Rejects with `PING_UNAVAILABLE`. */
  ping(): Promise<EchoReply> {
    return this.pending.run(undefined, 'pinging', () =>
      Promise.reject(hostError('PING_UNAVAILABLE', `${this.name} has nobody to ask for an echo`)),
    );
  }

  #ends(): Ends {
    return { local: NOWHERE, remote: NOWHERE, peer: this.path };
  }
}

/** The platform would cut the path short, and use another socket. */
function checkPath(path: string): void {
  const length = new TextEncoder().encode(path).length;
  if (length <= LONGEST_PATH && path !== '' && !path.includes('\0')) return;
  const what = length > LONGEST_PATH ? `has ${length} bytes` : 'is no path';
  throw new NetloomError('SOCKET_PATH_INVALID', `the path of the socket ${what}: ${path}`, {
    remedy: `Choose one of at most ${LONGEST_PATH} bytes: the operating system takes no longer ones.`,
  });
}

/** There is no file of that name, or no socket. */
function isMissing(error: unknown): boolean {
  const { code } = ((error as NetloomError).cause ?? {}) as { code?: string };
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENOTSOCK';
}

function nobodyListens(what: string, cause: unknown): NetloomError {
  return hostError('CONNECTION_REFUSED', `${what}: there is no such socket`, { cause });
}
