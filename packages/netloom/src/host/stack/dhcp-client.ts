import { Cidr, IpAddress, type Counters, type Random } from '../../core/index.ts';
import {
  Dhcpv4Client,
  type Dhcpv4ClientLimits,
  type Dhcpv4ClientState,
  type Dhcpv4Lease,
  type Dhcpv4LossReason,
  type Interface,
} from '../../ip/index.ts';
import { DHCPV4_CLIENT_PORT, DHCPV4_SERVER_PORT } from '../../wire/index.ts';
import { DhcpDriver, LEASE_PATIENCE, clientClosed, type LeaseOptions } from './dhcp-driver.ts';
import type { StackHost } from './stack-host.ts';
import { Waiters } from './waiters.ts';

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
  /** Gives up the probe that is under way, if one is. */
  #giveUpProbe: () => void = () => undefined;
  readonly #driver: DhcpDriver;
  readonly #waiters: Waiters<Dhcpv4Lease>;
  /** What the interface has been given. */
  #applied: Dhcpv4Lease | undefined;
  readonly #mtuBefore: number;

  constructor(host: StackHost, via: Interface, options: DhcpClientOptions = {}) {
    this.#host = host;
    this.#via = via;
    this.#options = options;
    this.#mtuBefore = via.mtu;
    this.#waiters = new Waiters(host.clock, `a DHCP lease for ${via.name}`);
    this.#engine = this.#makeEngine(host.random);
    this.#driver = new DhcpDriver(host, this.#engine, {
      via,
      address: IpAddress.ANY4,
      port: DHCPV4_CLIENT_PORT,
      closed: () => this.#end(),
    });
    this.#engine.start(this.#driver.now());
    this.#driver.schedule();
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
  async lease({ timeout = LEASE_PATIENCE, ...rest }: LeaseOptions = {}): Promise<Dhcpv4Lease> {
    return this.#applied ?? this.#waiters.wait({ timeout, ...rest }, 'no server has given one');
  }

  /** Gives the address back to the server, and closes. */
  release(): Promise<void> {
    this.#engine.release(this.#driver.now());
    return this.close();
  }

  /** Takes the address from the interface and ends; the server is not told. Idempotent. */
  close(): Promise<void> {
    this.#engine.stop(this.#driver.now());
    return this.#driver.close();
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
        send: (message, destination, source) =>
          this.#driver.send(message, destination, DHCPV4_SERVER_PORT, source),
        probe: (address) => this.#probe(address),
        bound: (lease) => this.#bound(lease),
        renewed: (lease) => this.#apply(lease),
        lost: (reason, lease) => this.#lost(reason, lease),
      },
    );
  }

  #probe(address: IpAddress): void {
    this.#giveUpProbe();
    if (this.#options.probe === false) {
      this.#engine.probed(false, this.#driver.now());
      return;
    }
    this.#giveUpProbe = this.#host.stack.claims.probe(this.#via, address, (taken) => {
      this.#engine.probed(taken, this.#driver.now());
      this.#driver.schedule();
    });
  }

  #bound(lease: Dhcpv4Lease): void {
    this.#apply(lease);
    this.#options.bound?.(lease);
    this.#waiters.resolve(lease);
  }

  #lost(reason: Dhcpv4LossReason, lease: Dhcpv4Lease): void {
    this.#giveUpProbe();
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
      // Once it is in use it is never given up: whose it is is the server's to decide, and the server says it is ours.
      stack.addAddress(this.#via, new Cidr(lease.address, lease.prefixLength), {
        duplicates: this.#options.probe === false ? 'assume-none' : 'announce',
        defence: 'defend-always',
      });
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
    this.#engine.stop(this.#driver.now());
    this.#giveUpProbe();
    this.#waiters.end(clientClosed(4, this.#via));
  }
}

function routesOf({ routes }: Dhcpv4Lease): LeaseRoute[] {
  return routes.map(({ destination, gateway }) => ({ network: destination, gateway }));
}
