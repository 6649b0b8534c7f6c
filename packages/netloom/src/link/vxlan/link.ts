import {
  EngineTimer,
  MacAddress,
  NetloomError,
  copyBytes,
  formatSocketAddress,
  isSameSocketAddress,
  readInt32,
  readUint16,
  withLimits,
  type Clock,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  VXLAN_HEADER_LENGTH,
  emitVxlan,
  type VxlanHeader,
} from '../../wire/index.ts';
import {
  LinkStatistics,
  NO_OFFLOAD,
  type FrameOffload,
  type Link,
  type LinkHandler,
  type LinkOffload,
} from '../link.ts';
import { refusalOf } from '../refusal.ts';
import { StationTable } from '../station/index.ts';
import { PeerTable, type Peer, type VxlanPeer } from './peer-table.ts';
import {
  DEFAULT_AGEING,
  DEFAULT_UNDERLAY_MTU,
  NETWORK_LIMITS,
  encapsulationOverhead,
  mtuOf,
  type VxlanOptions,
} from './settings.ts';

/** What a network's link needs of its endpoint. */
export interface Tunnel {
  readonly clock: Clock;
  readonly random: Random;
  /** Where the endpoint listens. */
  readonly local: SocketAddress;
  /** Sends a datagram with what else is sent in this turn; it is given away. False: too much waits. */
  send(data: Uint8Array, remote: SocketAddress, link: VxlanLink): boolean;
  /** The link is no more. */
  leave(link: VxlanLink): void;
}

/** A station that is known to be behind a peer. */
export interface VxlanStation {
  readonly mac: MacAddress;
  readonly peer: SocketAddress;
  readonly isStatic: boolean;
  /** When it last sent a frame, in milliseconds of the clock. */
  readonly seenAt: number;
}

/** Stations are told apart by address alone within a network, whatever tags are in it: as the kernel does. */
const ONE_VLAN = 1;

/**
 * One VXLAN network (RFC 7348), seen as a link: at the other end of it are the stations of all peers. Made by `VxlanEndpoint.network`.
 *
 * A frame for a station that is known goes to the peer it is behind; any other, groups included, to every peer in a copy of its own (head-end
 * replication). What has come from a peer goes up this link and never to a peer again, so peers that all know each other make no loop; if
 * not all do, or if there is another way between them, the switches' spanning tree must cut it.
 *
 * Segments left whole have to be cut before they come here: the link can do nothing for the stack above, and says so.
 */
export class VxlanLink implements Link {
  readonly identifier: number;
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  readonly #tunnel: Tunnel;
  readonly #underlayMtu: number;
  readonly #learning: boolean;
  readonly #header: VxlanHeader;
  readonly #peers: PeerTable;
  readonly #stations: StationTable<Peer>;
  readonly #stationTimer: EngineTimer;
  /** What was given out last: the header has its place before it. */
  #allocated: Uint8Array | undefined;
  #handler: LinkHandler | undefined;
  #up = true;
  #ended = false;
  #endedBy: NetloomError | undefined;
  readonly #closed = Promise.withResolvers<void>();

