import { Cidr, IpAddress, MacAddress, type Counters, type NetloomError } from 'netloom/core';
import {
  gatewayServices,
  type GatewayServices,
  type GatewayServicesOptions,
} from 'netloom/gateway';
import { StackHost, uplink, type Uplink } from 'netloom/host';
import type { Interface } from 'netloom/ip';
import type { Link } from 'netloom/link';
import type {
  GatewayModel,
  NetworkModel,
  RangeModel,
  ReservationModel,
} from '../../model/index.ts';
import { parseRuleSubject } from '../../text/index.ts';
import { closeHost, type MachineSetup } from '../../machine/index.ts';
import { isFollowedInPlace, without } from '../../plan/index.ts';
import { ipAddressesOf } from '../addresses.ts';
import type { NetworkEnvironment } from '../environment.ts';
import { RulePolicy, type Rule } from './policy.ts';
import { displacedNotice } from './displaced.ts';
import { inSubnet } from './setup.ts';

/** Of a gateway, which passes on what is for one station: what is for groups it is not in. It comes by, and nothing is lost with it. */
const OF_OTHERS = 'ip-not-for-us';

/** From which a gateway speaks as a router (RFC 4861, section 6.1.2). */
const LINK_LOCAL = Cidr.parse('fe80::1/64');

/** A station that a gateway is to know. */
export interface GatewayGuest {
  readonly mac: MacAddress;
  readonly name: string;
  /** Of a family that none is given of, it gets any that is free. */
  readonly addresses: readonly IpAddress[];
  /** It has these addresses, and asks for others if it wants any: it is not ours to configure. */
  readonly isConfigured?: boolean;
}

/** What a {@link NetworkGateway} is made from. */
export interface NetworkGatewayOptions {
  readonly network: Pick<NetworkModel, 'name' | 'subnets' | 'routers'>;
  readonly model: GatewayModel;
  /** Its end of the cable to the switch. */
  readonly link: Link;
  readonly environment: NetworkEnvironment;
  /** Leases could not be kept. */
  failed(error: NetloomError): void;
}

/** The router of a network on a stack of its own, with the services of a gateway, and the way to the world. */
export class NetworkGateway {
  readonly host: StackHost;
  readonly interface: Interface;
  readonly uplink: Uplink;
  readonly #options: NetworkGatewayOptions;
  readonly #networks: readonly Cidr[];
  readonly #policy: RulePolicy;
  #model: GatewayModel;
  #services: GatewayServices | undefined;

