import {
  NOT_QUEUED,
  type Datagram,
  type IpAddress,
  type SocketAddress,
  type TimerEntry,
} from '../../core/index.ts';
import type { Flow } from './flow.ts';
import type { OutsideSocket } from './outside-socket.ts';

/** The port of name servers (RFC 1035, section 4.2). */
const NAME_SERVER_PORT = 53;

/** By whom mappings are shared out: the station of a guest, as `MacAddress.toNumber` has it, or a client outside. */
export type MappingHolder = number | string;

/** Whose a mapping is: it ends it, where it must. */
export interface MappingOwner {
  /** A mapping is over: nothing was carried for so long, or it gave way to another. */
  gone(mapping: Mapping, why: 'idle' | 'limit'): void;
}

/** One destination of a {@link Mapping}. */
export interface MappedDestination {
  readonly mapping: Mapping;
  /** As the guest sees it. */
  readonly destination: SocketAddress;
  /** Where it is reached from outside. */
  readonly target: SocketAddress;
  readonly flow: Flow;
}

/**
 * A guest's address and port with the outside socket that stands for it, whatever the destination: endpoint-independent mapping (RFC 4787, section 4.1).
 * What comes in is let through from addresses that the guest has sent to: address-dependent filtering (section 5).
 */
export class Mapping implements TimerEntry {
  readonly guest: SocketAddress;
  /** Who has it: the guest's station, or whoever uses a published port. */
  readonly holder: MappingHolder;
  readonly key: string;
  readonly owner: MappingOwner;
  socket: OutsideSocket | undefined;
  /** Datagrams for the socket, till the end of the turn or until it is there. */
  waiting: Datagram[] = [];
  isFlushScheduled = false;
  isGone = false;
  usedAt: number;
  /** When it was last put behind the others in the order of use. */
  orderedAt: number;
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  /** By where they are reached. */
  readonly #destinations = new Map<string, MappedDestination>();
  /** The one used last: datagrams come in trains. */
  #last: MappedDestination | undefined;
  #asksNameServersOnly = true;

  constructor(guest: SocketAddress, holder: MappingHolder, owner: MappingOwner, now: number) {
    this.guest = guest;
    this.holder = holder;
    this.owner = owner;
    this.key = keyOf(guest);
    this.usedAt = now;
    this.orderedAt = now;
  }

  /** The one destination there is; undefined: there are several. */
  get only(): MappedDestination | undefined {
    return this.#destinations.size === 1 ? this.#last : undefined;
  }

  /** Where the guest has sent last. */
  get last(): MappedDestination | undefined {
    return this.#last;
  }

  /** It has asked name servers, and nobody else. */
  get asksNameServersOnly(): boolean {
    return this.#asksNameServersOnly;
  }

  get destinations(): Iterable<MappedDestination> {
    return this.#destinations.values();
  }

  isOf(guest: SocketAddress): boolean {
    return this.guest.port === guest.port && this.guest.address.equals(guest.address);
  }

  /** The destination that the guest means, if it has sent there before. */
  find(destination: SocketAddress): MappedDestination | undefined {
    const last = this.#last;
    if (last !== undefined && isSame(last.destination, destination)) return last;
    for (const known of this.#destinations.values()) {
      if (isSame(known.destination, destination)) return (this.#last = known);
    }
    return undefined;
  }

  /** Remembers a destination; answers the oldest, if it had to give way. */
  add(added: MappedDestination, most: number): MappedDestination | undefined {
    let displaced: MappedDestination | undefined;
    if (this.#destinations.size >= most) {
      [displaced] = this.#destinations.values();
      this.#destinations.delete(keyOf(displaced!.target));
    }
    this.#destinations.set(keyOf(added.target), added);
    this.#last = added;
    this.#asksNameServersOnly &&= added.destination.port === NAME_SERVER_PORT;
    return displaced;
  }

  /** Forgets a destination. */
  remove(destination: MappedDestination): void {
    this.#destinations.delete(keyOf(destination.target));
    if (this.#last === destination) this.#last = undefined;
  }

  /** The destination that a datagram from outside is from: one that was sent to, or another port of its address. */
  from(remote: SocketAddress): MappedDestination | undefined {
    const last = this.#last;
    if (last !== undefined && isSame(last.target, remote)) return last;
    const known = this.#destinations.get(keyOf(remote));
    if (known !== undefined) return known;
    for (const other of this.#destinations.values()) {
      if (other.target.address.equals(remote.address)) return other;
    }
    return undefined;
  }
}

/** A guest's address and port, or a destination's, as a key. */
export function keyOf({ address, port }: SocketAddress): string {
  return `${address}|${port}`;
}

function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && isSameHost(a.address, b.address);
}

function isSameHost(a: IpAddress, b: IpAddress): boolean {
  return a === b || a.equals(b);
}
