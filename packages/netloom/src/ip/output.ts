import { writeUint16, writeUint32, type Counters, type Random } from '../core/index.ts';
import { forwardFrame, type FrameOffload } from '../link/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Ipv4Header,
  Ipv6Header,
  emitIpv4,
  IPV6_ROUTER_ALERT_LENGTH,
  IpProtocol,
  Ipv6RouterAlert,
  emitIpv6,
  emitIpv6RouterAlert,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
} from '../wire/index.ts';
import { fragmentPacket } from './fragmentation.ts';
import type { Interface } from './interface/interface.ts';
import type { Neighbour, WaitingFrame } from './neighbour/neighbour.ts';
import type { Packet } from './packet.ts';
import type { Path } from './route/path.ts';

/** The router alert option: type 148, length 4, value 0 (RFC 2113, section 2.1). */
const IPV4_ROUTER_ALERT = 0x9404_0000;
const IPV4_ROUTER_ALERT_LENGTH = 4;

const { MULTICAST_LISTENER_DISCOVERY } = Ipv6RouterAlert;

/** What a packet carries in its IP header beside addresses and protocol. */
export interface PacketOptions {
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  /** It may be fragmented on its way (IPv4), and is by us if it is larger than the path takes. */
  readonly mayFragment?: boolean;
  /** Every router on the way looks at the packet (RFC 2113, RFC 2711). */
  readonly routerAlert?: boolean;
}

/**
 * Builds packets in the frames they leave in: {@link open} gets a frame and writes the IP header, the caller writes its transport
 * header and text at {@link at}, {@link send} puts the link address on it. One packet at a time.
 */
export class IpOutput {
  /** The frame being built. */
  bytes!: Uint8Array;
  /** Where the transport header begins. */
  at = 0;
  #path!: Path;
  #oversized = false;
  readonly #v4 = new Ipv4Header();
  readonly #v6 = new Ipv6Header();
  #identification: number;
  readonly #random: Random;
  readonly #drops: Counters;
  readonly #now: () => number;

  constructor(random: Random, drops: Counters, now: () => number) {
    this.#random = random;
    this.#drops = drops;
    this.#now = now;
    this.#identification = random.below(0x10000);
  }

  /**
   * Begins a packet of `length` bytes after the IP header. `cut`: the link will cut it, so the path's MTU does not count. False: the
   * interface is down, or the packet is too large and may not be fragmented.
   */
  open(
    path: Path,
    protocol: number,
    length: number,
    cut: boolean,
    options?: PacketOptions,
  ): boolean {
    const { interface: via, source, destination } = path;
    if (!via.isUp) {
      this.#drops.add('output-interface-down');
      return false;
    }
    const alert = options?.routerAlert === true;
    const ipLength =
      source.family === 4
        ? IPV4_HEADER_LENGTH + (alert ? IPV4_ROUTER_ALERT_LENGTH : 0)
        : IPV6_HEADER_LENGTH + (alert ? IPV6_ROUTER_ALERT_LENGTH : 0);
    this.#oversized = !cut && ipLength + length > path.mtu;
    if (this.#oversized && options?.mayFragment !== true) {
      this.#drops.add('output-too-large');
      return false;
    }
    this.#path = path;
    const total = ETHERNET_HEADER_LENGTH + ipLength + length;
    this.bytes = this.#oversized ? new Uint8Array(total) : via.link.allocate(total);
    this.at = ETHERNET_HEADER_LENGTH + ipLength;
    if (source.family === 4) {
      const header = this.#v4;
      header.headerLength = ipLength;
      header.trafficClass = options?.trafficClass ?? 0;
      header.totalLength = ipLength + length;
      // A packet that is never fragmented needs no identification (RFC 6864, section 4.1); a counter helps whoever reads the capture.
      header.identification = this.#identification = (this.#identification + 1) & 0xffff;
      header.dontFragment = options?.mayFragment !== true;
      header.timeToLive = options?.hopLimit ?? via.hopLimit;
      header.protocol = protocol;
      header.source = source.word3;
      header.destination = destination.word3;
      if (alert) writeUint32(this.bytes, this.at - IPV4_ROUTER_ALERT_LENGTH, IPV4_ROUTER_ALERT);
      emitIpv4(header, this.bytes, ETHERNET_HEADER_LENGTH);
    } else {
      const header = this.#v6;
      header.trafficClass = options?.trafficClass ?? 0;
      header.payloadLength = ipLength - IPV6_HEADER_LENGTH + length;
      header.nextHeader = alert ? IpProtocol.HOP_BY_HOP : protocol;
      header.hopLimit = options?.hopLimit ?? via.hopLimit;
      header.setSource(source);
      header.setDestination(destination);
      const next = emitIpv6(header, this.bytes, ETHERNET_HEADER_LENGTH);
      if (alert) emitIpv6RouterAlert(protocol, MULTICAST_LISTENER_DISCOVERY, this.bytes, next);
    }
    return true;
  }

