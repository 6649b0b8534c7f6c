import { chmodSync } from 'node:fs';
import {
  Counters,
  IpAddress,
  NetloomError,
  hostError,
  secureRandom,
  withLimits,
  type ConnectOptions,
  type Connection,
  type DatagramSocket,
  type EchoReply,
  type Host,
  type ListenOptions,
  type Listener,
  type Random,
  type ResolveOptions,
  type SocketAddress,
} from '../../core/index.ts';
import { PendingOperations } from '../pending.ts';
import { resolveSpecialName } from '../special-names.ts';
import { SystemClock } from './clock.ts';
import { OS_HOST_LIMITS, type OsContext } from './context.ts';
import { OsConnection } from './os-connection.ts';
import type { OsHostOptions } from './os-host.ts';
import { BACKLOG, openListener } from './os-listener.ts';
import { PushSocket, adoptHandle, connectPush, type ConnectedSocket, type Ends } from './socket.ts';

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
export function localSocketHost(path: string, options: OsHostOptions = {}): LocalSocketHost {
  return new LocalSocketHost(path, options);
}

/** See {@link localSocketHost}. */
export class LocalSocketHost implements Host {
  readonly name: string;
  readonly clock: OsContext['clock'];
  readonly random: Random;
  readonly path: string;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters = new Counters();
  readonly #context: OsContext;
  readonly #pending = new PendingOperations();
  #closed: Promise<void> | undefined;

  constructor(path: string, options: OsHostOptions) {
    checkPath(path);
    this.path = path;
    this.name = options.name ?? path;
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? secureRandom();
    this.#context = {
      name: this.name,
      clock: this.clock,
      limits: withLimits(OS_HOST_LIMITS, options.limits),
      drops: this.drops,
      open: new Set(),
    };
  }

  connect(options: ConnectOptions): Promise<Connection> {
    const what = `the connection to ${this.path}`;
    return this.#pending.run(options.signal, what, async (signal) => {
      this.#checkLimit();
      const push = new PushSocket(this.clock, {}, 'local');
      const ends = (): Ends => this.#ends();
      try {
        const connected = await connectPush(push, { path: this.path }, what, signal, ends);
        return new OsConnection(this.#context, connected);
      } catch (error) {
        throw isMissing(error) ? nobodyListens(what, error) : error;
      }
    });
  }

  listen(options: ListenOptions): Promise<Listener> {
    const { path } = this;
    return this.#pending.run(options.signal, `listening on ${path}`, async () => {
      this.#checkLimit();
      return openListener(this.#context, (connection) => options.accept(connection), {
        where: path,
        family: 'local',
        begin: (server, whenListening) => {
          server.listen({ path, backlog: options.backlog ?? BACKLOG }, whenListening);
          // A path is bound at once; a failure is told later.
          if (server.listening) chmodSync(path, 0o600);
        },
        local: () => NOWHERE,
        adopt: (accepted): ConnectedSocket | undefined => {
          const push = adoptHandle(this.clock, accepted, 'local');
          return push && { push, ...this.#ends() };
        },
      });
    });
  }

  /** Rejects with `NETWORK_UNREACHABLE`. */
  bind(): Promise<DatagramSocket> {
    return this.#pending.run(undefined, 'binding', () =>
      Promise.reject(hostError('NETWORK_UNREACHABLE', `${this.name} carries no datagrams`)),
    );
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    return this.#pending.run(options.signal, `resolving '${name}'`, async () => {
      const { family } = options;
      const any = family === 6 ? IpAddress.LOOPBACK6 : IpAddress.LOOPBACK4;
      return resolveSpecialName(name, family) ?? [any];
    });
  }

  /** Rejects with `PING_UNAVAILABLE`. */
  ping(): Promise<EchoReply> {
    return this.#pending.run(undefined, 'pinging', () =>
      Promise.reject(hostError('PING_UNAVAILABLE', `${this.name} has nobody to ask for an echo`)),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(): Promise<void> {
    this.#pending.close();
    await Promise.all([...this.#context.open].map((thing) => thing.close()));
  }

  #ends(): Ends {
    return { local: NOWHERE, remote: NOWHERE, peer: this.path };
  }

  #checkLimit(): void {
    const { open, limits } = this.#context;
    if (open.size < limits.open) return;
    this.drops.add('open-limit');
    throw hostError('TOO_MANY_OPEN', `${this.name} has ${open.size} open, which is its limit`);
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
