import { IpAddress, MacAddress, NetloomError, type Cidr } from '../../core/index.ts';
import { isSameAddress, type Interface, type InterfaceAddress } from '../interface/interface.ts';
import { withZone } from '../ndp/ndp-layer.ts';
import type { Path } from './path.ts';
import type { PathMtuCache } from './path-mtu.ts';
import type { Route, RouteTable } from './routes.ts';

/** What finding paths needs of the stack. */
export interface PathEnvironment {
  readonly interfaces: readonly Interface[];
  readonly loopback: Interface;
  readonly routes: RouteTable<Interface>;
  readonly pathMtus: PathMtuCache;
  now(): number;
}

/** Paths kept for those who send without a connection. */
const CACHED_PATHS = 4096;

/**
 * Finds how packets leave: route, interface, source address, neighbour (RFC 1122, section 3.3.1; RFC 6724, section 5). Any change of routes,
 * addresses or path MTUs raises {@link generation}, and paths of an older one are found anew.
 */
export class Paths {
  generation = 0;
  readonly #environment: PathEnvironment;
  readonly #cache = new Map<string, Path>();

  constructor(environment: PathEnvironment) {
    this.#environment = environment;
  }

  /** Something that paths depend on has changed. */
  changed(): void {
    this.generation++;
    this.#cache.clear();
  }

