import { Cidr, FairShares, type Counters, type IpAddress } from '../../core/index.ts';

/** What one site outside has of IPv6 at the least (RFC 6177): whoever has one of its addresses can have all of them. */
const SITE_PREFIX_LENGTH = 64;

/** What a {@link RefusingShares} holds its holders to, and where it counts whom it has refused. */
export interface SharesLimit {
  /** Of all holders together. */
  readonly all: number;
  readonly each: number;
  readonly drops: Counters;
  /** The counter of those who find it full. */
  readonly full: string;
  /** The counter of those who have their share. */
  readonly exhausted: string;
}

/** {@link FairShares} of something that is refused where there is too much of it. */
export class RefusingShares<Holder, Item> {
  readonly #shares = new FairShares<Holder, Item>();
  readonly #limit: SharesLimit;

  constructor(limit: SharesLimit) {
    this.#limit = limit;
  }

  /** Whether a holder may have one more; that it may not is counted. */
  hasRoom(holder: Holder): boolean {
    const { all, each, drops, full, exhausted } = this.#limit;
    if (this.#shares.hasRoom(holder, all, each)) return true;
    drops.add(this.#shares.size >= all ? full : exhausted);
    return false;
  }

  add(holder: Holder, item: Item): void {
    this.#shares.add(holder, item);
  }

  remove(holder: Holder, item: Item): void {
    this.#shares.remove(holder, item);
  }
}

/** As whom a client outside is counted: by its address, or its /64 of IPv6. */
export function holderOf(client: IpAddress): string {
  const isV4 = client.family === 4;
  return String(isV4 ? client : new Cidr(client, SITE_PREFIX_LENGTH).network);
}