  /** The packet will be fragmented, so that nothing of it can be left to the link. */
  get isOversized(): boolean {
    return this.#oversized;
  }

  /** Sends the packet. Answers whether it was taken; one that waits for its neighbour's address counts as taken. */
  send(offload: FrameOffload | undefined): boolean {
    if (!this.#oversized) return this.transmit(this.#path, this.bytes, offload);
    const path = this.#path;
    return fragmentPacket(
      this.bytes,
      path.mtu,
      this.#random,
      (length) => path.interface.link.allocate(length),
      (frame) => this.transmit(path, frame, undefined),
    );
  }

  /** Puts the link addresses on a frame of the interface's link and sends it. */
  transmit(path: Path, frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.#address(path, frame)) return path.interface.link.transmit(frame, offload);
    path.interface.neighbours.wait(path.neighbour!, frame, offload, this.#now());
    return true;
  }

  /** As {@link transmit}, for a packet of another link that is passed on: the frame is any memory, and what this link cannot do is done for it. */
  relay(path: Path, frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.#address(path, frame)) return forwardFrame(path.interface.link, frame, offload);
    path.interface.neighbours.wait(path.neighbour!, frame, offload, this.#now());
    return true;
  }

  /** Sends a frame that has waited for its neighbour's link address. */
  release(via: Interface, waiting: WaitingFrame, neighbour: Neighbour): void {
    const { frame, offload } = waiting;
    writeUint16(frame, 0, neighbour.macHigh);
    writeUint32(frame, 2, neighbour.macLow);
    forwardFrame(via.link, frame, offload);
  }

  /** Writes the Ethernet header. False: the destination's link address is not known yet, and is being asked for. */
  #address(path: Path, frame: Uint8Array): boolean {
    const { interface: via, neighbour, source } = path;
    writeUint16(frame, 6, via.mac.high);
    writeUint32(frame, 8, via.mac.low);
    writeUint16(frame, 12, source.family === 4 ? EtherType.IPV4 : EtherType.IPV6);
    if (neighbour === undefined) {
      writeUint16(frame, 0, path.groupHigh);
      writeUint32(frame, 2, path.groupLow);
      return true;
    }
    if (neighbour.isFresh) neighbour.isUsed = true;
    else if (!via.neighbours.use(neighbour, this.#now())) return false;
    writeUint16(frame, 0, neighbour.macHigh);
    writeUint32(frame, 2, neighbour.macLow);
    return true;
  }

  /** The pseudo-header's sum for the packet being built. */
  pseudoHeaderSum(protocol: number, length: number): number {
    const { source, destination } = this.#path;
    return source.family === 4
      ? pseudoHeaderSumV4(source.word3, destination.word3, protocol, length)
      : pseudoHeaderSumV6(
          source.word0,
          source.word1,
          source.word2,
          source.word3,
          destination.word0,
          destination.word1,
          destination.word2,
          destination.word3,
          protocol,
          length,
        );
  }

  /** The pseudo-header's sum for a packet received. */
  pseudoHeaderSumOf(packet: Packet, protocol: number, length: number): number {
    return packet.family === 4
      ? pseudoHeaderSumV4(packet.source3, packet.destination3, protocol, length)
      : pseudoHeaderSumV6(
          packet.source0,
          packet.source1,
          packet.source2,
          packet.source3,
          packet.destination0,
          packet.destination1,
          packet.destination2,
          packet.destination3,
          protocol,
          length,
        );
  }
}
