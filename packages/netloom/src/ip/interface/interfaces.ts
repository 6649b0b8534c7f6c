import { NetloomError, type Cidr, type MacAddress, type Random } from '../../core/index.ts';
import type { Link } from '../../link/index.ts';
import type { AddAddressOptions } from '../address/addresses.ts';
import { Interface, type InterfaceSink } from './interface.ts';
import {
  NeighbourCache,
  type NeighbourLimits,
  type NeighbourSink,
} from '../neighbour/neighbour-cache.ts';
import type { Neighbour, WaitingFrame } from '../neighbour/neighbour.ts';

/** How an interface is added. */
export interface AddInterfaceOptions {
  /** Default: the link's name. */
  readonly name?: string;
  /** Default: the link's. */
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** Addresses with their networks, as `10.0.0.1/24`. */
  readonly addresses?: readonly (Cidr | string)[];
  /** Whether other stations may have those addresses: see {@link AddAddressOptions}. Default `assume-none`. */
  readonly duplicates?: NonNullable<AddAddressOptions['duplicates']>;
}

/** What interfaces need of the stack. */
export interface InterfacesEnvironment extends InterfaceSink {
  readonly random: Random;
  /** How many there may be, the loopback counted. */
  readonly limit: number;
  readonly neighbourLimits: NeighbourLimits;
  /** As the {@link NeighbourSink} of each interface. */
  solicit(via: Interface, neighbour: Neighbour, unicast: boolean): void;
  release(via: Interface, waiting: WaitingFrame, neighbour: Neighbour): void;
  unreachable(via: Interface, neighbour: Neighbour): void;
  timersChanged(): void;
}

/** The interfaces of a stack. */
export class Interfaces {
  /** In the order they were added, the loopback first. */
  readonly list: Interface[] = [];
  readonly #environment: InterfacesEnvironment;
  /** An index is not given twice. */
  #nextIndex = 1;

  constructor(environment: InterfacesEnvironment) {
    this.#environment = environment;
  }

  /** Attaches an interface to a link. Throws `TOO_MANY_OPEN` or `INTERFACE_EXISTS`. */
  add(link: Link, options: AddInterfaceOptions, needsNeighbours: boolean): Interface {
    const { name = link.name, mac, mtu } = options;
    this.#check(name);
    const environment = this.#environment;
    const made = new Interface(
      {
        name,
        index: this.#nextIndex++,
        link,
        needsNeighbours,
        ...(mac && { mac }),
        ...(mtu && { mtu }),
      },
      environment,
    );
    const { neighbourLimits, random } = environment;
    made.neighbours = new NeighbourCache(
      neighbourLimits,
      this.#neighbourSink(made),
      random,
      made.drops,
    );
    this.list.push(made);
    link.attach(made);
    return made;
  }

  /** Takes an interface out. False: it is not there. */
  remove(via: Interface): boolean {
    const at = this.list.indexOf(via);
    if (at >= 0) this.list.splice(at, 1);
    return at >= 0;
  }

  #neighbourSink(via: Interface): NeighbourSink {
    const environment = this.#environment;
    return {
      solicit: (neighbour, unicast) => environment.solicit(via, neighbour, unicast),
      release: (waiting, neighbour) => environment.release(via, waiting, neighbour),
      unreachable: (neighbour) => environment.unreachable(via, neighbour),
      timersChanged: () => environment.timersChanged(),
    };
  }

  #check(name: string): void {
    const { length } = this.list;
    if (length >= this.#environment.limit) {
      throw new NetloomError('TOO_MANY_OPEN', `the stack has ${length} interfaces already`, {
        remedy: 'Remove some, or raise the limit `interfaces`.',
      });
    }
    if (this.list.some((other) => other.name === name)) {
      throw new NetloomError('INTERFACE_EXISTS', `there is an interface '${name}' already`, {
        remedy: 'Give this one another name.',
      });
    }
  }
}
