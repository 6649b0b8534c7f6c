import {
  Counters,
  NetloomError,
  type Cidr,
  type IpAddress,
  type MacAddress,
} from '../../core/index.ts';
import type { FrameOffload, Link, LinkHandler } from '../../link/index.ts';
import { IP_DROP } from '../diagnostics.ts';
import type { NeighbourCache } from '../neighbour/neighbour-cache.ts';

/** An address of an {@link Interface}, with the network it is in. */
export interface InterfaceAddress {
  readonly cidr: Cidr;
  /** Duplicate detection is under way: nothing is sent from it or taken for it (RFC 4862, section 5.4). */
  tentative: boolean;
  /** It serves connections that have it, and new ones only when there is no other (RFC 4862, section 5.5.4). */
  deprecated: boolean;
}

/** What an interface was made with. */
export interface InterfaceOptions {
  readonly name: string;
  readonly index: number;
  readonly link: Link;
  /** Default: the link's. */
  readonly mac?: MacAddress;
  /** Default: the link's. */
  readonly mtu?: number;
  /** Nothing at the other end needs to be asked for its link address: loopback. */
  readonly needsNeighbours: boolean;
}

/** Where frames are handed on to. */
export interface InterfaceSink {
  receive(from: Interface, frame: Uint8Array, offload: FrameOffload | undefined): void;
  batchEnd(): void;
  /** It has been taken into use again. */
  up(from: Interface): void;
  /** It has been taken out of use, until it is {@link up}. */
  down(from: Interface): void;
  /** Its link is closed, for good; with the link's error if it did not happen at our wish. */
  gone(from: Interface, error: NetloomError | undefined): void;
}

/** A stack's end of a link: its addresses and its neighbours. */
export class Interface implements LinkHandler {
  readonly name: string;
  readonly index: number;
  readonly link: Link;
  readonly mac: MacAddress;
  readonly needsNeighbours: boolean;
  /** The largest IP packet; changed by a router advertisement, never above the link's. */
  mtu: number;
  /** Frames come and go: see {@link up} and {@link down}. */
  isUp = true;
  /** Hop limit of what is sent, unless asked for otherwise (RFC 4861, section 6.3.2). */
  hopLimit = 64;
  neighbours!: NeighbourCache;
  readonly addresses: InterfaceAddress[] = [];
  readonly drops: Counters = new Counters(IP_DROP, this);
  readonly #sink: InterfaceSink;
  #isGone = false;

  constructor(options: InterfaceOptions, sink: InterfaceSink) {
    this.name = options.name;
    this.index = options.index;
    this.link = options.link;
    this.mac = options.mac ?? options.link.mac;
    this.mtu = Math.min(options.mtu ?? options.link.mtu, options.link.mtu);
    this.needsNeighbours = options.needsNeighbours;
    this.#sink = sink;
  }

  receive(frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (this.isUp) this.#sink.receive(this, frame, offload);
    else this.drops.add('interface-down');
  }

  batchEnd(): void {
    this.#sink.batchEnd();
  }

  closed(error: NetloomError | undefined): void {
    this.#isGone = true;
    this.isUp = false;
    this.#sink.gone(this, error);
  }

  /** Its link is closed, for good. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Takes the interface into use again: its addresses are announced, or checked anew where that was asked for, and its routes count. Idempotent. Throws
   * `INTERFACE_GONE` when its link is closed.
   */
  up(): void {
    if (this.isUp) return;
    if (this.#isGone) {
      throw new NetloomError('INTERFACE_GONE', `the link of interface ${this.name} is closed`, {
        remedy: 'Remove the interface, and add one on a link that is open.',
      });
    }
    this.isUp = true;
    this.#sink.up(this);
  }

  /**
   * Takes the interface out of use: nothing is sent or taken, its neighbours are forgotten, and routes over it are passed over. What it was given stays until
   * it is {@link up}; what it has configured for itself is given up. Connections try on. Idempotent.
   */
  down(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.#sink.down(this);
  }

  /** The entry of an address this interface has. */
  find(address: IpAddress): InterfaceAddress | undefined {
    return this.addresses.find(({ cidr }) => isSameAddress(cidr.address, address));
  }

  /** Whether the IPv4 word is one of its addresses, tentative ones left out. */
  hasV4(word: number): boolean {
    for (const { cidr, tentative } of this.addresses) {
      if (cidr.address.word3 === word && cidr.address.family === 4 && !tentative) return true;
    }
    return false;
  }

  /** Whether the IPv6 words are one of its addresses, tentative ones left out. */
  hasV6(word0: number, word1: number, word2: number, word3: number): boolean {
    for (const { cidr, tentative } of this.addresses) {
      const { address } = cidr;
      if (
        address.word3 === word3 &&
        address.word2 === word2 &&
        address.word1 === word1 &&
        address.word0 === word0 &&
        address.family === 6 &&
        !tentative
      ) {
        return true;
      }
    }
    return false;
  }

  /** Whether the IPv4 word is of one of its networks. */
  isOnLinkV4(word: number): boolean {
    for (const { cidr } of this.addresses) {
      const { address, prefixLength } = cidr;
      if (address.family !== 4) continue;
      // The bits that differ, those of the host shifted out; a shift by 32 would be none.
      if (prefixLength === 0 || (word ^ address.word3) >>> (32 - prefixLength) === 0) return true;
    }
    return false;
  }

  /** Whether the IPv4 word is the broadcast address of one of its networks (RFC 1122, section 3.2.1.3). */
  isBroadcastV4(word: number): boolean {
    if (word === -1) return true;
    for (const { cidr } of this.addresses) {
      const { address, prefixLength } = cidr;
      if (address.family !== 4 || prefixLength >= 31) continue;
      // Asked twice for each packet, so no address is made to compare with.
      if ((address.word3 | (-1 >>> prefixLength)) === word) return true;
    }
    return false;
  }

  /** The addresses of one family that may be used as a source. */
  usable(family: 4 | 6): InterfaceAddress[] {
    return this.addresses.filter(
      ({ cidr, tentative }) => cidr.address.family === family && !tentative,
    );
  }

  /** Its IPv6 link-local address. */
  get linkLocal(): IpAddress | undefined {
    return this.usable(6).find(({ cidr }) => cidr.address.isLinkLocal)?.cidr.address;
  }
}

/** Whether two addresses are the same apart from their zone. */
export function isSameAddress(a: IpAddress, b: IpAddress): boolean {
  return (
    a.word3 === b.word3 &&
    a.word2 === b.word2 &&
    a.word1 === b.word1 &&
    a.word0 === b.word0 &&
    a.family === b.family
  );
}
