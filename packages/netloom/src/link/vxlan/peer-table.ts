import {
  NetloomError,
  formatSocketAddress,
  isSameSocketAddress,
  type IpAddress,
  type SocketAddress,
} from '../../core/index.ts';
import type { StationHolder } from '../station/index.ts';

/** Another tunnel end, as a network knows it. */
export interface VxlanPeer {
  readonly remote: SocketAddress;
  /** Stations learned behind it. */
  readonly stationCount: number;
  readonly receivedFrames: number;
  readonly sentFrames: number;
}

/** A {@link VxlanPeer}, and what the station table wants of what holds stations. */
export class Peer implements VxlanPeer, StationHolder {
  readonly number: number;
  readonly remote: SocketAddress;
  /** There is one limit for all peers together. */
  readonly stationLimit: number = Infinity;
  stationCount = 0;
  receivedFrames = 0;
  sentFrames = 0;

  constructor(number: number, remote: SocketAddress) {
    this.number = number;
    this.remote = remote;
  }
}

/**
 * The peers of one network, by address.
 *
 * A peer is known by its IP address: its datagrams come from any port, for that is chosen by the flow inside (RFC 7348, section 5). Only where
 * several peers have one address, as in tests on one machine, the port tells them apart, and then they must send from the one they receive at.
 */
export class PeerTable {
  readonly #limit: number;
  readonly #byNumber = new Map<number, Peer>();
  /** Those with the same sum of address words. Who the peers are is configured, so nobody outside makes sums collide. */
  readonly #bySum = new Map<number, Peer[]>();
  #made = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#byNumber.size;
  }

  values(): Iterable<Peer> {
    return this.#byNumber.values();
  }

  get(number: number): Peer | undefined {
    return this.#byNumber.get(number);
  }

  /** The peer with exactly this address and port. */
  find(remote: SocketAddress): Peer | undefined {
    return this.#sameSum(remote.address).find((peer) => isSameSocketAddress(peer.remote, remote));
  }

  /** The peer that a datagram from there is of. */
  sender(remote: SocketAddress): Peer | undefined {
    let found: Peer | undefined;
    let count = 0;
    for (const peer of this.#sameSum(remote.address)) {
      if (!peer.remote.address.equals(remote.address)) continue;
      if (peer.remote.port === remote.port) return peer;
      found = peer;
      count++;
    }
    return count === 1 ? found : undefined;
  }

  /** Throws `VXLAN_FULL`. */
  add(remote: SocketAddress): Peer {
    if (this.size >= this.#limit) {
      throw new NetloomError(
        'VXLAN_FULL',
        `there is no room for the peer ${formatSocketAddress(remote)}: ${this.#limit} are there`,
        { remedy: "Give the network a larger limit 'peers'." },
      );
    }
    const peer = new Peer(++this.#made, remote);
    this.#byNumber.set(peer.number, peer);
    this.#bySum.set(sumOf(remote.address), [...this.#sameSum(remote.address), peer]);
    return peer;
  }

  remove(peer: Peer): void {
    this.#byNumber.delete(peer.number);
    const sum = sumOf(peer.remote.address);
    const others = this.#sameSum(peer.remote.address).filter((other) => other !== peer);
    if (others.length > 0) this.#bySum.set(sum, others);
    else this.#bySum.delete(sum);
  }

  #sameSum(address: IpAddress): readonly Peer[] {
    return this.#bySum.get(sumOf(address)) ?? [];
  }
}

function sumOf({ word0, word1, word2, word3 }: IpAddress): number {
  return word0 ^ word1 ^ word2 ^ word3;
}
