import { promises as dns } from 'node:dns';
import {
  IpAddress,
  type BindOptions,
  type ConnectOptions,
  type Connection,
  type DatagramSocket,
  type EchoReply,
  type Host,
  type ListenOptions,
  type Listener,
  type PingOptions,
  type ResolveOptions,
  type SocketAddress,
} from '../../core/index.ts';
import { nativeAvailable, requireNative } from '../../native/index.ts';
import { connectByName } from '../happy-eyeballs.ts';
import { checkPort } from '../ports.ts';
import { resolveSpecialName } from '../special-names.ts';
import type { SocketKind } from './context.ts';
import { fromSystemError } from './errors.ts';
import { connectNative, listenNative } from './native-sockets.ts';
import { OsConnection } from './os-connection.ts';
import { bindDatagram } from './os-datagram.ts';
import { OsListener } from './os-listener.ts';
import { ping } from './ping.ts';
import { listenPlatform } from './platform-listener.ts';
import { connectPlatform } from './platform-sockets.ts';
import { SocketHost, type SocketHostOptions } from './socket-host.ts';

/** What {@link osHost} takes. */
export interface OsHostOptions extends SocketHostOptions {
  /** Default `native` where that can be had, otherwise `platform`. */
  readonly sockets?: SocketKind;
}

/** The {@link Host} of this machine: the operating system's sockets, its resolver, its clock. */
export function osHost(options: OsHostOptions = {}): OsHost {
  return new OsHost(options);
}

/** See {@link osHost}. */
export class OsHost extends SocketHost implements Host {
  constructor(options: OsHostOptions) {
    super('os', chooseSockets(options.sockets), options);
  }

  /** By what means it has its sockets. */
  get sockets(): SocketKind {
    return this.context.sockets;
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return this.pending.run(options.signal, `the connection to ${options.host}`, (signal) =>
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
    return this.pending.run(options.signal, what, async () => {
      checkPort(options.port, 0, what);
      this.checkLimit();
      const acceptor =
        this.context.sockets === 'native'
          ? listenNative(this.context, options)
          : await listenPlatform(this.context, options);
      return new OsListener(this.context, acceptor, (connection) => options.accept(connection));
    });
  }

  bind(options: BindOptions = {}): Promise<DatagramSocket> {
    const what = `binding UDP port ${options.port ?? 0}`;
    return this.pending.run(options.signal, what, async () => {
      checkPort(options.port ?? 0, 0, what);
      this.checkLimit();
      return bindDatagram(this.context, options);
    });
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    return this.pending.run(options.signal, `resolving '${name}'`, () =>
      resolveName(name, options),
    );
  }

  ping(target: IpAddress, options: PingOptions = {}): Promise<EchoReply> {
    return this.pending.run(options.signal, `pinging ${target}`, (signal) =>
      ping(this.context, target, { ...options, signal }),
    );
  }

  async #connectAddress(
    remote: SocketAddress,
    { local }: ConnectOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    this.checkLimit();
    const connect = this.context.sockets === 'native' ? connectNative : connectPlatform;
    return new OsConnection(this.context, await connect(this.clock, remote, local, signal));
  }
}

/** Throws `NATIVE_UNAVAILABLE` when native ones are asked for and cannot be had. */
function chooseSockets(wanted: SocketKind | undefined): SocketKind {
  if (wanted === 'native') requireNative();
  return wanted ?? (nativeAvailable() === undefined ? 'native' : 'platform');
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
