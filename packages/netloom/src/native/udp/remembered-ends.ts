import { IpAddress, type SocketAddress } from '../../core/index.ts';
import type { NativeMemory } from '../memory.ts';
import { AF_INET, readSocketAddress, zoneOf } from '../socket-address.ts';

/** `struct sockaddr_in` and `struct sockaddr_in6` in words, the family and port being the first: how many of them differ between ends. */
const V4_WORDS = 2;
const V6_WORDS = 7;

/**
 * The ends of the datagrams of one socket. Who sent the last datagram is likely to have sent the next, so the same end as last time is the same object:
 * nothing is made for it, and its text is kept.
 */
export class RememberedEnds {
  /** The one address that its socket is bound to, if it is; then the kernel says nothing of it. */
  readonly bound: IpAddress | undefined;
  readonly #words = new Int32Array(V6_WORDS);
  #remote: SocketAddress | undefined;
  #local: IpAddress = IpAddress.ANY6;
  #localScope = 0;

  /** @param address what the socket is bound to */
  constructor(address: IpAddress) {
    this.bound = address.isUnspecified ? undefined : address;
  }

  /** Whom a datagram is from, of which the region holds the `sockaddr`. */
  remote(name: NativeMemory): SocketAddress {
    const { view } = name;
    const words = this.#words;
    const count = view.getUint16(0, true) === AF_INET ? V4_WORDS : V6_WORDS;
    let isSame = this.#remote !== undefined;
    for (let i = 0; i < count; i++) {
      const word = view.getInt32(4 * i, true);
      if (words[i] === word) continue;
      words[i] = word;
      isSame = false;
    }
    if (isSame) return this.#remote!;
    return (this.#remote = readSocketAddress(name));
  }

  /** The IPv4 address that a datagram came to. */
  local4(word: number): IpAddress {
    const last = this.#local;
    if (last.family === 4 && last.word3 === word) return last;
    return (this.#local = IpAddress.v4(word));
  }

  /** The IPv6 address at `at` that a datagram came to, by the interface of this number. */
  local6(view: DataView, at: number, scope: number): IpAddress {
    const [a, b] = [view.getInt32(at), view.getInt32(at + 4)];
    const [c, d] = [view.getInt32(at + 8), view.getInt32(at + 12)];
    const last = this.#local;
    const isSame = last.word3 === d && last.word2 === c && last.word1 === b && last.word0 === a;
    if (isSame && last.family === 6 && scope === this.#localScope) return last;
    const address = IpAddress.v6(a, b, c, d);
    this.#localScope = scope;
    return (this.#local = address.isLinkLocal ? IpAddress.v6(a, b, c, d, zoneOf(scope)) : address);
  }
}
