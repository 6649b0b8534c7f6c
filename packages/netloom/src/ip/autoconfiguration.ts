import { Cidr, IpAddress, SipHash, type Random } from '../core/index.ts';
import {
  IPV6_ALL_ROUTERS,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
  type RouterAdvertisement,
} from '../wire/index.ts';
import type { Interface } from './interface/interface.ts';
import type { NdpLayer } from './ndp/ndp-layer.ts';
import {
  Slaac,
  type AutoAddress,
  type DefaultRouter,
  type LinkParameters,
  type SlaacLimits,
} from './slaac/index.ts';

/** How an interface configures itself. */
export interface AutoconfigureOptions {
  /** Make temporary addresses too (RFC 8981). Default false. */
  readonly temporaryAddresses?: boolean;
  /** 16 secret bytes that outlive restarts, if the addresses are to stay the same over them (RFC 7217). Default: random ones. */
  readonly secret?: Uint8Array;
  /** Told of each change: of addresses, routers, DNS servers, or what routers say of DHCPv6. */
  readonly changed?: () => void;
}

/** What autoconfiguration needs of the stack around it. */
export interface AutoconfigurationEnvironment {
  readonly ndp: NdpLayer;
  readonly random: Random;
  readonly limits: Partial<SlaacLimits> | undefined;
  now(): number;
  timersChanged(): void;
  /** Puts an address on an interface that is tentative as yet. */
  addAddress(via: Interface, cidr: Cidr): void;
  removeAddress(via: Interface, address: IpAddress): void;
  addRoute(network: Cidr, via: Interface, nextHop: IpAddress | undefined, metric: number): void;
  removeRoute(network: Cidr, via: Interface, nextHop: IpAddress | undefined, metric: number): void;
  pathsChanged(): void;
}

/** An interface that configures itself, and what it has learnt beside addresses and routes. */
interface Configured {
  readonly slaac: Slaac;
  dnsServers: readonly IpAddress[];
}

const DEFAULT_ROUTE = Cidr.parse('::/0');

/** Metrics of default routes by the router's preference (RFC 4191, section 2.1): the lowest is taken. */
const METRICS = { high: 90, medium: 100, low: 110 } as const;

/** Binds address autoconfiguration (RFC 4862) to the stack's interfaces: what the engine finds out becomes addresses and routes. */
export class Autoconfiguration {
  readonly #environment: AutoconfigurationEnvironment;
  readonly #interfaces = new Map<Interface, Configured>();

  constructor(environment: AutoconfigurationEnvironment) {
    this.#environment = environment;
    environment.ndp.listen(this);
  }

