import {
  Cidr,
  IpAddress,
  NetloomError,
  type Host,
  type MacAddress,
  type SocketAddress,
} from '../core/index.ts';
import {
  DhcpServer,
  DhcpServerV6,
  RouterAdvertising,
  loadLeases,
  type DhcpServerOptions,
  type DhcpServerV6Options,
  type LeaseStore,
  type RouterAdvertisingOptions,
  type StackHost,
} from '../host/index.ts';
import { serveDns, type DnsService, type DnsServiceOptions } from '../dns/index.ts';
import type { DhcpHeir, Dhcpv4LeaseRecord, Dhcpv6LeaseRecord, Interface } from '../ip/index.ts';
import { LeaseNames } from './lease-names.ts';

/** What {@link gatewayServices} takes. `false` leaves a service out. */
export interface GatewayServicesOptions {
  /** The network's own zone. Default `lan`. */
  readonly zone?: string;
  /** Names given by hand; a name of one label is of the zone. */
  readonly names?: Readonly<Record<string, readonly IpAddress[]>>;
  /** By whom the DNS asks for names that are not of this network. Without it nobody is asked. */
  readonly resolveVia?: Host;
  /** Whom it asks: `systemResolvers()` of that host, say. */
  readonly resolvers?: readonly SocketAddress[];
  readonly dns?: Partial<Pick<DnsServiceOptions, 'denies' | 'limits' | 'serviceLimits'>> | false;
  /** Default: a pool of the upper half of the first IPv4 network, and this machine as router and DNS server. */
  readonly dhcp?: Partial<DhcpServerOptions> | false;
  /** Default: a pool of 61,440 addresses of the first IPv6 network. */
  readonly dhcpv6?: Partial<DhcpServerV6Options> | false;
  /** Default: the IPv6 networks of the interface. */
  readonly advertisements?: RouterAdvertisingOptions | false;
  /** Where leases are kept over restarts. Default: nowhere. */
  readonly leases?: {
    readonly v4?: LeaseStore<Dhcpv4LeaseRecord>;
    readonly v6?: LeaseStore<Dhcpv6LeaseRecord>;
  };
  /** As that of the servers: an address has been reserved for `heir` that another client has leased. */
  readonly displaced?: (lease: Dhcpv4LeaseRecord | Dhcpv6LeaseRecord, heir: DhcpHeir) => void;
  /** Leases could not be kept. */
  readonly failed?: (error: NetloomError) => void;
}

/** A client that {@link GatewayServices.reserve} gives addresses to. */
export interface GatewayClient {
  readonly mac: MacAddress;
  readonly hostname?: string;
  /** By default any that is free. */
  readonly addresses?: readonly IpAddress[];
  /** Of which families it is given addresses. By default of both. */
  readonly families?: readonly (4 | 6)[];
}

/**
 * Gives a gateway's interface what a network needs: addresses by DHCP of both families, router advertisements, and names. Each is served where the interface has addresses of
 * its family. Rejects as its parts do; then nothing of it is left.
 */
export async function gatewayServices(
  host: StackHost,
  via: Interface,
  options: GatewayServicesOptions = {},
): Promise<GatewayServices> {
  const services = new GatewayServices(host, via, options);
  try {
    await services.open();
    return services;
  } catch (error) {
    await services.close();
    throw error;
  }
}

/** See {@link gatewayServices}. */
export class GatewayServices implements AsyncDisposable {
  readonly #host: StackHost;
  readonly #via: Interface;
  readonly #options: GatewayServicesOptions;
  readonly #zone: string;
  /** The networks that are served: the interface's first of each family. */
  readonly #v4: Cidr | undefined;
  readonly #v6: Cidr | undefined;
  #dns: DnsService | undefined;
  #dhcp: DhcpServer | undefined;
  #dhcpv6: DhcpServerV6 | undefined;
  #advertising: RouterAdvertising | undefined;
  readonly #names: LeaseNames;
  /** Names that the owner has given. */
  readonly #ownNames: Set<string>;
  #closed: Promise<void> | undefined;

