import { NetloomError, type Cidr, type IpAddress, type MacAddress } from '../../core/index.ts';
import type { NdpOption, RouterAdvertisement, RouterPreference } from '../../wire/index.ts';

/** A prefix of the link, as a router tells of it. Lifetimes in seconds; 4,294,967,295: for ever. */
export interface AdvertisedPrefix {
  readonly prefix: Cidr;
  /** Its addresses are on the link. Default true. */
  readonly onLink?: boolean;
  /** Stations may make addresses of it for themselves (RFC 4862). Default true. */
  readonly autonomous?: boolean;
  /** Default 30 days (RFC 4861, section 6.2.1). */
  readonly validLifetime?: number;
  /** Default 7 days. */
  readonly preferredLifetime?: number;
}

/** A network that the router is a way to (RFC 4191). */
export interface AdvertisedRoute {
  readonly prefix: Cidr;
  /** Default medium. */
  readonly preference?: RouterPreference;
  /** Seconds. Default: as long as the router is one. */
  readonly lifetime?: number;
}

/** What a router tells of itself and of the link (RFC 4861, section 6.2.1). */
export interface AdvertisedNetwork {
  readonly prefixes?: readonly AdvertisedPrefix[];
  readonly routes?: readonly AdvertisedRoute[];
  /** Recursive DNS servers (RFC 8106). */
  readonly dnsServers?: readonly IpAddress[];
  readonly searchDomains?: readonly string[];
  /** The largest IP packet of the link. */
  readonly mtu?: number;
  /** Addresses are to be had by DHCPv6: the flag M. Default false. */
  readonly managed?: boolean;
  /** Other configuration is to be had by DHCPv6: the flag O. Default false. */
  readonly otherConfiguration?: boolean;
  /** Among default routers (RFC 4191). Default medium. */
  readonly preference?: RouterPreference;
  /** Seconds for which this is a default router; 0: it is none. Default: three of the longest intervals. */
  readonly routerLifetime?: number;
  /** For stations' packets; 0: not said. Default 64. */
  readonly hopLimit?: number;
  /** Milliseconds that a neighbour counts as reachable; 0, the default: not said. */
  readonly reachableTime?: number;
  /** Milliseconds between solicitations; 0, the default: not said. */
  readonly retransmitTime?: number;
}

/** `AdvValidLifetime` and `AdvPreferredLifetime` (RFC 4861, section 6.2.1): 30 and 7 days, in seconds. */
const VALID_LIFETIME = 2_592_000;
const PREFERRED_LIFETIME = 604_800;

/** How many of the longest intervals a router, and DNS servers, are good for when nothing more is heard (RFC 4861, section 6.2.1; RFC 8106, section 5.1). */
const LIFETIME_INTERVALS = 3;

/** The longest lifetime of a default router, in seconds (RFC 4861, section 6.2.1). */
const LONGEST_ROUTER_LIFETIME = 9000;

/** The least MTU of IPv6 (RFC 8200, section 5). */
const LEAST_MTU = 1280;

/** The advertisement of the network; `maximumInterval` in milliseconds. */
export function advertisementOf(
  network: AdvertisedNetwork,
  mac: MacAddress,
  maximumInterval: number,
): RouterAdvertisement {
  const lifetime = Math.ceil((LIFETIME_INTERVALS * maximumInterval) / 1000);
  const routerLifetime = network.routerLifetime ?? Math.min(lifetime, LONGEST_ROUTER_LIFETIME);
  return {
    kind: 'router-advertisement',
    hopLimit: network.hopLimit ?? 64,
    managed: network.managed ?? false,
    otherConfiguration: network.otherConfiguration ?? false,
    // "If the Router Lifetime field is zero, the preference value MUST be set to (00)" (RFC 4191, section 2.2).
    preference: routerLifetime === 0 ? 'medium' : (network.preference ?? 'medium'),
    routerLifetime,
    reachableTime: network.reachableTime ?? 0,
    retransmitTime: network.retransmitTime ?? 0,
    options: optionsOf(network, mac, lifetime, routerLifetime),
  };
}

