import {
  Cidr,
  IpAddress,
  hostError,
  type Abortable,
  type Counters,
  type DatagramSocket,
  type Random,
  type Timer,
} from '../../core/index.ts';
import {
  ConflictDetector,
  Dhcpv4Client,
  type Dhcpv4ClientLimits,
  type Dhcpv4ClientState,
  type Dhcpv4Lease,
  type Dhcpv4LossReason,
  type Interface,
} from '../../ip/index.ts';
import { DHCPV4_CLIENT_PORT, DHCPV4_SERVER_PORT } from '../../wire/index.ts';
import { orAborted } from '../abortable.ts';
import type { StackHost } from './stack-host.ts';

/** What {@link DhcpClient} takes. */
export interface DhcpClientOptions {
  readonly hostname?: string;
  readonly clientIdentifier?: Uint8Array;
  /** What an earlier run had: it is asked for again while its lease may run. */
  readonly previous?: Pick<Dhcpv4Lease, 'address' | 'expiresAt'>;
  /** Whether an address is probed before it is used (RFC 5227), which takes five seconds or so. Default true. */
  readonly probe?: boolean;
  readonly limits?: Partial<Dhcpv4ClientLimits>;
  /** The interface has the address now, and routes with it. */
  bound?(lease: Dhcpv4Lease): void;
  /** The address has been taken from the interface again. */
  lost?(reason: Dhcpv4LossReason, lease: Dhcpv4Lease): void;
}

/** How long {@link DhcpClient.lease} waits. */
export interface LeaseOptions extends Abortable {
  /** Milliseconds. Default 60,000: a server that is there has answered by then, messages lost included. */
  readonly timeout?: number;
}

/** A route that a lease brings, as the stack takes it. */
interface LeaseRoute {
  readonly network: Cidr;
  readonly gateway: IpAddress | undefined;
}

/**
 * Configures an interface of a {@link StackHost} by DHCPv4: binds the engine to UDP port 68 of that interface, gives it the address, routes
 * and MTU of the lease, and takes them away when the lease ends. It begins at once, and ends with {@link close} or with the host.
 *
 * Servers are asked to answer by broadcast, since the stack takes no packet to an address that the interface has not got yet.
 */
