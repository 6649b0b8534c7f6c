import { readInt32, readUint16, type Counters } from '../core/index.ts';
import type { FrameOffload } from '../link/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Chain,
  Ipv6Header,
  isFault,
  parseIpv4,
  parseIpv6,
  walkIpv6,
} from '../wire/index.ts';
import type { IcmpErrorKind } from './icmp/icmp-error.ts';
import type { Interface } from './interface/interface.ts';
import type { Translators } from './nat/index.ts';
import { Packet } from './packet.ts';
import type { Reassembler } from './reassembly/index.ts';

/** How a fragment came: what its reassembled datagram is taken up with again. */
export interface FragmentOrigin {
  readonly interface: Interface;
  /** The frame was sent to a link-layer group. */
  readonly toGroup: boolean;
  /** See {@link Packet.station}. */
  readonly station: number;
}

/** What input needs of the stack around it. */
export interface InputEnvironment {
  readonly drops: Counters;
  readonly loopback: Interface;
  readonly forwarding: boolean;
  readonly fragments: Reassembler<FragmentOrigin>;
  readonly translators: Translators;
  now(): number;
  /** A fragment has been taken: the reassembler's timer may have moved. */
  fragmentTaken(): void;
  /** Whether any interface has this address. */
  isLocalV4(word: number): boolean;
  isLocalV6(word0: number, word1: number, word2: number, word3: number): boolean;
  /** Whether a packet for another host is taken up in that host's name. */
  intercepts(packet: Packet): boolean;
  /** Whether a group has been joined on the interface. */
  isMember(via: Interface, packet: Packet): boolean;
  arp(via: Interface, frame: Uint8Array): void;
  tcp(packet: Packet): void;
  udp(packet: Packet): void;
  icmp(packet: Packet): void;
  igmp(packet: Packet): void;
  forward(packet: Packet): void;
  sendError(packet: Packet, kind: IcmpErrorKind, rest?: number): void;
}

/**
 * The way of a frame up the stack: Ethernet, IP, the transport. What is not for us, not well formed or not believable is dropped and counted.
 */
export class IpInput {
  readonly #environment: InputEnvironment;
  readonly #packet = new Packet();
  readonly #v4 = new Ipv4Header();
  readonly #v6 = new Ipv6Header();
  readonly #chain = new Ipv6Chain();

  constructor(environment: InputEnvironment) {
    this.#environment = environment;
  }

  /** A frame has come over an interface; it is borrowed. */
  receive(via: Interface, frame: Uint8Array, offload: FrameOffload | undefined): void {
    if (frame.length < ETHERNET_HEADER_LENGTH) {
      via.drops.add('ethernet-truncated');
      return;
    }
    const toGroup = (frame[0]! & 1) !== 0;
    if (!toGroup && !isForStation(via, frame)) {
      via.drops.add('ethernet-other-station');
      return;
    }
    const type = readUint16(frame, 12);
    if (type === EtherType.IPV4)
      this.#receiveV4(via, frame, ETHERNET_HEADER_LENGTH, offload, toGroup);
    else if (type === EtherType.IPV6)
      this.#receiveV6(via, frame, ETHERNET_HEADER_LENGTH, offload, toGroup);
    else if (type === EtherType.ARP) this.#environment.arp(via, frame);
    else via.drops.add('ethernet-unknown-type');
  }

