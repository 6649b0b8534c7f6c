/**
 * What is known of path MTUs (RFC 1191, RFC 8201). That an ICMP error answers a packet we did send is for the transport
 * to check, before anything is reported here (RFC 8899, section 4.6.1; RFC 5927, section 7).
 */
import {
  Counters,
  NOT_QUEUED,
  TimerQueue,
  withLimits,
  type Engine,
  type IpAddress,
  type TimerEntry,
} from '../../core/index.ts';
import { IPV6_MINIMUM_MTU } from '../../wire/index.ts';

/** Limits of a {@link PathMtuCache}. */
export interface PathMtuLimits {
  /** Destinations; past it the longest unused is forgotten, which costs one more error from the network. */
  readonly destinations: number;
  /** Milliseconds after which a larger MTU is tried again (RFC 1191, section 6.3; RFC 8201, section 4). */
  readonly lifetime: number;
  /** The least an IPv4 path is taken to carry. */
  readonly minimumV4: number;
}

/** The defaults. Below 552 no link is known to be in use, and an attacker gains most by small values. */
export const PATH_MTU_LIMITS: PathMtuLimits = {
  destinations: 4096,
  lifetime: 600_000,
  minimumV4: 552,
};

/** MTUs that links have, largest first: what to try when a router does not tell (RFC 1191, section 7.1). */
const PLATEAUS: readonly number[] = [
  65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68,
];

class PathMtu implements TimerEntry {
  deadline = NOT_QUEUED.deadline;
  position = NOT_QUEUED.position;
  order = NOT_QUEUED.order;
  readonly destination: IpAddress;
  mtu: number;

  constructor(destination: IpAddress, mtu: number) {
    this.destination = destination;
    this.mtu = mtu;
  }
}

/** The MTUs of paths that are narrower than their first link, by destination. */
export class PathMtuCache implements Engine {
  /** Reports that were not believed, by reason, and entries evicted. */
  readonly drops: Counters = new Counters();
  readonly #limits: PathMtuLimits;
  readonly #raised: (destination: IpAddress) => void;
  /** In the order of use, the longest unused first. */
  readonly #paths = new Map<string, PathMtu>();
  readonly #ageing = new TimerQueue<PathMtu>();

  /** `raised` is called when an entry has aged, so that the destination's MTU is that of its first link again. */
  constructor(
    limits?: Partial<PathMtuLimits>,
    raised: (destination: IpAddress) => void = () => undefined,
  ) {
    this.#limits = withLimits(PATH_MTU_LIMITS, limits);
    this.#raised = raised;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** The path's MTU; undefined: nothing is known, so it is that of the first link. */
  lookup(destination: IpAddress, now: number): number | undefined {
    if (this.#paths.size === 0) return undefined;
    const key = destination.toString();
    const path = this.#paths.get(key);
    if (path === undefined || path.deadline <= now) return undefined;
    this.#paths.delete(key);
    this.#paths.set(key, path);
    return path.mtu;
  }

  /**
   * A router did not forward a packet of `packetLength` bytes (the IP header's word for it) to `destination`, since the next link
   * takes `mtu` only; 0: it did not say. Answers the path's MTU now; undefined: the report was not believed, or is no news.
   */
  reduce(
    destination: IpAddress,
    mtu: number,
    packetLength: number,
    now: number,
  ): number | undefined {
    const believed = this.#believe(destination.family, mtu, packetLength);
    if (believed === undefined) return undefined;
    const known = this.lookup(destination, now);
    // A report never raises an estimate (RFC 8201, section 4); only age does.
    if (known !== undefined && believed > known) {
      this.drops.add('larger-than-known');
      return undefined;
    }
    this.#keep(destination, believed, now);
    return known === believed ? undefined : believed;
  }

  deadline(): number {
    return this.#ageing.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const aged = this.#ageing.takeDue(now);
      if (aged === undefined) return;
      this.#paths.delete(aged.destination.toString());
      this.#raised(aged.destination);
    }
  }

  /** The MTU that a report stands for; undefined if it cannot be true. */
  #believe(family: 4 | 6, mtu: number, packetLength: number): number | undefined {
    // A packet that fits is not too big: the report is forged, or about another packet.
    if (mtu >= packetLength) {
      this.drops.add('not-smaller');
      return undefined;
    }
    const least = family === 6 ? IPV6_MINIMUM_MTU : this.#limits.minimumV4;
    const told = mtu === 0 && family === 4 ? plateauBelow(packetLength) : mtu;
    // No IPv6 link has less, so the report is discarded (RFC 8201, section 4). For IPv4 the least is taken instead, unless
    // the packet was no larger: then nothing that a sender could do is asked for.
    if (told >= least) return told;
    if (family === 4 && packetLength > least) return least;
    this.drops.add('below-minimum');
    return undefined;
  }

  #keep(destination: IpAddress, mtu: number, now: number): void {
    const key = destination.toString();
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new PathMtu(destination, mtu);
      this.#paths.set(key, path);
    }
    path.mtu = mtu;
    this.#ageing.set(path, now + this.#limits.lifetime);
    if (this.#paths.size > this.#limits.destinations) this.#evict();
  }

  #evict(): void {
    const [oldest] = this.#paths;
    if (oldest === undefined) return;
    const [key, path] = oldest;
    this.#paths.delete(key);
    this.#ageing.clear(path);
    this.drops.add('evicted');
  }
}

/** The next smaller MTU that links have. */
function plateauBelow(packetLength: number): number {
  return PLATEAUS.find((plateau) => plateau < packetLength) ?? 0;
}
