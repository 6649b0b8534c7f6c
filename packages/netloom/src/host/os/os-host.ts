import { promises as dns } from 'node:dns';
import {
  Counters,
  IpAddress,
  hostError,
  secureRandom,
  withLimits,
  type BindOptions,
  type Clock,
  type ConnectOptions,
  type Connection,
  type DatagramSocket,
  type EchoReply,
  type Host,
  type ListenOptions,
  type Listener,
  type PingOptions,
  type Random,
  type ResolveOptions,
  type SocketAddress,
} from '../../core/index.ts';
import { connectByName } from '../happy-eyeballs.ts';
import { PendingOperations } from '../pending.ts';
import { checkPort } from '../ports.ts';
import { resolveSpecialName } from '../special-names.ts';
import { SystemClock } from './clock.ts';
import { OS_HOST_LIMITS, type OsContext, type OsHostLimits } from './context.ts';
import { fromSystemError } from './errors.ts';
import { OsConnection } from './os-connection.ts';
import { bindDatagram } from './os-datagram.ts';
import { listen } from './os-listener.ts';
import { ping } from './ping.ts';
import { connectSocket } from './socket.ts';

/** What {@link osHost} takes. */
export interface OsHostOptions {
  /** Default `os`. */
  readonly name?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<OsHostLimits>;
}

/** The {@link Host} of this machine: the operating system's sockets, its resolver, its clock. */
export function osHost(options: OsHostOptions = {}): OsHost {
  return new OsHost(options);
}

/** See {@link osHost}. */
export class OsHost implements Host {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters = new Counters();
  readonly #context: OsContext;
  readonly #pending = new PendingOperations();
  #closed: Promise<void> | undefined;

  constructor(options: OsHostOptions) {
    this.name = options.name ?? 'os';
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
    return this.#pending.run(options.signal, `the connection to ${options.host}`, (signal) =>
      connectByName(
        { ...options, signal },
        {
          clock: this.clock,
          resolve: (name, resolving) => resolveName(name, resolving),
          connectAddress: (remote, attempt) => this.#connectAddress(remote, options, attempt),
        },
      ),
    );
  }

  listen(options: ListenOptions): Promise<Listener> {
    const what = `listening on port ${options.port}`;
    return this.#pending.run(options.signal, what, async () => {
      checkPort(options.port, 0, what);
      this.#checkLimit();
      return listen(this.#context, options);
    });
  }

  bind(options: BindOptions = {}): Promise<DatagramSocket> {
    const what = `binding UDP port ${options.port ?? 0}`;
    return this.#pending.run(options.signal, what, async () => {
      checkPort(options.port ?? 0, 0, what);
      this.#checkLimit();
      return bindDatagram(this.#context, options);
    });
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    return this.#pending.run(options.signal, `resolving '${name}'`, () =>
      resolveName(name, options),
    );
  }

  ping(target: IpAddress, options: PingOptions = {}): Promise<EchoReply> {
    return this.#pending.run(options.signal, `pinging ${target}`, (signal) =>
      ping(this.#context, target, { ...options, signal }),
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

  async #connectAddress(
    remote: SocketAddress,
    { local }: ConnectOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    this.#checkLimit();
    return new OsConnection(this.#context, await connectSocket(this.clock, remote, local, signal));
  }

  #checkLimit(): void {
    const { open, limits } = this.#context;
    if (open.size < limits.open) return;
    this.drops.add('open-limit');
    throw hostError('TOO_MANY_OPEN', `${this.name} has ${open.size} open, which is its limit`);
  }
}

/** By the operating system's resolver (`getaddrinfo`: the hosts file, DNS, whatever it is set up for). */
async function resolveName(name: string, options: ResolveOptions): Promise<readonly IpAddress[]> {
  const special = resolveSpecialName(name, options.family);
  if (special !== undefined) return special;
  try {
    // 'verbatim': the platform has ordered them (RFC 6724), best first.
    const found = await dns.lookup(name, {
      all: true,
      order: 'verbatim',
      family: options.family ?? 0,
    });
    return found.map(({ address }) => IpAddress.parse(address));
  } catch (thrown) {
    throw fromSystemError(thrown, `cannot resolve '${name}'`);
  }
}