  /** Begins with the link-local address, then asks for routers. Once for an interface. */
  start(via: Interface, options: AutoconfigureOptions): void {
    if (this.#interfaces.has(via)) return;
    const { random, limits, now, timersChanged } = this.#environment;
    const secret = options.secret ?? random.fill(new Uint8Array(16));
    const hash = new SipHash(secret);
    const changed = options.changed ?? ((): void => undefined);
    const configured: Configured = {
      slaac: new Slaac(
        {
          mac: via.mac,
          mtu: via.link.mtu,
          random,
          limits,
          identity: { hash, interfaceIdentity: via.mac.toString() },
          temporaryAddresses: options.temporaryAddresses ?? false,
        },
        this.#sink(via, changed),
      ),
      dnsServers: [],
    };
    this.#interfaces.set(via, configured);
    if (via.isUp) configured.slaac.start(now());
    timersChanged();
  }

  /** The interface is down: what it has learnt of its link is given up, since it may be another when it is up again. */
  suspend(via: Interface): void {
    this.#interfaces.get(via)?.slaac.stop(this.#environment.now());
  }

  /** The interface is up again, and begins anew. */
  resume(via: Interface): void {
    this.#interfaces.get(via)?.slaac.start(this.#environment.now());
    this.#environment.timersChanged();
  }

  /** Gives up what the interface has configured for itself. */
  stop(via: Interface): void {
    const configured = this.#interfaces.get(via);
    this.#interfaces.delete(via);
    configured?.slaac.stop(this.#environment.now());
  }

  /** The DNS servers that routers on the interface's link name (RFC 8106). */
  dnsServers(via: Interface): readonly IpAddress[] {
    return this.#interfaces.get(via)?.dnsServers ?? [];
  }

  /** What routers say of the interface's link; undefined if it does not configure itself. */
  parameters(via: Interface): LinkParameters | undefined {
    return this.#interfaces.get(via)?.slaac.parameters;
  }

  routerAdvertisement(via: Interface, router: IpAddress, message: RouterAdvertisement): void {
    const { now, timersChanged } = this.#environment;
    const configured = this.#interfaces.get(via);
    if (configured === undefined) {
      via.drops.add('router-not-heeded');
      return;
    }
    configured.slaac.receiveRouterAdvertisement(router, message, now());
    timersChanged();
  }

  /** See {@link NdpListener}. */
  solicitation(via: Interface, source: IpAddress, message: NeighbourSolicitation): boolean {
    const { now, timersChanged } = this.#environment;
    const slaac = this.#interfaces.get(via)?.slaac;
    const isTentative = slaac?.receiveNeighbourSolicitation(source, message, now()) ?? false;
    if (isTentative) timersChanged();
    return isTentative;
  }

  /** See {@link NdpListener}. */
  advertisement(via: Interface, message: NeighbourAdvertisement): boolean {
    const { now, timersChanged } = this.#environment;
    const slaac = this.#interfaces.get(via)?.slaac;
    const wasTentative = slaac?.receiveNeighbourAdvertisement(message, now()) ?? false;
    if (wasTentative) timersChanged();
    return wasTentative;
  }

  deadline(): number {
    let deadline = Infinity;
    for (const { slaac } of this.#interfaces.values()) {
      deadline = Math.min(deadline, slaac.deadline());
    }
    return deadline;
  }

  advance(now: number): void {
    for (const { slaac } of this.#interfaces.values()) slaac.advance(now);
  }

  #sink(via: Interface, changed: () => void): ConstructorParameters<typeof Slaac>[1] {
    const { ndp, addAddress, removeAddress, addRoute, removeRoute } = this.#environment;
    const remove = ({ address }: AutoAddress): void => {
      removeAddress(via, address);
      changed();
    };
    return {
      sendRouterSolicitation: (message, source) => ndp.send(via, source, IPV6_ALL_ROUTERS, message),
      sendNeighbourSolicitation: (message, destination) =>
        ndp.send(via, IpAddress.ANY6, destination, message),
      // As /128: what is on the link is said by prefixes, not by addresses (RFC 5942, section 4).
      addressTentative: ({ address }) => addAddress(via, new Cidr(address, 128)),
      addressReady: (address) => this.#addressReady(via, address, changed),
      addressChanged: (address) => this.#addressChanged(via, address, changed),
      addressFailed: remove,
      addressRemoved: remove,
      routerAdded: (router) => this.#setRouter(via, router, changed),
      routerChanged: (router) => {
        this.#forgetRouter(via, router);
        this.#setRouter(via, router, changed);
      },
      routerRemoved: (router) => {
        this.#forgetRouter(via, router);
        changed();
      },
      prefixAdded: (prefix) => addRoute(prefix, via, undefined, 0),
      prefixRemoved: (prefix) => removeRoute(prefix, via, undefined, 0),
      dnsServers: (addresses) => {
        const configured = this.#interfaces.get(via);
        if (configured !== undefined) configured.dnsServers = addresses;
        changed();
      },
      parameters: (parameters) => this.#setParameters(via, parameters, changed),
      failed: () => {
        via.drops.add('slaac-failed');
        changed();
      },
    };
  }

  #addressReady(via: Interface, { address }: AutoAddress, changed: () => void): void {
    const entry = via.find(address);
    if (entry === undefined) return;
    entry.tentative = false;
    this.#environment.pathsChanged();
    changed();
  }

  #addressChanged(via: Interface, { address, state }: AutoAddress, changed: () => void): void {
    const entry = via.find(address);
    if (entry === undefined) return;
    entry.deprecated = state === 'deprecated';
    this.#environment.pathsChanged();
    changed();
  }

  #setRouter(via: Interface, { address, preference }: DefaultRouter, changed: () => void): void {
    this.#environment.addRoute(DEFAULT_ROUTE, via, address, METRICS[preference]);
    changed();
  }

  /** Its preference may have been any. */
  #forgetRouter(via: Interface, { address }: DefaultRouter): void {
    for (const metric of Object.values(METRICS)) {
      this.#environment.removeRoute(DEFAULT_ROUTE, via, address, metric);
    }
  }

  #setParameters(via: Interface, parameters: LinkParameters, changed: () => void): void {
    via.mtu = Math.min(parameters.mtu ?? via.link.mtu, via.link.mtu);
    via.hopLimit = parameters.hopLimit ?? 64;
    this.#environment.pathsChanged();
    changed();
  }
}