  #receiveV4(
    via: Interface,
    bytes: Uint8Array,
    start: number,
    offload: FrameOffload | undefined,
    toGroup: boolean,
  ): void {
    const header = this.#v4;
    const fault = parseIpv4(bytes, start, bytes.length, header);
    if (isFault(fault)) {
      via.drops.add(`ipv4-${fault}`);
      return;
    }
    const packet = this.#begin(via, bytes, start, offload, 4);
    packet.end = start + header.totalLength;
    setV4(packet, header);
    const isGroup = header.destination >>> 28 === 0xe;
    const isBroadcast = !isGroup && via.isBroadcastV4(header.destination);
    packet.isGroup = toGroup || isGroup || isBroadcast;
    const reason = this.#unbelievableV4(via, header);
    if (reason !== undefined) {
      via.drops.add(reason);
      return;
    }
    const environment = this.#environment;
    const local =
      isBroadcast ||
      (isGroup ? environment.isMember(via, packet) : this.#isLocalV4(via, header.destination));
    const translated = this.#isTranslated(packet, isGroup);
    if (!local && !translated && !this.#isIntercepted(packet, isGroup))
      this.#notLocal(packet, isGroup);
    else if (packet.isForeign && packet.hopLimit <= 1) this.#expired(packet);
    else if (header.isFragment) this.#reassembleV4(via, packet, header, toGroup);
    else this.#deliver(packet);
  }

  #isLocalV4(via: Interface, word: number): boolean {
    const { loopback, isLocalV4 } = this.#environment;
    // All of 127/8 is this host (RFC 1122, section 3.2.1.3, case g).
    return isLocalV4(word) || (via === loopback && word >>> 24 === 127);
  }

  /** Sources that no host can have, and packets that claim to be ours (RFC 1122, section 3.2.1.3; the LAND attack is one). */
  #unbelievableV4(via: Interface, { source, destination }: Ipv4Header): string | undefined {
    if (source >>> 28 === 0xe || via.isBroadcastV4(source)) return 'ipv4-source-is-group';
    if (via === this.#environment.loopback) return undefined;
    if (source >>> 24 === 127 || destination >>> 24 === 127) return 'ipv4-loopback-from-outside';
    if (source !== 0 && this.#environment.isLocalV4(source)) return 'ipv4-source-is-ours';
    return undefined;
  }

  #receiveV6(
    via: Interface,
    bytes: Uint8Array,
    start: number,
    offload: FrameOffload | undefined,
    toGroup: boolean,
  ): void {
    const header = this.#v6;
    const fault = parseIpv6(bytes, start, bytes.length, header);
    if (isFault(fault)) {
      via.drops.add(`ipv6-${fault}`);
      return;
    }
    const packet = this.#begin(via, bytes, start, offload, 6);
    packet.end = start + IPV6_HEADER_LENGTH + header.payloadLength;
    setV6(packet, header);
    const isGroup = header.destination0 >>> 24 === 0xff;
    packet.isGroup = toGroup || isGroup;
    const reason = this.#unbelievableV6(via, header);
    if (reason !== undefined) {
      via.drops.add(reason);
      return;
    }
    const environment = this.#environment;
    const { destination0, destination1, destination2, destination3 } = header;
    const local = isGroup
      ? environment.isMember(via, packet)
      : environment.isLocalV6(destination0, destination1, destination2, destination3);
    const translated = this.#isTranslated(packet, isGroup);
    if (!local && !translated && !this.#isIntercepted(packet, isGroup))
      this.#notLocal(packet, isGroup);
    else if (packet.isForeign && packet.hopLimit <= 1) this.#expired(packet);
    else this.#walkV6(via, packet, header, toGroup);
  }

  #unbelievableV6(via: Interface, header: Ipv6Header): string | undefined {
    const { source0, source1, source2, source3 } = header;
    const { destination0, destination1, destination2, destination3 } = header;
    if (source0 >>> 24 === 0xff) return 'ipv6-source-is-group';
    if (via === this.#environment.loopback) return undefined;
    const isSmall = source0 === 0 && source1 === 0 && source2 === 0;
    const toSmall = destination0 === 0 && destination1 === 0 && destination2 === 0;
    // RFC 4291, section 2.5.3.
    if ((isSmall && source3 === 1) || (toSmall && destination3 === 1)) {
      return 'ipv6-loopback-from-outside';
    }
    const isUnspecified = isSmall && source3 === 0;
    if (!isUnspecified && this.#environment.isLocalV6(source0, source1, source2, source3)) {
      return 'ipv6-source-is-ours';
    }
    return undefined;
  }

  /** Follows the extension headers to the transport. */
  #walkV6(via: Interface, packet: Packet, header: Ipv6Header, toGroup: boolean): void {
    const chain = this.#chain;
    const fault = walkIpv6(packet.bytes, packet.start, packet.end, header, chain);
    if (isFault(fault)) {
      via.drops.add(`ipv6-${fault}`);
      if (chain.problemCode >= 0)
        this.#environment.sendError(packet, 'bad-header', chain.problemPointer);
      return;
    }
    packet.transport = chain.transport;
    packet.protocol = chain.protocol;
    // A fragment that is whole has its Fragment header taken off as well (RFC 6946).
    if (chain.fragment >= 0) this.#reassembleV6(via, packet, chain, toGroup);
    else this.#deliver(packet);
  }

  #reassembleV4(via: Interface, packet: Packet, header: Ipv4Header, toGroup: boolean): void {
    const { fragments, now, fragmentTaken } = this.#environment;
    const { bytes, start, station } = packet;
    const from = { interface: via, toGroup, station };
    const whole = fragments.addV4(header, bytes, start, from, now());
    fragmentTaken();
    packet.fragmentsFrom = station;
    if (whole !== undefined) this.#receiveV4(via, whole, 0, undefined, toGroup);
  }

  #reassembleV6(via: Interface, packet: Packet, chain: Ipv6Chain, toGroup: boolean): void {
    const { fragments, now, fragmentTaken } = this.#environment;
    const { bytes, start, station } = packet;
    const from = { interface: via, toGroup, station };
    const whole = fragments.addV6(this.#v6, chain, bytes, start, from, now());
    fragmentTaken();
    packet.fragmentsFrom = station;
    if (whole !== undefined) this.#receiveV6(via, whole, 0, undefined, toGroup);
  }

  /** The first fragment of a datagram whose rest did not come: its sender is told. */
  reassemblyTimedOut(first: Uint8Array, from: FragmentOrigin): void {
    const packet = readPacket(from.interface, first, 0);
    if (packet === undefined) return;
    packet.isGroup = from.toGroup;
    this.#environment.sendError(packet, 'reassembly-time-exceeded');
  }

  /** A packet in a frame could not be sent, for its neighbour is not there: whoever sent it is told, be it ourselves. */
  reportUnsent(via: Interface, frame: Uint8Array): void {
    const sent = readPacket(via, frame, ETHERNET_HEADER_LENGTH);
    if (sent !== undefined) this.#environment.translators.restore(sent);
    const packet = readPacket(via, frame, ETHERNET_HEADER_LENGTH);
    if (packet !== undefined) this.#environment.sendError(packet, 'host-unreachable');
  }

  #isTranslated(packet: Packet, isGroup: boolean): boolean {
    return !isGroup && !packet.isGroup && this.#environment.translators.concerns(packet);
  }

  #isIntercepted(packet: Packet, isGroup: boolean): boolean {
    const isForeign = !isGroup && !packet.isGroup && this.#environment.intercepts(packet);
    packet.isForeign = isForeign;
    return isForeign;
  }

  /** Whoever speaks for the host that a packet is for is a hop on the way to it (RFC 1812, section 5.3.1). */
  #expired(packet: Packet): void {
    packet.interface.drops.add('intercept-hop-limit');
    packet.isForeign = false;
    this.#environment.sendError(packet, 'hop-limit-exceeded');
  }

  #notLocal(packet: Packet, isGroup: boolean): void {
    if (this.#environment.forwarding && !isGroup && !packet.isGroup)
      this.#environment.forward(packet);
    else packet.interface.drops.add('ip-not-for-us');
  }

  #deliver(packet: Packet): void {
    const environment = this.#environment;
    if (!packet.isGroup && environment.translators.translate(packet)) return;
    switch (packet.protocol) {
      case IpProtocol.TCP:
        environment.tcp(packet);
        return;
      case IpProtocol.UDP:
        environment.udp(packet);
        return;
      case IpProtocol.ICMP:
      case IpProtocol.ICMPV6:
        if ((packet.protocol === IpProtocol.ICMP) === (packet.family === 4))
          environment.icmp(packet);
        else packet.interface.drops.add('ip-unknown-protocol');
        return;
      case IpProtocol.IGMP:
        if (packet.isForeign) packet.interface.drops.add('ip-unknown-protocol');
        else environment.igmp(packet);
        return;
      case IpProtocol.NO_NEXT_HEADER:
        packet.interface.drops.add('ip-no-next-header');
        return;
      default:
        packet.interface.drops.add('ip-unknown-protocol');
        environment.sendError(
          packet,
          'protocol-unreachable',
          packet.family === 6 ? this.#chain.protocolField - packet.start : 0,
        );
    }
  }

  #begin(
    via: Interface,
    bytes: Uint8Array,
    start: number,
    offload: FrameOffload | undefined,
    family: 4 | 6,
  ): Packet {
    const packet = this.#packet;
    begin(packet, via, bytes, start, family);
    packet.offload = offload;
    return packet;
  }
}

