import { IpAddress, NetloomError, hostError, type Counters } from '../../core/index.ts';
import {
  Dhcpv6Client,
  type Dhcpv6ClientOptions,
  type Dhcpv6ClientSink,
  type Dhcpv6ClientState,
  type Dhcpv6Lease,
  type Dhcpv6LossReason,
  type Dhcpv6Parameters,
  type Interface,
} from '../../ip/index.ts';
import { DHCPV6_CLIENT_PORT, DHCPV6_SERVER_PORT, duidOfMac } from '../../wire/index.ts';
import { DhcpDriver, LEASE_PATIENCE, clientClosed, type LeaseOptions } from './dhcp-driver.ts';
import { LeasedAddresses } from './leased-addresses.ts';
import type { StackHost } from './stack-host.ts';
import { Waiters } from './waiters.ts';

/** What {@link DhcpClientV6} takes: what its engine does, and who is told. By default the host's first MAC address says who the client is, and the interface's own which interface. */
export interface DhcpClientV6Options
  extends
    Partial<Omit<Dhcpv6ClientOptions, 'random'>>,
    Partial<Pick<Dhcpv6ClientSink, 'bound' | 'renewed' | 'lost' | 'configured'>> {
  /** Whether an address is probed before it is used (RFC 8415, section 18.2.10.1), which takes a second or so. Default true. */
  readonly probe?: boolean;
}

/** How long the answer to a Release is waited for, in milliseconds: long enough for the message to be sent twice (RFC 8415, section 7.6: REL_TIMEOUT). */
const RELEASE_PATIENCE = 2000;

/**
 * Configures an interface of a {@link StackHost} by DHCPv6: binds the engine to UDP port 546 of that interface, gives it the addresses of the
 * lease, and takes them away when their time is over. Prefixes are the owner's to use: each change of them is told by `bound`, `renewed`
 * and `lost`. With the mode `stateless` parameters alone are asked for.
 *
 * It begins at once, from the interface's link-local address, and ends with {@link close} or with the host. Routers, and what is on the
 * link, are no matter of DHCPv6: the interface should be autoconfigured too.
 */
