import { Cidr, NetloomError, type IpAddress } from '../../core/index.ts';
import type { AddressClaims } from './address-claims.ts';
import type { AddressConflict } from './address-conflict.ts';
import type { ConflictDefence } from './duplicate-address-v4.ts';
import type { Interface, InterfaceAddress } from '../interface/interface.ts';
import type { MulticastLayer } from '../multicast-layer.ts';
import type { RouteTable } from '../route/routes.ts';

/** How an address is given to an interface, and who is told what becomes of it. The handlers are called later, never from within `addAddress`. */
export interface AddAddressOptions {
  /**
   * Whether another station on the link may have the address. `assume-none`, the default: it is used at once. `detect`: the link is asked first,
   * which takes four to seven seconds (RFC 5227), or one to two (RFC 4862); then it is used and defended. `announce`: as that, but without asking, since it has been probed.
   */
  readonly duplicates?: 'assume-none' | 'detect' | 'announce';
  /** What is done when another station claims the address while it is in use. IPv4; default `defend-once`. */
  readonly defence?: ConflictDefence;
  /** The address may be used; told again when the interface has been down and up. */
  ready?(): void;
  /** Another station has the address. It has been taken from the interface, if it was in use together with its connections. */
  conflict?(conflict: AddressConflict): void;
  /** It has been taken from the interface by whoever called for that, replaced, or gone with the interface. */
  removed?(): void;
}

/** What giving addresses needs of the stack. */
export interface AddressesEnvironment {
  readonly loopback: Interface;
  readonly routes: RouteTable<Interface>;
  readonly multicast: MulticastLayer;
  readonly claims: AddressClaims;
  readonly addressesPerInterface: number;
  defer(callback: () => void): void;
  pathsChanged(): void;
  /** Resets the connections from an address that is another station's too, and is about to go. */
  resetConnections(address: IpAddress): void;
  /** The host has this address no more. */
  addressGone(address: IpAddress): void;
}

/** An address that somebody wants to hear of. */
interface Held {
  readonly options: AddAddressOptions;
  /** Ends its claim. */
  release(): void;
}

/** Gives interfaces their addresses, and takes them away: with the routes to their networks, their groups, and their claims against other stations. */
export class Addresses {
  readonly #environment: AddressesEnvironment;
  readonly #held = new Map<InterfaceAddress, Held>();

  constructor(environment: AddressesEnvironment) {
    this.#environment = environment;
  }

  /** Gives an interface an address. Throws `TOO_MANY_OPEN`. */
  add(via: Interface, cidr: Cidr, options: AddAddressOptions): void {
    const { duplicates = 'assume-none' } = options;
    // Nobody else is on the loopback.
    const isClaimed = duplicates !== 'assume-none' && via !== this.#environment.loopback;
    const entry = this.assign(via, cidr, isClaimed);
    const release = isClaimed ? this.#claim(via, entry, options) : (): void => undefined;
    this.#held.set(entry, { options, release });
    if (!isClaimed) this.#tellReady(via, entry, options);
  }

  /** Puts an address on an interface, with the route to its network; the caller sees to duplicates. The same address, there already, is replaced. */
  assign(via: Interface, cidr: Cidr, tentative: boolean): InterfaceAddress {
    const { loopback, routes, multicast, addressesPerInterface, defer, pathsChanged } =
      this.#environment;
    const { address } = cidr;
    const isNew = via.find(address) === undefined;
    if (isNew && via.addresses.length >= addressesPerInterface) {
      throw new NetloomError(
        'TOO_MANY_OPEN',
        `interface ${via.name} has ${via.addresses.length} addresses already`,
        { remedy: 'Remove some, or raise the limit `addressesPerInterface`.' },
      );
    }
    const former = this.#withdraw(via, address)?.options.removed;
    if (former !== undefined) defer(former);
    const entry: InterfaceAddress = { cidr, tentative, deprecated: false };
    via.addresses.push(entry);
    // Every link has fe80::/64; such destinations are told apart by their zone, not by routes.
    if (via !== loopback && !address.isLinkLocal) {
      routes.add({ network: networkOf(cidr), target: via, nextHop: undefined, metric: 0 });
    }
    if (address.family === 6 && via !== loopback) multicast.joinSolicitedNode(via, address);
    pathsChanged();
    return entry;
  }

  /** Takes an address from an interface. Connections that have it end, if no other interface has it too. */
  remove(via: Interface, address: IpAddress): void {
    const held = this.#withdraw(via, address);
    if (held === undefined) return;
    this.#environment.addressGone(address);
    held.options.removed?.();
  }

  /** The interface goes. */
  removeAll(via: Interface): void {
    for (const address of via.addresses.map(({ cidr }) => cidr.address)) this.remove(via, address);
  }

  /** Answers what ends the claim. When there are too many, the address is not kept either. */
  #claim(via: Interface, entry: InterfaceAddress, options: AddAddressOptions): () => void {
    try {
      return this.#beginClaim(via, entry, options);
    } catch (error) {
      this.#withdraw(via, entry.cidr.address);
      throw error;
    }
  }

  #beginClaim(via: Interface, entry: InterfaceAddress, options: AddAddressOptions): () => void {
    const { claims, pathsChanged } = this.#environment;
    const { duplicates, defence } = options;
    const { address } = entry.cidr;
    const setTentative = (tentative: boolean): void => {
      entry.tentative = tentative;
      pathsChanged();
    };
    return claims.claim(via, address, duplicates === 'detect' ? 'claim' : 'announce', defence, {
      checking: () => setTentative(true),
      free: () => {
        setTentative(false);
        this.#tellReady(via, entry, options);
      },
      conflict: (conflict) => {
        // So that nobody goes on with what was begun with another station (RFC 5227, section 2.4).
        if (!entry.tentative) this.#environment.resetConnections(address);
        this.#withdraw(via, address);
        this.#environment.addressGone(address);
        options.conflict?.(conflict);
      },
    });
  }

  #tellReady(via: Interface, entry: InterfaceAddress, { ready }: AddAddressOptions): void {
    if (ready === undefined) return;
    this.#environment.defer(() => {
      if (via.addresses.includes(entry) && !entry.tentative) ready();
    });
  }

  /** Takes an address from an interface, and tells nobody. Answers who wanted to hear of it; undefined: it was not there. */
  #withdraw(via: Interface, address: IpAddress): Held | undefined {
    const { loopback, routes, multicast, pathsChanged } = this.#environment;
    const at = via.addresses.findIndex(({ cidr }) => cidr.address.equals(address));
    if (at < 0) return undefined;
    const [entry] = via.addresses.splice(at, 1);
    const { cidr } = entry!;
    const network = networkOf(cidr);
    const isShared = via.addresses.some(
      (other) =>
        other.cidr.prefixLength === cidr.prefixLength && network.contains(other.cidr.address),
    );
    if (!isShared) routes.remove({ network, target: via, nextHop: undefined, metric: 0 });
    if (address.family === 6 && via !== loopback) multicast.leaveSolicitedNode(via, address);
    const held = this.#held.get(entry!) ?? { options: {}, release: () => undefined };
    this.#held.delete(entry!);
    held.release();
    pathsChanged();
    return held;
  }
}

function networkOf({ network, prefixLength }: Cidr): Cidr {
  return new Cidr(network, prefixLength);
}
