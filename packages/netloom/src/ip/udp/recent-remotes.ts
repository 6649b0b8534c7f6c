import type { IpAddress, SocketAddress } from '../../core/index.ts';

/** How many are remembered: an error comes back within a round trip, and is a hint only, so that a lost one does no harm. */
const REMEMBERED = 32;
/** Four of the address and one of the port. */
const WORDS = 5;

/**
 * Whom a socket has sent to lately, so that an ICMP error about a datagram it never sent can be told from one about its own (RFC 5927,
 * section 4: anyone who guesses a local port could make one up). A ring of words: remembering allocates nothing.
 */
export class RecentRemotes {
  /** Allocated with the first datagram sent: many sockets only receive. */
  #words: Int32Array | undefined;
  #next = 0;
  #count = 0;

  /** A datagram goes to this address and port. */
  remember({ address, port }: SocketAddress): void {
    const words = (this.#words ??= new Int32Array(REMEMBERED * WORDS));
    const last = (this.#next === 0 ? REMEMBERED : this.#next) - 1;
    // Datagrams come in trains: one place is enough for each.
    if (this.#count > 0 && isAt(words, last, address, port)) return;
    const at = this.#next * WORDS;
    words[at] = address.word0;
    words[at + 1] = address.word1;
    words[at + 2] = address.word2;
    words[at + 3] = address.word3;
    words[at + 4] = port;
    this.#next = (this.#next + 1) % REMEMBERED;
    if (this.#count < REMEMBERED) this.#count++;
  }

  /** Whether a datagram went to this address, whatever its zone, and this port lately. */
  has(address: IpAddress, port: number): boolean {
    for (let place = 0; place < this.#count; place++) {
      if (isAt(this.#words!, place, address, port)) return true;
    }
    return false;
  }
}

function isAt(words: Int32Array, place: number, address: IpAddress, port: number): boolean {
  const at = place * WORDS;
  return (
    words[at + 3] === address.word3 &&
    words[at + 4] === port &&
    words[at + 2] === address.word2 &&
    words[at + 1] === address.word1 &&
    words[at] === address.word0
  );
}