  constructor(host: StackHost, via: Interface, options: GatewayServicesOptions) {
    this.#host = host;
    this.#via = via;
    this.#options = options;
    this.#zone = options.zone ?? 'lan';
    this.#v4 = via.usable(4)[0]?.cidr;
    this.#v6 = via.usable(6).find(({ cidr }) => !cidr.address.isLinkLocal)?.cidr;
    this.#ownNames = new Set(Object.keys(options.names ?? {}));
    this.#names = new LeaseNames(
      // One that was a client's may be the owner's by now.
      (name, addresses) => this.#isOwn(name) || this.#dns?.setName(name, addresses),
      (name) => this.#isOwn(name),
    );
  }

  /** The DNS; undefined where it was left out. */
  get dns(): DnsService | undefined {
    return this.#dns;
  }

  /** The DHCPv4 server; undefined where it was left out, or the interface has no IPv4 address. */
  get dhcp(): DhcpServer | undefined {
    return this.#dhcp;
  }

  /** The DHCPv6 server; undefined where it was left out, or the interface has no IPv6 network. */
  get dhcpv6(): DhcpServerV6 | undefined {
    return this.#dhcpv6;
  }

  /** The router advertisements; undefined where they were left out, or the interface has no IPv6 network. */
  get advertising(): RouterAdvertising | undefined {
    return this.#advertising;
  }

  /** Starts all of it. Called by {@link gatewayServices}. */
  async open(): Promise<void> {
    const { dns, dhcp, dhcpv6, advertisements, leases = {} } = this.#options;
    // What is kept is read first: no client is to be given what another has.
    const keptV4 = leases.v4 && (await loadLeases(leases.v4, this.#host.clock));
    const keptV6 = leases.v6 && (await loadLeases(leases.v6, this.#host.clock));
    // Names come before the leases that bring some.
    if (dns !== false) await this.#openDns(dns ?? {});
    if (this.#v4 !== undefined && dhcp !== false) this.#openDhcp(this.#v4, dhcp ?? {});
    if (this.#v6 !== undefined && dhcpv6 !== false) this.#openDhcpv6(this.#v6, dhcpv6 ?? {});
    this.#dhcp?.importLeases(keptV4 ?? []);
    this.#dhcpv6?.importLeases(keptV6 ?? []);
    this.#nameLeases();
    if (this.#v6 !== undefined && advertisements !== false) {
      this.#advertising = new RouterAdvertising(this.#host, this.#via, {
        network: this.#network(this.#v6),
        ...advertisements,
      });
    }
  }

  /**
   * The addresses that a client would be given, kept for it and shown as leased from now on: for a machine that is configured at once, without asking.
   * What else it is leased has the name that is given here, whatever the client calls itself. Throws as the servers' `reserve` does.
   */
  reserve({ mac, hostname, addresses = [], families = [4, 6] }: GatewayClient): Cidr[] {
    this.#dhcp?.setName({ mac }, hostname);
    this.#dhcpv6?.setName({ mac }, hostname);
    const client = { mac, ...(hostname !== undefined && { hostname }) };
    const wanted = (family: 4 | 6): { address?: IpAddress } => {
      const address = addresses.find((one) => one.family === family);
      return address === undefined ? {} : { address };
    };
    const given: Cidr[] = [];
    if (this.#dhcp !== undefined && this.#v4 !== undefined && families.includes(4)) {
      const address = this.#dhcp.reserve({ ...client, ...wanted(4) });
      given.push(new Cidr(address, this.#v4.prefixLength));
    }
    if (this.#dhcpv6 !== undefined && this.#v6 !== undefined && families.includes(6)) {
      const address = this.#dhcpv6.reserve({ ...client, ...wanted(6) });
      given.push(new Cidr(address, this.#v6.prefixLength));
    }
    return given;
  }

  /**
   * Has a name lead to these addresses from now on, and to no client's; none: it is forgotten, and clients may have it. A name of one label is of the
   * zone. Does nothing where there is no DNS. Throws as `DnsService.setName`.
   */
  setName(name: string, addresses: readonly IpAddress[]): void {
    if (addresses.length === 0) this.#ownNames.delete(name);
    else this.#ownNames.add(name);
    this.#dns?.setName(name, addresses.length === 0 ? this.#names.addressesOf(name) : addresses);
  }

  /** Keeps the client's addresses and its name no longer. */
  unreserve(mac: MacAddress): void {
    for (const server of [this.#dhcp, this.#dhcpv6]) {
      server?.unreserve({ mac });
      server?.setName({ mac }, undefined);
    }
  }

  /** Serves no more: stations are told that there is no router here; leases are kept. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const parts = [this.#advertising, this.#dhcp, this.#dhcpv6, this.#dns];
    await Promise.all(parts.map((part) => part?.close()));
  }

  /** Whether a name is the owner's, or this machine's. */
  #isOwn(name: string): boolean {
    const own = this.#ownNames;
    return (
      name === 'ns' || name === this.#host.name || own.has(name) || own.has(`${name}.${this.#zone}`)
    );
  }

  /** This machine's own addresses on the network. */
  get #own(): IpAddress[] {
    return [this.#v4?.address, this.#v6?.address].filter((address) => address !== undefined);
  }

  async #openDns(given: NonNullable<GatewayServicesOptions['dns']> & object): Promise<void> {
    const { resolveVia, resolvers, names = {} } = this.#options;
    const networks = [this.#v4, this.#v6].filter((cidr) => cidr !== undefined);
    this.#dns = await serveDns({
      ...given,
      host: this.#host,
      zone: this.#zone,
      networks,
      addresses: this.#own,
      ...(resolveVia !== undefined && { via: resolveVia }),
      ...(resolvers !== undefined && { servers: resolvers }),
    });
    this.#dns.setName(this.#host.name, this.#own);
    for (const [name, addresses] of Object.entries(names)) this.#dns.setName(name, addresses);
  }

  #openDhcp(network: Cidr, given: Partial<DhcpServerOptions>): void {
    const { leases, failed, displaced } = this.#options;
    const { address } = network;
    this.#dhcp = new DhcpServer(this.#host, this.#via, {
      pool: poolV4(network),
      ...(displaced && { displaced }),
      ...given,
      interface: network,
      parameters: {
        routers: [address],
        dnsServers: this.#dns === undefined ? [] : [address],
        domain: this.#zone,
        mtu: this.#via.mtu,
        ...given.parameters,
      },
      ...(leases?.v4 && { keeping: { store: leases.v4, ...(failed && { failed }) } }),
      leased: (leased, client, hostname) => {
        this.#names.leased(leased, hostname);
        given.leased?.(leased, client, hostname);
      },
      freed: (freed, client, reason) => {
        this.#names.freed(freed);
        given.freed?.(freed, client, reason);
      },
    });
  }

  #openDhcpv6(network: Cidr, given: Partial<DhcpServerV6Options>): void {
    const { leases, failed, displaced } = this.#options;
    this.#dhcpv6 = new DhcpServerV6(this.#host, this.#via, {
      ...(network.prefixLength <= 112 && { pool: poolV6(network) }),
      ...(displaced && { displaced }),
      ...given,
      interface: network,
      parameters: {
        dnsServers: this.#dns === undefined ? [] : [network.address],
        searchDomains: [this.#zone],
        ...given.parameters,
      },
      ...(leases?.v6 && { keeping: { store: leases.v6, ...(failed && { failed }) } }),
      leased: (leased, client, hostname) => {
        if (leased.prefixLength === 128) this.#names.leased(leased.address, hostname);
        given.leased?.(leased, client, hostname);
      },
      freed: (freed, client, reason) => {
        this.#names.freed(freed.address);
        given.freed?.(freed, client, reason);
      },
    });
  }

  /** Gives the leases of an earlier run their names. */
  #nameLeases(): void {
    for (const { address, hostname } of this.#dhcp?.leases() ?? []) {
      this.#names.leased(IpAddress.parse(address), hostname);
    }
    for (const { kind, lease, hostname } of this.#dhcpv6?.leases() ?? []) {
      if (kind === 'address') this.#names.leased(Cidr.parse(lease).address, hostname);
    }
  }

  /** What is advertised of the network: stations make themselves addresses, and may ask for others. */
  #network(network: Cidr): NonNullable<RouterAdvertisingOptions['network']> {
    const prefix = new Cidr(network.network, network.prefixLength);
    return {
      prefixes: [{ prefix, autonomous: network.prefixLength === 64 }],
      mtu: this.#via.mtu,
      managed: this.#dhcpv6 !== undefined,
      otherConfiguration: this.#dhcpv6 !== undefined,
      dnsServers: this.#dns === undefined ? [] : [network.address],
      searchDomains: [this.#zone],
    };
  }
}

/** The upper half of a network, without its last address, which is for broadcasts. */
function poolV4({ network, prefixLength }: Cidr): { first: IpAddress; last: IpAddress } {
  const size = 2 ** (32 - prefixLength);
  if (size < 4) {
    throw new NetloomError(
      'DHCP_POOL_INVALID',
      `${network}/${prefixLength} has no room for a pool`,
      {
        remedy: 'Take a network of /30 or larger, or leave DHCP out.',
      },
    );
  }
  const at = (offset: number): IpAddress => IpAddress.v4(network.word3 + offset);
  return { first: at(size / 2), last: at(size - 2) };
}

/** Those that end in 1000 to ffff: apart from the low ones, which people give by hand. */
function poolV6({ network }: Cidr): { first: IpAddress; last: IpAddress } {
  const { word0, word1, word2 } = network;
  const base = (network.word3 & 0xffff_0000) | 0;
  const at = (offset: number): IpAddress => IpAddress.v6(word0, word1, word2, base + offset);
  return { first: at(0x1000), last: at(0xffff) };
}