  /** As {@link find}, from a cache. */
  cached(destination: IpAddress, source: IpAddress | undefined, mayBeForeign = false): Path {
    const separator = mayBeForeign ? '~' : '|';
    const key =
      source === undefined ? destination.toString() : `${destination}${separator}${source}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const path = this.find(destination, source, mayBeForeign);
    if (this.#cache.size >= CACHED_PATHS) this.#cache.clear();
    this.#cache.set(key, path);
    return path;
  }

  /**
   * The path to `destination`, from `source` if it is given. `mayBeForeign`: in the name of another host, if `source` is no address of this one.
   * Throws `NETWORK_UNREACHABLE` or `ADDRESS_NOT_AVAILABLE`.
   */
  find(destination: IpAddress, source: IpAddress | undefined, mayBeForeign = false): Path {
    const isForeign = source !== undefined && this.ownerOf(source) === undefined;
    if (isForeign && !mayBeForeign) {
      throw new NetloomError('ADDRESS_NOT_AVAILABLE', `${source} is not an address of this host`, {
        remedy: 'Leave the local address out, or use one of an interface.',
      });
    }
    if (destination.isUnspecified) throw unreachable(destination);
    if (this.ownerOf(destination) !== undefined || destination.isLoopback) {
      return this.onLink(this.#environment.loopback, source ?? destination, destination, undefined);
    }
    const { via, nextHop } = this.#hop(destination, source);
    const from = source ?? chooseSource(via, destination, nextHop);
    if (from === undefined) {
      throw new NetloomError(
        'ADDRESS_NOT_AVAILABLE',
        `interface ${via.name} has no IPv${destination.family} address to send to ${destination} from`,
        {
          remedy: 'Give the interface an address, or wait until it has one.',
        },
      );
    }
    const path = this.onLink(via, from, destination, nextHop);
    return isForeign ? { ...path, isForeign } : path;
  }

  /**
   * As {@link cached}, for a socket that may be bound to an interface. Groups and broadcasts then leave there whatever the routes say;
   * from 0.0.0.0 if that is asked for, as a host does that has yet to learn its address (RFC 1122, section 3.2.1.3, case a).
   */
  through(
    device: Interface | undefined,
    destination: IpAddress,
    source: IpAddress | undefined,
  ): Path {
    if (device === undefined || !isLinkScoped(destination)) return this.cached(destination, source);
    const unspecified = destination.family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
    const from = source ?? chooseSource(device, destination, undefined) ?? unspecified;
    return this.onLink(device, from, destination, undefined);
  }

  /** The path over a known interface: to the destination itself, or to a router that takes it further. */
  onLink(
    via: Interface,
    source: IpAddress,
    destination: IpAddress,
    nextHop: IpAddress | undefined,
  ): Path {
    const { pathMtus, now } = this.#environment;
    const target = withZone(nextHop ?? destination, via);
    const group = linkGroup(via, destination);
    const resolved = group === undefined && via.needsNeighbours;
    return {
      interface: via,
      source,
      destination: withZone(destination, via),
      neighbour: resolved ? via.neighbours.get(target, now()) : undefined,
      groupHigh: group?.high ?? via.mac.high,
      groupLow: group?.low ?? via.mac.low,
      mtu: Math.min(via.mtu, pathMtus.lookup(destination, now()) ?? via.mtu),
      isForeign: false,
      generation: this.generation,
    };
  }

  /** The interface that has this address. */
  ownerOf(address: IpAddress): Interface | undefined {
    const { interfaces, loopback } = this.#environment;
    // What comes over the loopback has its zone, whichever interface has the address.
    const anywhere = address.zone === '' || address.zone === loopback.name;
    for (const candidate of interfaces) {
      if (!anywhere && address.zone !== candidate.name) continue;
      const entry = candidate.find(address);
      if (entry !== undefined && !entry.tentative) return candidate;
    }
    return undefined;
  }

  /** The interface and next router towards a destination. */
  #hop(
    destination: IpAddress,
    source: IpAddress | undefined,
  ): { via: Interface; nextHop: IpAddress | undefined } {
    const { interfaces, routes } = this.#environment;
    if (destination.zone !== '') {
      const via = interfaces.find(({ name, isUp }) => name === destination.zone && isUp);
      if (via === undefined) throw unreachable(destination);
      return { via, nextHop: undefined };
    }
    if (!isLinkScoped(destination)) {
      const route = routes.lookup(destination, isOverUsedInterface);
      if (route === undefined) throw unreachable(destination);
      return { via: route.target, nextHop: route.nextHop };
    }
    // A group, the broadcast address and link-local addresses are on whatever link the source is on, or else on the first.
    const owner = source === undefined ? undefined : this.ownerOf(source);
    const via =
      owner ??
      interfaces.find(
        ({ isUp, needsNeighbours, addresses }) => isUp && needsNeighbours && addresses.length > 0,
      );
    if (via === undefined || !via.isUp) throw unreachable(destination);
    return { via, nextHop: undefined };
  }
}

/** A route over an interface that is down must not hide the next best. */
function isOverUsedInterface({ target }: Route<Interface>): boolean {
  return target.isUp;
}

/** The destination means something on one link only, whatever routes say. */
function isLinkScoped(destination: IpAddress): boolean {
  return (
    destination.isMulticast ||
    destination.equals(IpAddress.BROADCAST4) ||
    (destination.family === 6 && destination.isLinkLocal)
  );
}

/** The link address that needs no asking: of a group or a broadcast. */
function linkGroup(via: Interface, destination: IpAddress): MacAddress | undefined {
  if (destination.isMulticast) return MacAddress.ofMulticast(destination.family, destination.word3);
  if (destination.family === 4 && via.isBroadcastV4(destination.word3)) return MacAddress.BROADCAST;
  return undefined;
}

/** Source address selection (RFC 6724, section 5, rules 1, 2, 3 and 8): same address, same scope, not deprecated, longest common prefix. */
function chooseSource(
  via: Interface,
  destination: IpAddress,
  nextHop: IpAddress | undefined,
): IpAddress | undefined {
  let best: InterfaceAddress | undefined;
  let bestScore = -1;
  for (const entry of via.usable(destination.family)) {
    const score = scoreSource(entry, destination, nextHop);
    if (score > bestScore) {
      best = entry;
      bestScore = score;
    }
  }
  return best === undefined ? undefined : withZone(best.cidr.address, via);
}

function scoreSource(
  { cidr, deprecated }: InterfaceAddress,
  destination: IpAddress,
  nextHop: IpAddress | undefined,
): number {
  if (isSameAddress(cidr.address, destination)) return 10_000;
  const sameScope = scopeOf(cidr.address) === scopeOf(destination) ? 2000 : 0;
  const fresh = deprecated ? 0 : 1000;
  const onNet = cidr.contains(nextHop ?? destination) ? 500 : 0;
  return sameScope + fresh + onNet + commonPrefix(cidr, destination);
}

/** RFC 4291, section 2.7: 2 is link-local, 14 global; RFC 6724, section 3.2 for IPv4. */
function scopeOf(address: IpAddress): number {
  if (address.family === 6 && address.isMulticast) return (address.word0 >>> 16) & 0xf;
  return address.isLinkLocal || address.isLoopback ? 2 : 14;
}

function commonPrefix({ address, prefixLength }: Cidr, other: IpAddress): number {
  const words = [
    [address.word0, other.word0],
    [address.word1, other.word1],
    [address.word2, other.word2],
    [address.word3, other.word3],
  ] as const;
  let bits = 0;
  for (const [a, b] of words) {
    const same = Math.clz32(a ^ b);
    bits += same;
    if (same < 32) break;
  }
  // Beyond its own prefix an address has nothing to say (RFC 6724, section 2.2).
  return Math.min(bits, (address.family === 4 ? 96 : 0) + prefixLength);
}

function unreachable(destination: IpAddress): NetloomError {
  return new NetloomError('NETWORK_UNREACHABLE', `no route leads to ${destination}`, {
    remedy: 'Add a route, or a default route through a gateway.',
  });
}