  /** Opens it. Rejects as its parts do; then nothing of it is left. */
  static async open(options: NetworkGatewayOptions): Promise<NetworkGateway> {
    const gateway = new NetworkGateway(options);
    try {
      await gateway.#serve();
      return gateway;
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  private constructor(options: NetworkGatewayOptions) {
    const { model, link, environment } = options;
    const { clock, random, outside } = environment;
    this.#options = options;
    this.#model = model;
    this.#networks = model.addresses.map((text) => Cidr.parse(text));
    this.host = new StackHost({ name: 'gateway', clock, random, forwarding: true });
    const needsLinkLocal = this.#networks.some(({ address }) => address.family === 6);
    this.interface = this.host.addInterface(link, {
      name: options.network.name,
      addresses: needsLinkLocal ? [...this.#networks, LINK_LOCAL] : this.#networks,
    });
    this.#followRoutes({}, model.routes);
    this.#policy = new RulePolicy(rulesOf(model), this.addresses);
    this.uplink = uplink({
      inside: this.host,
      interfaces: [this.interface],
      outside,
      hostAccess: model.uplink?.hostAccess === true ? 'gateway' : 'none',
      allow: (flow) => this.#policy.allowsFlow(flow),
      labels: (address) => this.#services?.dns?.labels(address) ?? [],
      // Without a way out it is there for published ports only.
      ...(model.uplink === null && { prefixes: [] }),
    });
  }

  get model(): GatewayModel {
    return this.#model;
  }

  /** Its own addresses. */
  get addresses(): readonly IpAddress[] {
    return this.#networks.map(({ address }) => address);
  }

  /** Names, leases and advertisements. */
  get services(): GatewayServices {
    return this.#services!;
  }

  /** Has the guest known by its name, keeps addresses for it, and answers how it is to be configured. Throws as `GatewayServices.reserve` does. */
  admit({ mac, name, addresses, isConfigured = false }: GatewayGuest): MachineSetup {
    return {
      addresses: this.#reserve(
        mac,
        name,
        addresses,
        isConfigured ? addresses.map(({ family }) => family) : [4, 6],
      ),
      routers: this.#routers(),
      nameServers: this.services.dns === undefined ? [] : this.#serving(),
      zone: this.#model.dns?.zone,
    };
  }

  /** Knows the guest no longer. */
  dismiss({ mac, name }: Pick<GatewayGuest, 'mac' | 'name'>): void {
    this.services.unreserve(mac);
    this.#nameAnew(name);
  }

  /** The addresses that a name of the network leads to now. */
  addressesOf(name: string): readonly IpAddress[] {
    const names = this.services.dns?.forwarder.names;
    return names?.addressesOf(names.nameOf(name)) ?? [];
  }

  /** Follows a change of rules, names and reservations. False: more is changed than that, and nothing was done. */
  follow(model: GatewayModel): boolean {
    if (!isFollowedInPlace(this.#model, model)) return false;
    const before = this.#model;
    this.#model = model;
    this.#policy.set(rulesOf(model));
    this.#followRoutes(before.routes, model.routes);
    const names = { ...model.dns?.names };
    for (const name of Object.keys(before.dns?.names ?? {})) names[name] ??= [];
    for (const [name, addresses] of Object.entries(names)) {
      this.services.setName(name, ipAddressesOf(addresses));
    }
    for (const one of without(before.reservations, model.reservations)) this.#forget(one);
    for (const one of without(model.reservations, before.reservations)) this.#keep(one);
    return true;
  }

  /** What was dropped or refused, by where and why. */
  drops(): Record<string, number> {
    const { tcp, udp, icmp, drops, fragments } = this.host.stack;
    const { dns, dhcp, dhcpv6 } = this.services;
    const parts: Readonly<Record<string, readonly (Counters | undefined)[]>> = {
      uplink: [this.uplink.drops],
      dns: [dns?.drops, dns?.forwarder.drops],
      dhcp: [dhcp?.drops],
      dhcpv6: [dhcpv6?.drops],
      fragments: [fragments.drops],
      gateway: [drops, this.interface.drops, tcp.statistics.drops, udp.drops, icmp.drops],
    };
    const all: Record<string, number> = {};
    for (const [where, counters] of Object.entries(parts)) {
      for (const [why, count] of counters.flatMap((one) => Object.entries(one?.snapshot() ?? {}))) {
        if (why === OF_OTHERS) continue;
        const key = `${where}.${why}`;
        all[key] = (all[key] ?? 0) + count;
      }
    }
    return all;
  }

  /** Idempotent. Leases are kept. */
  async close(): Promise<void> {
    await this.uplink.close();
    await this.#services?.close();
    await closeHost(this.host);
  }

  async #serve(): Promise<void> {
    const { model } = this.#options;
    this.#services = await gatewayServices(this.host, this.interface, this.#serviceOptions());
    for (const reservation of model.reservations) this.#keep(reservation);
  }

  #serviceOptions(): GatewayServicesOptions {
    const { model, environment, network, failed } = this.#options;
    const { dns, dhcp, dhcpv6, advertisements } = model;
    const leases = environment.leases?.(network.name);
    const routers = this.#routers().filter(({ family }) => family === 4);
    return {
      ...(dns === null ? { dns: false } : { zone: dns.zone, names: namesOf(dns.names) }),
      ...(dns !== null && { dns: { denies: (name: string) => !this.#policy.allowsName(name) } }),
      // Names of the world are for networks that have a way there.
      ...(model.uplink !== null && {
        resolveVia: environment.outside,
        resolvers: environment.resolvers,
      }),
      dhcp:
        dhcp === null
          ? false
          : { ...poolOf(dhcp.range), leaseDuration: dhcp.lease, parameters: { routers } },
      dhcpv6: dhcpv6 === null ? false : { ...poolOf(dhcpv6.range), leaseDuration: dhcpv6.lease },
      ...(!advertisements && { advertisements: false }),
      ...(leases && { leases }),
      displaced: (lease, heir) =>
        environment.notice?.(displacedNotice(network.name, lease, heir, environment.clock)),
      failed,
    };
  }

  /**
   * Of the families that are written; if none is, of the first there is. Of another one the client may make an address of its own (SLAAC), and its name must not
   * lead to one that is only kept for it.
   */
  #keep({ mac, name, addresses }: ReservationModel): void {
    const written = ipAddressesOf(addresses);
    const of = written.length > 0 ? written : this.#serving().slice(0, 1);
    const families = of.map(({ family }) => family);
    this.#reserve(MacAddress.parse(mac), name, written, families);
  }

  #forget({ mac, name }: ReservationModel): void {
    this.services.unreserve(MacAddress.parse(mac));
    if (name !== null) this.#nameAnew(name);
  }

  /** What had the name has it no longer: it leads where the model says, or nowhere. */
  #nameAnew(name: string): void {
    const addresses = this.#model.dns?.names[name] ?? [];
    this.services.setName(name, ipAddressesOf(addresses));
  }

  /** Keeps addresses, those included of a family that nobody gives any of; the name is its own, whatever clients call themselves. */
  #reserve(
    mac: MacAddress,
    name: string | null,
    addresses: readonly IpAddress[],
    families: readonly (4 | 6)[],
  ): Cidr[] {
    const given = this.services.reserve({
      mac,
      ...(name !== null && { hostname: name }),
      addresses,
      families,
    });
    const others = addresses.filter((one) => !given.some(({ address }) => address.equals(one)));
    const all = [...given, ...others.map((address) => inSubnet(address, this.#options.network))];
    // Without any it has the name with what it is leased when it asks.
    if (name !== null && all.length > 0) {
      this.services.setName(
        name,
        all.map(({ address }) => address),
      );
    }
    return all;
  }

  /** The first address of each family, which the services speak for. */
  #serving(): IpAddress[] {
    const families = ([4, 6] as const).map((family) =>
      this.addresses.find((address) => address.family === family),
    );
    return families.filter((address) => address !== undefined);
  }

  /** Where default routes lead: here, or to a router. */
  #routers(): IpAddress[] {
    return ipAddressesOf(this.#options.network.routers);
  }

  #followRoutes(before: GatewayModel['routes'], after: GatewayModel['routes']): void {
    const { stack } = this.host;
    for (const [network, router] of Object.entries(before)) {
      if (after[network] !== router) {
        stack.removeRoute(Cidr.parse(network), this.interface, IpAddress.parse(router));
      }
    }
    for (const [network, router] of Object.entries(after)) {
      if (before[network] !== router) {
        stack.addRoute(Cidr.parse(network), this.interface, IpAddress.parse(router));
      }
    }
  }
}

function rulesOf({ uplink: way }: GatewayModel): Rule[] {
  const rules = way?.rules ?? [];
  return rules.map(({ verdict, subject }) => ({
    verdict,
    ...(parseRuleSubject(subject) ?? { name: subject }),
  }));
}

function namesOf(names: Readonly<Record<string, readonly string[]>>): Record<string, IpAddress[]> {
  return Object.fromEntries(
    Object.entries(names).map(([name, addresses]) => [name, ipAddressesOf(addresses)]),
  );
}

function poolOf(range: RangeModel | null): { pool?: { first: IpAddress; last: IpAddress } } {
  if (range === null) return {};
  return { pool: { first: IpAddress.parse(range.first), last: IpAddress.parse(range.last) } };
}
