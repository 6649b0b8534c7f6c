import { hostError, toNetloomError, type IpAddress, type NetloomError } from '../../core/index.ts';
import type { AutoconfigureOptions, Interface } from '../../ip/index.ts';
import { LEASE_PATIENCE, type LeaseOptions } from './dhcp-driver.ts';
import { DhcpClientV6, type DhcpClientV6Options } from './dhcpv6-client.ts';
import type { StackHost } from './stack-host.ts';
import { Waiters } from './waiters.ts';

/** How an interface of a {@link StackHost} configures itself. */
export interface Ipv6ConfigurationOptions extends AutoconfigureOptions {
  /**
   * `as-advertised`, the default: DHCPv6 servers are asked for addresses where routers say that they have them, and for parameters alone
   * where routers say that (RFC 4861, section 4.2: the flags M and O).
   */
  readonly dhcpv6?: 'as-advertised' | 'never';
  /** What the DHCPv6 client is made with. */
  readonly client?: Omit<DhcpClientV6Options, 'mode'>;
  /** The DHCPv6 client could not be started; it is tried again at the next change. Counted as `dhcpv6-not-started` too. */
  readonly failed?: (error: NetloomError) => void;
}

/**
 * Has an interface configure itself for IPv6 by all that its link offers: addresses of its own making (RFC 4862), and DHCPv6 as routers
 * say. Made by {@link StackHost.autoconfigure}; it ends with {@link close} or with the host.
 */
export class Ipv6Configuration implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #options: Ipv6ConfigurationOptions;
  readonly #waiters: Waiters<IpAddress>;
  readonly #ended: () => unknown;
  #client: DhcpClientV6 | undefined;
  #isStateful = false;
  /** What the client has been told of the link. */
  #isLinkUp = true;
  #isOpen = true;
  #closed: Promise<void> | undefined;

  constructor(
    host: StackHost,
    via: Interface,
    options: Ipv6ConfigurationOptions,
    ended: () => unknown,
  ) {
    this.#host = host;
    this.#via = via;
    this.#options = options;
    this.#ended = ended;
    this.#waiters = new Waiters(host.clock, `an IPv6 address for ${via.name}`);
    host.stack.autoconfigure(via, { ...options, changed: () => this.#changed() });
  }

  /** The DHCPv6 client; undefined while no router has asked for one. */
  get client(): DhcpClientV6 | undefined {
    return this.#client;
  }

  /** An address that reaches beyond the link; undefined while there is none. */
  get address(): IpAddress | undefined {
    return this.#via.usable(6).find(({ cidr }) => !cidr.address.isLinkLocal)?.cidr.address;
  }

  /** The DNS servers of the link: those of DHCPv6 come before those that routers name (RFC 8106, section 5.3.1). */
  get dnsServers(): readonly IpAddress[] {
    const leased = this.#client?.parameters?.dnsServers ?? [];
    const advertised = this.#host.stack.autoconfiguration.dnsServers(this.#via);
    return [
      ...leased,
      ...advertised.filter((address) => !leased.some((other) => other.equals(address))),
    ];
  }

  /** An address that reaches beyond the link, once there is one. Rejects with `TIMEOUT`, `ABORTED`, or `HOST_CLOSED` when this is closed. */
  async ready({ timeout = LEASE_PATIENCE, ...rest }: LeaseOptions = {}): Promise<IpAddress> {
    const reason = 'neither a router nor a DHCPv6 server has given one';
    return this.address ?? this.#waiters.wait({ timeout, ...rest }, reason);
  }

  /** Gives back what DHCPv6 servers have given, and closes. */
  async release(): Promise<void> {
    await this.#client?.release();
    await this.close();
  }

  /** Gives up all that the interface has configured for itself. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#isOpen = false;
    const what = `the configuration of ${this.#via.name}`;
    this.#waiters.end(hostError('HOST_CLOSED', `${what} was closed`));
    const closing = this.#client?.close();
    this.#host.stack.autoconfiguration.stop(this.#via);
    this.#ended();
    await closing;
  }

  #changed(): void {
    if (!this.#isOpen) return;
    this.#followLink();
    if ((this.#options.dhcpv6 ?? 'as-advertised') === 'as-advertised') this.#follow();
    const { address } = this;
    if (address !== undefined) this.#waiters.resolve(address);
    this.#options.changed?.();
  }

  /**
   * Starts what routers ask for, once there is an address to ask from. What has been started goes on when a router says otherwise: others may not,
   * and leases end by themselves. (So RFC 2462, section 5.5.3 had it; RFC 4862, which replaces it, says nothing.)
   */
  #follow(): void {
    const parameters = this.#host.stack.autoconfiguration.parameters(this.#via);
    if (parameters === undefined || this.#via.linkLocal === undefined) return;
    // Where addresses are to be had, everything else is had along with them (RFC 4861, section 4.2).
    if (parameters.managed && !this.#isStateful) this.#start('stateful');
    else if (parameters.otherConfiguration && this.#client === undefined) this.#start('stateless');
  }

  /** The interface is of use to the client while it is up and has an address to ask from. */
  #followLink(): void {
    const isUp = this.#via.isUp && this.#via.linkLocal !== undefined;
    if (this.#client === undefined || isUp === this.#isLinkUp) return;
    this.#isLinkUp = isUp;
    this.#client.linkChanged(isUp);
  }

  #start(mode: 'stateful' | 'stateless'): void {
    void this.#client?.close();
    this.#client = undefined;
    try {
      this.#client = new DhcpClientV6(this.#host, this.#via, this.#clientOptions(mode));
      this.#isStateful = mode === 'stateful';
      this.#isLinkUp = true;
    } catch (error) {
      // Most likely the port is taken by a client that the owner has started: then that one does the work.
      this.#via.drops.add('dhcpv6-not-started');
      const what = `the DHCPv6 client of ${this.#via.name}`;
      this.#options.failed?.(toNetloomError(error, 'DHCP_OPTION_INVALID', what));
    }
  }

  /** The owner's options, and we hear what its callbacks hear. */
  #clientOptions(mode: 'stateful' | 'stateless'): DhcpClientV6Options {
    const { client = {} } = this.#options;
    return {
      ...client,
      mode,
      bound: (lease) => {
        client.bound?.(lease);
        this.#changed();
      },
      renewed: (lease) => {
        client.renewed?.(lease);
        this.#changed();
      },
      lost: (reason, lease) => {
        client.lost?.(reason, lease);
        this.#changed();
      },
      configured: (parameters) => {
        client.configured?.(parameters);
        this.#changed();
      },
    };
  }
}
