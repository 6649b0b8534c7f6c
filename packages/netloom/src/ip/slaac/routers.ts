import type { Cidr, Counters, IpAddress, TimerQueue } from '../../core/index.ts';
import type {
  NdpDnsServers,
  NdpPrefix,
  RouterAdvertisement,
  RouterPreference,
} from '../../wire/index.ts';
import { ExpiringTable } from './expiring-table.ts';
import type { SlaacLimits } from './limits.ts';
import { lifetimeOf, type SlaacTimer } from './timer.ts';

/** A router that takes packets to anywhere. */
export interface DefaultRouter {
  readonly address: IpAddress;
  /** Which of several is asked first (RFC 4191, section 2.1). */
  readonly preference: RouterPreference;
}

/** What {@link RouterData} needs of the engine around it. */
export interface RouterDataEnvironment {
  readonly timers: TimerQueue<SlaacTimer>;
  readonly limits: SlaacLimits;
  readonly drops: Counters;
  routerAdded(router: DefaultRouter): void;
  routerChanged(router: DefaultRouter): void;
  routerRemoved(router: DefaultRouter): void;
  prefixAdded(prefix: Cidr): void;
  prefixRemoved(prefix: Cidr): void;
  dnsServers(addresses: readonly IpAddress[]): void;
}

/** What routers lend the host for a time, addresses apart: themselves (RFC 4861, section 6.3.4; RFC 4191), the prefixes on the link, and DNS servers (RFC 8106). */
export class RouterData {
  readonly #environment: RouterDataEnvironment;
  readonly #routers: ExpiringTable<DefaultRouter>;
  readonly #prefixes: ExpiringTable<Cidr>;
  readonly #dnsServers: ExpiringTable<IpAddress>;

  constructor(environment: RouterDataEnvironment) {
    const { timers, limits } = environment;
    this.#environment = environment;
    this.#routers = new ExpiringTable(timers, limits.routers, (router) =>
      environment.routerRemoved(router),
    );
    this.#prefixes = new ExpiringTable(timers, limits.prefixes, (prefix) =>
      environment.prefixRemoved(prefix),
    );
    this.#dnsServers = new ExpiringTable(timers, limits.dnsServers, () => this.#tellDnsServers());
  }

  routers(): readonly DefaultRouter[] {
    return this.#routers.values();
  }

  /** A lifetime of 0 says that the sender is no default router, or no more. */
  updateRouter(
    address: IpAddress,
    { routerLifetime, preference }: RouterAdvertisement,
    now: number,
  ): void {
    const key = address.toString();
    const known = this.#routers.get(key);
    if (routerLifetime === 0) {
      this.#routers.delete(key);
      if (known !== undefined) this.#environment.routerRemoved(known);
      return;
    }
    const router = { address, preference };
    if (!this.#routers.set(key, router, now + routerLifetime * 1000)) {
      this.#environment.drops.add('too-many-routers');
    } else if (known === undefined) {
      this.#environment.routerAdded(router);
    } else if (known.preference !== preference) {
      this.#environment.routerChanged(router);
    }
  }

  /** RFC 4861, section 6.3.4: only a lifetime of 0 takes a prefix off the link; silence does not. */
  updatePrefix(prefix: Cidr, { validLifetime }: NdpPrefix, now: number): void {
    const key = prefix.toString();
    const isKnown = this.#prefixes.get(key) !== undefined;
    if (validLifetime === 0) {
      if (this.#prefixes.delete(key) !== undefined) this.#environment.prefixRemoved(prefix);
    } else if (!this.#prefixes.set(key, prefix, now + lifetimeOf(validLifetime))) {
      this.#environment.drops.add('too-many-prefixes');
    } else if (!isKnown) {
      this.#environment.prefixAdded(prefix);
    }
  }

  /** RFC 8106, section 5.1; 0 takes servers away. */
  updateDnsServers({ addresses, lifetime }: NdpDnsServers, now: number): void {
    const before = this.#dnsServers.values().join();
    for (const address of addresses) {
      const key = address.toString();
      if (lifetime === 0) this.#dnsServers.delete(key);
      else if (!this.#dnsServers.set(key, address, now + lifetimeOf(lifetime))) {
        this.#environment.drops.add('too-many-dns-servers');
      }
    }
    if (this.#dnsServers.values().join() !== before) this.#tellDnsServers();
  }

  /** Gives everything back. */
  clear(): void {
    for (const router of this.#routers.clear()) this.#environment.routerRemoved(router);
    for (const prefix of this.#prefixes.clear()) this.#environment.prefixRemoved(prefix);
    if (this.#dnsServers.clear().length > 0) this.#tellDnsServers();
  }

  #tellDnsServers(): void {
    this.#environment.dnsServers(this.#dnsServers.values());
  }
}