export class DhcpClient implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #options: DhcpClientOptions;
  readonly #engine: Dhcpv4Client;
  /** Probes addresses; undefined: they are used without. */
  readonly #detector: ConflictDetector | undefined;
  readonly #socket: DatagramSocket;
  readonly #timer: Timer;
  readonly #stopListening: () => void;
  /** Those who wait for a lease. */
  readonly #waiting = new Set<PromiseWithResolvers<Dhcpv4Lease>>();
  /** What the interface has been given. */
  #applied: Dhcpv4Lease | undefined;
  readonly #mtuBefore: number;

  constructor(host: StackHost, via: Interface, options: DhcpClientOptions = {}) {
    this.#host = host;
    this.#via = via;
    this.#options = options;
    this.#mtuBefore = via.mtu;
    const { random } = host;
    this.#engine = this.#makeEngine(random);
    this.#detector = options.probe === false ? undefined : this.#makeDetector(random);
    this.#timer = host.clock.timer(() => this.#advance());
    this.#socket = host.stack.udp.bind(IpAddress.ANY4, DHCPV4_CLIENT_PORT, false, via);
    this.#stopListening = host.stack.arp.listen((on, packet) => {
      if (on !== via) return;
      this.#detector?.receive(packet, this.#now());
      this.#setTimer();
    });
    this.#socket.start({
      receive: (batch) => {
        for (const { data, remote } of batch) {
          this.#engine.receive(data, remote.address, this.#now());
        }
        this.#setTimer();
      },
      closed: () => this.#end(),
    });
    this.#engine.start(this.#now());
    this.#setTimer();
  }

  get state(): Dhcpv4ClientState {
    return this.#engine.state;
  }

  /** Messages dropped, by reason. */
  get drops(): Counters {
    return this.#engine.drops;
  }

  /** The lease in use. */
  get current(): Dhcpv4Lease | undefined {
    return this.#applied;
  }

  /** The lease, once there is one. Rejects with `TIMEOUT`, `ABORTED`, or `HOST_CLOSED` when the client is closed. */
  async lease({ timeout = 60_000, signal }: LeaseOptions = {}): Promise<Dhcpv4Lease> {
    if (this.#applied !== undefined) return this.#applied;
    const what = `a DHCP lease for ${this.#via.name}`;
    const waiter = Promise.withResolvers<Dhcpv4Lease>();
    const timer = this.#host.clock.timer(() =>
      waiter.reject(hostError('TIMEOUT', `${what}: no server has given one in ${timeout} ms`)),
    );
    timer.set(this.#now() + timeout);
    this.#waiting.add(waiter);
    try {
      return await orAborted(waiter.promise, signal, what);
    } finally {
      timer.clear();
      this.#waiting.delete(waiter);
    }
  }

  /** Gives the address back to the server, and closes. */
  release(): Promise<void> {
    this.#engine.release(this.#now());
    return this.close();
  }

  /** Takes the address from the interface and ends; the server is not told. Idempotent. */
  close(): Promise<void> {
    this.#engine.stop(this.#now());
    return this.#socket.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #makeEngine(random: Random): Dhcpv4Client {
    const { hostname, clientIdentifier, previous, limits } = this.#options;
    return new Dhcpv4Client(
      {
        mac: this.#via.mac,
        random,
        broadcast: true,
        ...(hostname !== undefined && { hostname }),
        ...(clientIdentifier !== undefined && { clientIdentifier }),
        ...(previous !== undefined && { previous }),
        ...(limits !== undefined && { limits }),
      },
      {
        send: (message, destination, source) => this.#send(message, destination, source),
        probe: (address) => {
          if (this.#detector === undefined) this.#engine.probed(false, this.#now());
          else this.#detector.start(address, this.#now());
        },
        bound: (lease) => this.#bound(lease),
        renewed: (lease) => this.#apply(lease),
        lost: (reason, lease) => this.#lost(reason, lease),
      },
    );
  }

  /** It never gives way once the address is in use: that is the server's to decide, and the server says it is ours. */
  #makeDetector(random: Random): ConflictDetector {
    const { arp } = this.#host.stack;
    return new ConflictDetector(
      { mac: this.#via.mac, random, defence: 'defend-always' },
      {
        sendProbe: (address) => arp.request(this.#via, IpAddress.ANY4, address),
        sendAnnouncement: (address) => arp.request(this.#via, address, address),
        free: () => this.#engine.probed(false, this.#now()),
        conflict: () => this.#engine.probed(true, this.#now()),
      },
    );
  }

  #now(): number {
    return this.#host.clock.now();
  }

  #advance(): void {
    const now = this.#now();
    this.#engine.advance(now);
    this.#detector?.advance(now);
    this.#setTimer();
  }

  /** One timer for both engines. */
  #setTimer(): void {
    const deadline = Math.min(this.#engine.deadline(), this.#detector?.deadline() ?? Infinity);
    if (deadline !== this.#timer.deadline) this.#timer.set(deadline);
  }

  #send(message: Uint8Array, destination: IpAddress, source: IpAddress): void {
    const remote = { address: destination, port: DHCPV4_SERVER_PORT };
    this.#socket.send([{ data: message, remote, local: source }]);
  }

  #bound(lease: Dhcpv4Lease): void {
    this.#apply(lease);
    this.#options.bound?.(lease);
    for (const waiter of this.#waiting) waiter.resolve(lease);
  }

  #lost(reason: Dhcpv4LossReason, lease: Dhcpv4Lease): void {
    this.#detector?.stop(this.#now());
    this.#withdraw();
    this.#options.lost?.(reason, lease);
  }

  /** Gives the interface what the lease says; what an earlier one said otherwise is taken back. */
  #apply(lease: Dhcpv4Lease): void {
    const { stack } = this.#host;
    const before = this.#applied;
    if (before !== undefined) this.#removeRoutes(before);
    if (before === undefined || !before.address.equals(lease.address)) {
      if (before !== undefined) stack.removeAddress(this.#via, before.address);
      stack.addAddress(this.#via, new Cidr(lease.address, lease.prefixLength));
    }
    for (const { network, gateway } of routesOf(lease)) stack.addRoute(network, this.#via, gateway);
    this.#via.mtu = Math.min(lease.mtu ?? this.#mtuBefore, this.#via.link.mtu);
    this.#applied = lease;
  }

  #withdraw(): void {
    const lease = this.#applied;
    if (lease === undefined) return;
    this.#applied = undefined;
    this.#removeRoutes(lease);
    this.#host.stack.removeAddress(this.#via, lease.address);
    this.#via.mtu = this.#mtuBefore;
  }

  #removeRoutes(lease: Dhcpv4Lease): void {
    for (const { network, gateway } of routesOf(lease)) {
      this.#host.stack.removeRoute(network, this.#via, gateway);
    }
  }

  #end(): void {
    this.#engine.stop(this.#now());
    this.#detector?.stop(this.#now());
    this.#timer.clear();
    this.#stopListening();
    for (const waiter of this.#waiting) {
      waiter.reject(hostError('HOST_CLOSED', `the DHCP client of ${this.#via.name} was closed`));
    }
  }
}

function routesOf({ routes }: Dhcpv4Lease): LeaseRoute[] {
  return routes.map(({ destination, gateway }) => ({ network: destination, gateway }));
}