  constructor(tunnel: Tunnel, header: VxlanHeader, options: VxlanOptions) {
    const limits = withLimits(NETWORK_LIMITS, options.limits);
    this.#tunnel = tunnel;
    this.#header = header;
    this.identifier = header.identifier;
    this.name = options.name ?? `vxlan${header.identifier}`;
    this.mac = options.mac ?? MacAddress.random(tunnel.random);
    this.mtu = mtuOf(options, tunnel.local.address.family);
    this.#underlayMtu = options.underlayMtu ?? DEFAULT_UNDERLAY_MTU;
    this.#learning = options.learning ?? true;
    this.#peers = new PeerTable(limits.peers);
    this.#stations = new StationTable({
      random: tunnel.random,
      limit: limits.stations,
      ageing: options.ageing ?? DEFAULT_AGEING,
    });
    this.#stationTimer = new EngineTimer(tunnel.clock, this.#stations);
    for (const remote of options.peers ?? []) this.addPeer(remote);
  }

  /** The other tunnel ends, in the order they were added. */
  peers(): VxlanPeer[] {
    return [...this.#peers.values()].map(
      ({ remote, stationCount, receivedFrames, sentFrames }) => ({
        remote,
        stationCount,
        receivedFrames,
        sentFrames,
      }),
    );
  }

  /** Adds a tunnel end, from now on; one that is there already stays as it is. Throws `VXLAN_PEER_INVALID` or `VXLAN_FULL`. */
  addPeer(remote: SocketAddress): void {
    this.#checkPeer(remote);
    if (this.#peers.find(remote) === undefined) this.#peers.add(remote);
  }

  /** Takes a tunnel end out, and forgets the stations behind it. False: it was not there. */
  removePeer(remote: SocketAddress): boolean {
    const peer = this.#peers.find(remote);
    if (peer === undefined) return false;
    this.#peers.remove(peer);
    this.#stations.flush(peer, true);
    this.#stationTimer.update();
    return true;
  }

  /** The stations that are known, in no order. */
  stations(): VxlanStation[] {
    return this.#stations.entries().map(({ mac, port, isStatic, seenAt }) => ({
      mac,
      peer: port.remote,
      isStatic,
      seenAt,
    }));
  }

  /** Says which peer a station is behind: it is neither learned elsewhere nor forgotten. Throws `VXLAN_PEER_INVALID` or `VXLAN_FULL`. */
  addStation(mac: MacAddress, remote: SocketAddress): void {
    const peer = this.#peers.find(remote);
    if (peer === undefined) throw invalidPeer(remote, `is not one of ${this.name}`);
    const added = this.#stations.addStatic(ONE_VLAN, mac, peer, this.#tunnel.clock.now());
    this.#stationTimer.update();
    if (added) return;
    throw new NetloomError('VXLAN_FULL', `${this.name} has no room for the station ${mac}`, {
      remedy: "Give the network a larger limit 'stations'.",
    });
  }

  /** Forgets a station, static or not. False: it was not known. */
  removeStation(mac: MacAddress): boolean {
    const wasKnown = this.#stations.forget(ONE_VLAN, mac);
    this.#stationTimer.update();
    return wasKnown;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    // A handler that comes too late is told so, and waits for nothing.
    if (this.#ended) this.#tunnel.clock.defer(() => handler.closed?.(this.#endedBy));
  }

  allocate(length: number): Uint8Array {
    const datagram = new Uint8Array(VXLAN_HEADER_LENGTH + length);
    this.#allocated = datagram.subarray(VXLAN_HEADER_LENGTH);
    return this.#allocated;
  }

  transmit(frame: Uint8Array, offload?: FrameOffload): boolean {
    const refusal = this.#up ? refusalOf(frame, offload, this.mtu, this.offload) : 'link-down';
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return false;
    }
    if (!this.#send(frame)) return false;
    this.statistics.sentFrames++;
    this.statistics.sentBytes += frame.length;
    return true;
  }

  /** Sends the frame where it is to go. False: it went nowhere; what was dropped is counted. */
  #send(frame: Uint8Array): boolean {
    const data = this.#encapsulate(frame);
    const destination = this.#stations.portOf(ONE_VLAN, readUint16(frame, 0), readInt32(frame, 2));
    const known = destination === 0 ? undefined : this.#peers.get(destination);
    if (known !== undefined) return this.#sendTo(known, data);
    if (this.#peers.size === 0) this.statistics.drops.add('no-peer');
    let taken = false;
    let left = this.#peers.size;
    for (const peer of this.#peers.values()) {
      // What is sent is given away, so each has its own; the last has this one.
      taken = this.#sendTo(peer, --left === 0 ? data : copyBytes(data)) || taken;
    }
    return taken;
  }

  #encapsulate(frame: Uint8Array): Uint8Array {
    let data: Uint8Array;
    if (frame === this.#allocated) {
      data = new Uint8Array(frame.buffer, 0, VXLAN_HEADER_LENGTH + frame.length);
    } else {
      data = new Uint8Array(VXLAN_HEADER_LENGTH + frame.length);
      data.set(frame, VXLAN_HEADER_LENGTH);
    }
    this.#allocated = undefined;
    emitVxlan(this.#header, data, 0);
    return data;
  }

  #sendTo(peer: Peer, data: Uint8Array): boolean {
    const { family } = peer.remote.address;
    const length = data.length - VXLAN_HEADER_LENGTH + encapsulationOverhead(family);
    // A tag may come on top of the MTU, but not on top of the underlay's.
    if (length > this.#underlayMtu) {
      this.statistics.drops.add('outer-too-long');
      return false;
    }
    if (!this.#tunnel.send(data, peer.remote, this)) {
      this.statistics.drops.add('queue-full');
      return false;
    }
    peer.sentFrames++;
    return true;
  }

  /** A frame has come from `remote`: borrowed. True: it was handed on, and {@link batchEnd} is to follow. */
  receive(frame: Uint8Array, remote: SocketAddress, now: number): boolean {
    const peer = this.#peers.sender(remote);
    const refusal = this.#refusalOfReceived(frame, peer, now);
    if (refusal !== undefined) {
      this.statistics.drops.add(refusal);
      return false;
    }
    this.statistics.receivedFrames++;
    this.statistics.receivedBytes += frame.length;
    this.#handler!.receive(frame, undefined);
    return true;
  }

  #refusalOfReceived(frame: Uint8Array, peer: Peer | undefined, now: number): string | undefined {
    if (!this.#up) return 'link-down';
    if (peer === undefined) return 'unknown-peer';
    peer.receivedFrames++;
    if (frame.length < ETHERNET_HEADER_LENGTH) return 'too-short';
    if (!this.#learn(frame, peer, now)) return 'station-elsewhere';
    return this.#handler === undefined ? 'not-attached' : undefined;
  }

  /** Takes note of who has sent a frame. False: that station is said to be behind another peer. */
  #learn(frame: Uint8Array, peer: Peer, now: number): boolean {
    const high = readUint16(frame, 6);
    // No station has a group's address.
    if (!this.#learning || (high & 0x0100) !== 0) return true;
    const learning = this.#stations.learn(ONE_VLAN, high, readInt32(frame, 8), peer, now);
    if (learning === 'learned') this.#stationTimer.update();
    return learning !== 'static';
  }

  /** The frames that were at hand have been received. */
  batchEnd(): void {
    if (this.#up) this.#handler?.batchEnd();
  }

  close(): Promise<void> {
    this.end(undefined);
    return this.#closed.promise;
  }

  /** The end of the link, or of the socket below it. The handler is never told from inside a call of its own. */
  end(error: NetloomError | undefined): void {
    if (!this.#up) return;
    this.#up = false;
    this.#tunnel.leave(this);
    for (const peer of this.#peers.values()) this.#stations.flush(peer, true);
    this.#stationTimer.update();
    this.#tunnel.clock.defer(() => {
      this.#ended = true;
      this.#endedBy = error;
      this.#closed.resolve();
      this.#handler?.closed?.(error);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkPeer(remote: SocketAddress): void {
    const { address, port } = remote;
    const { local } = this.#tunnel;
    if (address.isMulticast) throw invalidPeer(remote, 'is a group');
    if (address.isUnspecified || port < 1 || port > 65_535) {
      throw invalidPeer(remote, 'is nowhere to send to');
    }
    if (isSameSocketAddress(remote, local)) {
      throw invalidPeer(remote, 'is this end itself');
    }
    if (local.address.family === 4 && address.family === 6) {
      throw invalidPeer(remote, 'is not reached from an IPv4 address');
    }
  }
}

function invalidPeer(remote: SocketAddress, problem: string): NetloomError {
  return new NetloomError(
    'VXLAN_PEER_INVALID',
    `the peer ${formatSocketAddress(remote)} ${problem}`,
    {
      remedy: 'Give the address and port at which the other tunnel end listens, as 192.0.2.7:4789.',
    },
  );
}
