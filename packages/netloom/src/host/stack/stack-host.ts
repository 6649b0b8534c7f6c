import {
  Cidr,
  IpAddress,
  NetloomError,
  abortError,
  hostError,
  secureRandom,
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
import {
  IpStack,
  type AddInterfaceOptions,
  type Interface,
  type IpStackOptions,
} from '../../ip/index.ts';
import type { Link } from '../../link/index.ts';
import { connectByName } from '../happy-eyeballs.ts';
import { SystemClock } from '../os/clock.ts';
import { PendingOperations } from '../pending.ts';
import { checkPort } from '../ports.ts';
import { resolveSpecialName } from '../special-names.ts';
import { addAddress, type HostAddressOptions } from './add-address.ts';
import { Ipv6Configuration, type Ipv6ConfigurationOptions } from './ipv6-configuration.ts';
import { StackListener } from './stack-listener.ts';

/** Finds the addresses of a name that the host does not know itself. Rejects with `NAME_NOT_FOUND`. */
export type Resolver = (name: string, options: ResolveOptions) => Promise<readonly IpAddress[]>;

/** What {@link stackHost} takes. */
export interface StackHostOptions extends Partial<IpStackOptions> {
  /** Default `stack`. */
  readonly name?: string;
  /** Names known without asking, as a hosts file has them. */
  readonly names?: Readonly<Record<string, readonly (IpAddress | string)[]>>;
  /** Asked for other names; without it they are not found. */
  readonly resolver?: Resolver;
}

/**
 * A {@link Host} on our own TCP/IP stack: give it links with {@link StackHost.addInterface} and it is a machine on their networks.
 */
export function stackHost(options: StackHostOptions = {}): StackHost {
  return new StackHost(options);
}

/** See {@link stackHost}. */
export class StackHost implements Host {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly stack: IpStack;
  readonly #names = new Map<string, readonly IpAddress[]>();
  readonly #resolver: Resolver | undefined;
  readonly #pending = new PendingOperations();
  readonly #listeners = new Set<Listener>();
  readonly #configurations = new Map<Interface, Ipv6Configuration>();
  #closed: Promise<void> | undefined;

  constructor(options: StackHostOptions) {
    this.name = options.name ?? 'stack';
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? secureRandom();
    this.stack = new IpStack({ ...options, clock: this.clock, random: this.random });
    this.#resolver = options.resolver;
    for (const [name, addresses] of Object.entries(options.names ?? {})) {
      this.addName(name, addresses);
    }
  }

  /** Attaches the host to a link. */
  addInterface(link: Link, options: AddInterfaceOptions = {}): Interface {
    return this.stack.addInterface(link, options);
  }

  /** Takes an interface from the host, with all that depends on it: see {@link IpStack.removeInterface}. Its link is closed. Idempotent. */
  async removeInterface(via: Interface): Promise<void> {
    await this.#configurations.get(via)?.close();
    await this.stack.removeInterface(via);
  }

  /**
   * Gives an interface an address, as `10.0.0.2/24`, and waits until it may be used: with `duplicates: 'detect'` that is some seconds later, when the link has been
   * asked. Rejects with `ADDRESS_DUPLICATE` if another station has it.
   */
  addAddress(
    via: Interface,
    address: Cidr | string,
    { signal, ...options }: HostAddressOptions = {},
  ): Promise<void> {
    const cidr = typeof address === 'string' ? Cidr.parse(address) : address;
    return this.#pending.run(signal, `giving ${via.name} the address ${cidr}`, (aborted) =>
      addAddress(this.stack, via, cidr, options, aborted),
    );
  }

  /** Lets an interface configure itself for IPv6, by routers' word and by DHCPv6. Once for an interface. */
  autoconfigure(via: Interface, options: Ipv6ConfigurationOptions = {}): Ipv6Configuration {
    const known = this.#configurations.get(via);
    if (known !== undefined) return known;
    const ended = (): unknown => this.#configurations.delete(via);
    const made = new Ipv6Configuration(this, via, options, ended);
    this.#configurations.set(via, made);
    return made;
  }

  /** Makes a name known to {@link resolve}. */
  addName(name: string, addresses: readonly (IpAddress | string)[]): void {
    const parsed = addresses.map((address) =>
      typeof address === 'string' ? IpAddress.parse(address) : address,
    );
    this.#names.set(name.toLowerCase(), parsed);
  }

  connect(options: ConnectOptions): Promise<Connection> {
    return this.#pending.run(options.signal, `the connection to ${options.host}`, (signal) =>
      connectByName(
        { ...options, signal },
        {
          clock: this.clock,
          resolve: (name, resolving) => this.#resolve(name, resolving),
          connectAddress: (remote, attempt) => this.#connectAddress(remote, options, attempt),
        },
      ),
    );
  }

  listen(options: ListenOptions): Promise<Listener> {
    const what = `listening on port ${options.port}`;
    return this.#pending.run(options.signal, what, async () => {
      checkPort(options.port, 0, what);
      this.#checkLocal(options.address);
      const listener = new StackListener(this.stack, options, () =>
        this.#listeners.delete(listener),
      );
      this.#listeners.add(listener);
      return listener;
    });
  }

  bind(options: BindOptions = {}): Promise<DatagramSocket> {
    const what = `binding UDP port ${options.port ?? 0}`;
    return this.#pending.run(options.signal, what, async () => {
      checkPort(options.port ?? 0, 0, what);
      this.#checkLocal(options.address);
      const address = options.address ?? IpAddress.ANY6;
      return this.stack.udp.bind(address, options.port ?? 0, options.reuseAddress ?? false);
    });
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<readonly IpAddress[]> {
    return this.#pending.run(options.signal, `resolving '${name}'`, () =>
      this.#resolve(name, options),
    );
  }

  ping(target: IpAddress, options: PingOptions = {}): Promise<EchoReply> {
    const what = `pinging ${target}`;
    return this.#pending.run(options.signal, what, (signal) =>
      this.#ping(target, options, signal, what),
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
    const { tcp, udp } = this.stack;
    const ofNoInterface = udp.sockets().filter(({ device }) => device === undefined);
    await closeEach([...this.#listeners, ...ofNoInterface]);
    await closeEach(tcp.openConnections());
    // What has given the host its addresses goes last: connections need those to end in good order.
    await closeEach([...this.#configurations.values(), ...udp.sockets()]);
    await this.stack.close();
  }

  async #resolve(name: string, options: ResolveOptions): Promise<readonly IpAddress[]> {
    const special = resolveSpecialName(name, options.family);
    if (special !== undefined) return special;
    const known = this.#names.get(name.toLowerCase().replace(/\.$/, ''));
    const ofFamily = known?.filter(({ family }) => family === (options.family ?? family));
    if (ofFamily !== undefined && ofFamily.length > 0) return ofFamily;
    if (this.#resolver !== undefined && known === undefined) return this.#resolver(name, options);
    throw hostError('NAME_NOT_FOUND', `${this.name} knows no address of '${name}'`);
  }

  #connectAddress(
    remote: SocketAddress,
    { local }: ConnectOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const path = this.stack.paths.find(remote.address, local?.address);
    const connection = this.stack.tcp.connect(
      path,
      local?.port ?? 0,
      remote.port,
      (opened, error) => {
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) resolve(opened);
        else reject(error);
      },
    );
    const onAbort = (): void => connection.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  async #ping(
    target: IpAddress,
    options: PingOptions,
    signal: AbortSignal,
    what: string,
  ): Promise<EchoReply> {
    const { promise, resolve, reject } = Promise.withResolvers<EchoReply>();
    const timeout = options.timeout ?? 1000;
    const giveUp = this.stack.ping(
      target,
      { size: options.size ?? 56, sequence: options.sequence, hopLimit: options.hopLimit ?? 64 },
      (reply) => (reply instanceof NetloomError ? reject(reply) : resolve(reply)),
    );
    const timer = this.clock.timer(() =>
      reject(hostError('TIMEOUT', `${what}: no reply within ${timeout} ms`)),
    );
    timer.set(this.clock.now() + timeout);
    const onAbort = (): void => reject(abortError(signal, what));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      timer.clear();
      giveUp();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Throws `ADDRESS_NOT_AVAILABLE` unless the address is of this host, unspecified or a group. */
  #checkLocal(address: IpAddress | undefined): void {
    if (address === undefined || address.isUnspecified || address.isMulticast) return;
    if (this.stack.paths.ownerOf(address) !== undefined) return;
    throw hostError('ADDRESS_NOT_AVAILABLE', `${address} is not an address of ${this.name}`);
  }
}

async function closeEach(open: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(open.map((one) => one.close()));
}
