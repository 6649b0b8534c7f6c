import { Counters, type IpAddress } from '../core/index.ts';

/** Where names go: see `DnsService.setName`. */
export type SetName = (name: string, addresses: readonly IpAddress[]) => void;

/** What a name given by a client leads to: one address of each family, since one machine may ask for both. */
interface LeasedName {
  v4?: IpAddress;
  v6?: IpAddress;
}

/**
 * The names that clients give themselves, as leases come and go. The first client of a name has it for as long as its lease lasts; names that
 * the owner has given are nobody's to take.
 */
export class LeaseNames {
  /** Names that were not given to a client, by reason. */
  readonly drops: Counters = new Counters();
  readonly #setName: SetName;
  readonly #isReserved: (name: string) => boolean;
  readonly #names = new Map<string, LeasedName>();
  /** By address: the name it has. */
  readonly #byAddress = new Map<string, string>();

  /** @param isReserved whether a name is not for clients */
  constructor(setName: SetName, isReserved: (name: string) => boolean) {
    this.#setName = setName;
    this.#isReserved = isReserved;
  }

  /** An address was leased to a client that calls itself so. */
  leased(address: IpAddress, hostname: string | undefined): void {
    const name = hostname === undefined ? undefined : labelOf(hostname);
    const key = address.toString();
    const before = this.#byAddress.get(key);
    if (before === name) return;
    if (before !== undefined) this.freed(address);
    if (name === undefined) return;
    if (this.#isReserved(name)) {
      this.drops.add('name-reserved');
      return;
    }
    const family = address.family === 4 ? 'v4' : 'v6';
    const leased = this.#names.get(name) ?? {};
    if (leased[family] !== undefined) {
      this.drops.add('name-taken');
      return;
    }
    leased[family] = address;
    this.#names.set(name, leased);
    this.#byAddress.set(key, name);
    this.#publish(name);
  }

  /** The lease has ended. */
  freed(address: IpAddress): void {
    const key = address.toString();
    const name = this.#byAddress.get(key);
    if (name === undefined) return;
    this.#byAddress.delete(key);
    const leased = this.#names.get(name)!;
    delete leased[address.family === 4 ? 'v4' : 'v6'];
    if (leased.v4 === undefined && leased.v6 === undefined) this.#names.delete(name);
    this.#publish(name);
  }

  /** What is leased to the client of that name. */
  addressesOf(name: string): IpAddress[] {
    const { v4, v6 } = this.#names.get(name) ?? {};
    return [v4, v6].filter((address) => address !== undefined);
  }

  #publish(name: string): void {
    try {
      this.#setName(name, this.addressesOf(name));
    } catch {
      // The table of names is full: the lease is good without.
      this.drops.add('too-many-names');
    }
  }
}

/** The name under which a client is found: the first label of what it calls itself, as the zone is ours to say. Undefined: none that can be. */
function labelOf(hostname: string): string | undefined {
  const label = hostname.split('.')[0]!.toLowerCase();
  return /^[a-z0-9_-]{1,63}$/.test(label) ? label : undefined;
}