export class DhcpClientV6 implements AsyncDisposable {
  readonly #via: Interface;
  readonly #host: StackHost;
  readonly #options: DhcpClientV6Options;
  readonly #engine: Dhcpv6Client;
  readonly #driver: DhcpDriver;
  readonly #addresses: LeasedAddresses;
  readonly #leaseWaiters: Waiters<Dhcpv6Lease>;
  readonly #parameterWaiters: Waiters<Dhcpv6Parameters>;
  /** By address: what gives up the probe of it that is under way. */
  readonly #probes = new Map<string, () => void>();
  #lease: Dhcpv6Lease | undefined;
  #parameters: Dhcpv6Parameters | undefined;
  /** Until then the answer to a Release is waited for. */
  #releaseUntil = Infinity;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  /** Throws `ADDRESS_NOT_AVAILABLE` if the interface has no link-local address yet, `ADDRESS_IN_USE` if it has a client already. */
  constructor(host: StackHost, via: Interface, options: DhcpClientV6Options = {}) {
    if (via.linkLocal === undefined) {
      throw hostError('ADDRESS_NOT_AVAILABLE', `${via.name} has no link-local IPv6 address`, {
        remedy: 'Let the interface autoconfigure itself, and wait until it has one.',
      });
    }
    this.#host = host;
    this.#via = via;
    this.#options = options;
    this.#leaseWaiters = new Waiters(host.clock, `a DHCPv6 lease for ${via.name}`);
    this.#parameterWaiters = new Waiters(host.clock, `DHCPv6 parameters for ${via.name}`);
    this.#addresses = new LeasedAddresses(host.stack, via);
    this.#engine = this.#makeEngine();
    this.#driver = new DhcpDriver(
      host,
      {
        receive: (bytes, from, now) => {
          this.#engine.receive(bytes, from, now);
          this.#endIfReleased(now);
        },
        advance: (now) => {
          this.#engine.advance(now);
          this.#addresses.advance(now);
          this.#endIfReleased(now);
        },
        deadline: () =>
          Math.min(this.#engine.deadline(), this.#addresses.deadline(), this.#releaseUntil),
      },
      { via, address: IpAddress.ANY6, port: DHCPV6_CLIENT_PORT, closed: () => this.#end() },
    );
    this.#engine.start(this.#driver.now());
    this.#driver.schedule();
  }

  get state(): Dhcpv6ClientState {
    return this.#engine.state;
  }

  /** Messages dropped, by reason. */
  get drops(): Counters {
    return this.#engine.drops;
  }

  /** The lease in use. */
  get current(): Dhcpv6Lease | undefined {
    return this.#lease;
  }

  /** What a server has said of the network: DNS servers and search domains. It outlives the lease it came with. */
  get parameters(): Dhcpv6Parameters | undefined {
    return this.#parameters;
  }

  /** The lease, once there is one. Rejects with `TIMEOUT`, `ABORTED`, `HOST_CLOSED` when the client is closed, or `DHCP_STATELESS`. */
  async lease({ timeout = LEASE_PATIENCE, ...rest }: LeaseOptions = {}): Promise<Dhcpv6Lease> {
    if (this.#lease !== undefined) return this.#lease;
    if (this.#options.mode === 'stateless') {
      throw new NetloomError(
        'DHCP_STATELESS',
        `the DHCPv6 client of ${this.#via.name} asks for parameters alone, so no lease will come`,
        { remedy: "Wait with configured(), or leave the mode 'stateless' out." },
      );
    }
    return this.#leaseWaiters.wait({ timeout, ...rest }, 'no server has given one');
  }

  /** The parameters, once a server has told them, with a lease or alone. Rejects as {@link lease} does. */
  async configured({
    timeout = LEASE_PATIENCE,
    ...rest
  }: LeaseOptions = {}): Promise<Dhcpv6Parameters> {
    if (this.#parameters !== undefined) return this.#parameters;
    return this.#parameterWaiters.wait({ timeout, ...rest }, 'no server has told them');
  }

  /** The interface has gone down, or come up: what is held is then verified, as the link may be another (RFC 8415, section 18.2.12). */
  linkChanged(up: boolean): void {
    this.#engine.linkChanged(up, this.#driver.now());
    this.#driver.schedule();
  }

  /** Gives everything back to the server, waits for its answer for two seconds at most, and closes. */
  release(): Promise<void> {
    const now = this.#driver.now();
    this.#engine.release(now);
    if (this.#engine.state !== 'releasing') return this.close();
    if (this.#releaseUntil === Infinity) this.#releaseUntil = now + RELEASE_PATIENCE;
    this.#driver.schedule();
    return this.#ended.promise;
  }

  /** Takes the addresses from the interface and ends; the server is not told. Idempotent. */
  close(): Promise<void> {
    this.#engine.stop(this.#driver.now());
    return this.#driver.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #makeEngine(): Dhcpv6Client {
    const { stack, random } = this.#host;
    // One for all interfaces of the host (RFC 8415, section 11).
    const first = stack.interfaces.find(({ needsNeighbours }) => needsNeighbours) ?? this.#via;
    const identity = { duid: duidOfMac(first.mac), associationId: this.#via.mac.low };
    return new Dhcpv6Client(
      { ...identity, ...this.#options, random },
      {
        send: (message, destination) => this.#send(message, destination),
        probe: (address) => this.#probe(address),
        bound: (lease) => {
          this.#apply(lease);
          this.#options.bound?.(lease);
          this.#leaseWaiters.resolve(lease);
        },
        renewed: (lease) => {
          this.#apply(lease);
          this.#options.renewed?.(lease);
        },
        lost: (reason, lease) => this.#lost(reason, lease),
        configured: (parameters) => {
          this.#learn(parameters);
          this.#options.configured?.(parameters);
        },
      },
    );
  }

  /** From the link-local address always (RFC 8415, section 13.1): where it is gone, nothing is sent until there is one again. */
  #send(message: Uint8Array, destination: IpAddress): void {
    const source = this.#via.linkLocal;
    if (source === undefined) this.drops.add('no-link-local');
    else this.#driver.send(message, destination, DHCPV6_SERVER_PORT, source);
  }

  #probe(address: IpAddress): void {
    if (this.#options.probe === false) {
      this.#engine.probed(address, false, this.#driver.now());
      return;
    }
    const key = address.toString();
    const giveUp = this.#host.stack.claims.probe(this.#via, address, (taken) => {
      this.#probes.delete(key);
      this.#engine.probed(address, taken, this.#driver.now());
      this.#driver.schedule();
    });
    this.#probes.set(key, giveUp);
  }

  #apply(lease: Dhcpv6Lease): void {
    this.#lease = lease;
    this.#addresses.set(lease.addresses, this.#driver.now());
    this.#learn(lease);
  }

  #learn(parameters: Dhcpv6Parameters): void {
    this.#parameters = parameters;
    this.#parameterWaiters.resolve(parameters);
  }

  #lost(reason: Dhcpv6LossReason, lease: Dhcpv6Lease): void {
    this.#lease = undefined;
    this.#addresses.set([], this.#driver.now());
    this.#options.lost?.(reason, lease);
  }

  #endIfReleased(now: number): void {
    if (this.#releaseUntil === Infinity) return;
    if (this.state !== 'stopped' && now < this.#releaseUntil) return;
    this.#releaseUntil = Infinity;
    void this.close();
  }

  #end(): void {
    this.#engine.stop(this.#driver.now());
    for (const giveUp of this.#probes.values()) giveUp();
    this.#probes.clear();
    const error = clientClosed(6, this.#via);
    this.#leaseWaiters.end(error);
    this.#parameterWaiters.end(error);
    this.#ended.resolve();
  }
}
