import { Cidr, type Engine } from '../../core/index.ts';
import type { Dhcpv6LeasedAddress, Interface, IpStack } from '../../ip/index.ts';

/** The addresses of a DHCPv6 lease, as an interface has them. */
export class LeasedAddresses implements Engine {
  readonly #stack: IpStack;
  readonly #via: Interface;
  /** Those that the interface has of us. */
  #held: readonly Dhcpv6LeasedAddress[] = [];
  /** When the next of them is preferred no more. */
  #deprecationAt = Infinity;

  constructor(stack: IpStack, via: Interface) {
    this.#stack = stack;
    this.#via = via;
  }

  /** Has the interface have these addresses from now on, and those of before no more. What it has from elsewhere is left alone. */
  set(leased: readonly Dhcpv6LeasedAddress[], now: number): void {
    const before = this.#held;
    for (const { address } of before) {
      if (!has(leased, address)) this.#stack.removeAddress(this.#via, address);
    }
    this.#held = leased.filter(({ address }) => {
      if (has(before, address)) return true;
      if (this.#via.find(address) !== undefined) return false;
      // As /128: what is on the link is said by routers, not by addresses (RFC 5942, section 4; RFC 8415, section 18.2.10.1).
      this.#stack.addAddress(this.#via, new Cidr(address, 128));
      return true;
    });
    this.advance(now);
  }

  deadline(): number {
    return this.#deprecationAt;
  }

  /** Tells the interface which of its addresses are for new connections (RFC 4862, section 5.5.4). */
  advance(now: number): void {
    let isChanged = false;
    this.#deprecationAt = Infinity;
    for (const { address, preferredUntil } of this.#held) {
      const deprecated = preferredUntil <= now;
      if (!deprecated) this.#deprecationAt = Math.min(this.#deprecationAt, preferredUntil);
      const entry = this.#via.find(address);
      if (entry === undefined || entry.deprecated === deprecated) continue;
      entry.deprecated = deprecated;
      isChanged = true;
    }
    if (isChanged) this.#stack.paths.changed();
  }
}

function has(leased: readonly Dhcpv6LeasedAddress[], address: Cidr['address']): boolean {
  return leased.some((other) => other.address.equals(address));
}