/** The last advertisement of a router that is one no longer (RFC 4861, section 6.2.5), and takes its DNS servers along (RFC 8106, section 5.1). */
export function farewellOf(
  network: AdvertisedNetwork,
  mac: MacAddress,
  maximumInterval: number,
): RouterAdvertisement {
  const { routes = [], ...rest } = network;
  const ended = routes.map((route) => ({ ...route, lifetime: 0 }));
  const last = advertisementOf({ ...rest, routes: ended, routerLifetime: 0 }, mac, maximumInterval);
  const options = last.options.map((option) =>
    option.kind === 'dns-servers' || option.kind === 'search-domains'
      ? { ...option, lifetime: 0 }
      : option,
  );
  return { ...last, options };
}

function optionsOf(
  { prefixes = [], routes = [], dnsServers = [], searchDomains = [], mtu }: AdvertisedNetwork,
  mac: MacAddress,
  lifetime: number,
  routerLifetime: number,
): NdpOption[] {
  const options: NdpOption[] = [{ kind: 'source-link-address', mac }];
  if (mtu !== undefined) options.push({ kind: 'mtu', mtu });
  for (const given of prefixes) {
    options.push({
      kind: 'prefix',
      prefix: given.prefix,
      onLink: given.onLink ?? true,
      autonomous: given.autonomous ?? true,
      validLifetime: given.validLifetime ?? VALID_LIFETIME,
      preferredLifetime: given.preferredLifetime ?? PREFERRED_LIFETIME,
    });
  }
  for (const { prefix, preference = 'medium', ...given } of routes) {
    options.push({ kind: 'route', prefix, preference, lifetime: given.lifetime ?? routerLifetime });
  }
  if (dnsServers.length > 0) options.push({ kind: 'dns-servers', lifetime, addresses: dnsServers });
  if (searchDomains.length > 0) {
    options.push({ kind: 'search-domains', lifetime, domains: searchDomains });
  }
  return options;
}

/** Throws `ROUTER_ADVERTISEMENT_INVALID` for what RFC 4861, section 6.2.1 does not allow. */
export function checkNetwork(network: AdvertisedNetwork): void {
  const { prefixes = [], routerLifetime = 0, mtu = LEAST_MTU } = network;
  if (!(routerLifetime >= 0 && routerLifetime <= LONGEST_ROUTER_LIFETIME)) {
    throw invalid(
      `a router lifetime of ${routerLifetime} s`,
      `Give 0 to ${LONGEST_ROUTER_LIFETIME}.`,
    );
  }
  if (!(mtu >= LEAST_MTU)) throw invalid(`an MTU of ${mtu}`, `Give ${LEAST_MTU} or more.`);
  for (const { prefix, validLifetime, preferredLifetime, autonomous } of prefixes) {
    const valid = validLifetime ?? VALID_LIFETIME;
    const preferred = preferredLifetime ?? PREFERRED_LIFETIME;
    if (preferred > valid) {
      const what = `a preferred lifetime of ${preferred} s for ${prefix}, valid for ${valid} s`;
      throw invalid(what, 'A prefix is preferred for as long as it is valid at most.');
    }
    // RFC 4862, section 5.5.3 d: with interface identifiers of 64 bits, as all links have them, another length makes no addresses.
    if (prefix.address.family !== 6 || (autonomous !== false && prefix.prefixLength !== 64)) {
      const remedy = 'Give an IPv6 prefix of 64 bits, or set autonomous to false.';
      throw invalid(`the prefix ${prefix} for autoconfiguration`, remedy);
    }
  }
}

/** What an advertisement cannot say. */
export function invalid(what: string, remedy: string): NetloomError {
  return new NetloomError('ROUTER_ADVERTISEMENT_INVALID', `a router cannot advertise ${what}`, {
    remedy,
  });
}