function begin(
  packet: Packet,
  via: Interface,
  bytes: Uint8Array,
  start: number,
  family: 4 | 6,
): void {
  packet.interface = via;
  packet.bytes = bytes;
  packet.start = start;
  packet.family = family;
  packet.isForeign = false;
  if (family === 4) {
    // The IPv4-mapped form, as in IpAddress.
    packet.source0 = packet.source1 = packet.destination0 = packet.destination1 = 0;
    packet.source2 = packet.destination2 = 0xffff;
  }
}

/** Fills in what the fixed header says. */
function setV4(packet: Packet, header: Ipv4Header): void {
  packet.transport = packet.start + header.headerLength;
  packet.protocol = header.protocol;
  packet.source3 = header.source;
  packet.destination3 = header.destination;
  packet.hopLimit = header.timeToLive;
  packet.trafficClass = header.trafficClass;
}

/** Fills in what the fixed header says. */
function setV6(packet: Packet, header: Ipv6Header): void {
  packet.transport = packet.start + IPV6_HEADER_LENGTH;
  packet.protocol = header.nextHeader;
  packet.source0 = header.source0;
  packet.source1 = header.source1;
  packet.source2 = header.source2;
  packet.source3 = header.source3;
  packet.destination0 = header.destination0;
  packet.destination1 = header.destination1;
  packet.destination2 = header.destination2;
  packet.destination3 = header.destination3;
  packet.hopLimit = header.hopLimit;
  packet.trafficClass = header.trafficClass;
}

/** A packet that an error is to quote: all there is of it, read by itself, since the stack may be at another. Errors are rare. */
function readPacket(via: Interface, bytes: Uint8Array, start: number): Packet | undefined {
  const packet = new Packet();
  packet.end = bytes.length;
  if (bytes[start]! >>> 4 === 4) {
    const header = parseIpv4(bytes, start, bytes.length);
    if (isFault(header)) return undefined;
    begin(packet, via, bytes, start, 4);
    setV4(packet, header);
  } else {
    const header = parseIpv6(bytes, start, bytes.length);
    if (isFault(header)) return undefined;
    begin(packet, via, bytes, start, 6);
    setV6(packet, header);
  }
  return packet;
}

/** Whether the frame's destination is the interface's own address. */
function isForStation(via: Interface, frame: Uint8Array): boolean {
  const { mac } = via;
  return readInt32(frame, 2) === mac.low && readUint16(frame, 0) === mac.high;
}
