import {
  Counters,
  NetloomError,
  channel,
  type Datagram,
  type IpAddress,
  type Random,
  type SocketAddress,
} from '../../core/index.ts';
import {
  IpProtocol,
  UDP_HEADER_LENGTH,
  UdpHeader,
  emitUdp,
  finishChecksum,
  foldSum,
  isFault,
  parseUdp,
  sumWords,
} from '../../wire/index.ts';
import type { FrameOffload } from '../../link/index.ts';
import { UDP_DROP } from '../diagnostics.ts';
import type { IcmpErrorKind } from '../icmp/icmp-error.ts';
import type { GonePacket } from '../icmp/quote.ts';
import type { QuotedPacket } from '../icmp/quoted-packet.ts';
import type { InterceptedDatagram, Interceptor } from '../interception/index.ts';
import { isSameAddress, type Interface } from '../interface/interface.ts';
import type { IpOutput, PacketOptions } from '../output.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../route/path.ts';
import { choosePort } from '../ports.ts';
import { UdpSocket } from './udp-socket.ts';

/** What the UDP layer needs of the stack around it. */
export interface UdpEnvironment {
  readonly output: IpOutput;
  readonly random: Random;
  readonly sockets: number;
  readonly receiveBuffer: number;
  defer(callback: () => void): void;
  /** The path to an address, for a socket that may be bound to an interface; throws a named error if there is none. */
  path(destination: IpAddress, source: IpAddress | undefined, device: Interface | undefined): Path;
  /** The path to an address in the name of another, be that one of this host or not; throws a named error if there is none. */
  pathAs(destination: IpAddress, source: IpAddress): Path;
  /** Who takes a packet that nothing of the stack takes. */
  interceptorOf(packet: Packet): Interceptor | undefined;
  portUnreachable(packet: Packet): void;
  /** Sends an ICMP error about a packet that is gone. */
  sendErrorAbout(gone: GonePacket, kind: IcmpErrorKind): void;
  /** Answers where the group has been joined, and is to be left. */
  joinGroup(group: IpAddress, via: IpAddress | undefined): Interface;
  leaveGroup(group: IpAddress, on: Interface): void;
}

/** A group that a socket has joined. */
interface SocketGroup {
  readonly group: IpAddress;
  /** As the socket's user named it. */
  readonly via: IpAddress | undefined;
  readonly on: Interface;
}

const handlerErrors = channel<NetloomError>('netloom:udp:handler-threw');

/** UDP (RFC 768): sockets by port, datagrams in and out. */
export class UdpLayer {
  readonly drops: Counters = new Counters(UDP_DROP, this);
  readonly receiveBuffer: number;
  readonly #environment: UdpEnvironment;
  readonly #sockets = new Map<number, UdpSocket[]>();
  #count = 0;
  readonly #received = new UdpHeader();
  readonly #sending = new UdpHeader();
  readonly #offload: FrameOffload = { checksumStart: 0, checksumOffset: 6, segmentSize: 0 };
  readonly #memberships = new Map<UdpSocket, SocketGroup[]>();

  constructor(environment: UdpEnvironment) {
    this.#environment = environment;
    this.receiveBuffer = environment.receiveBuffer;
  }

  /** A socket at this address and port; port 0 is given one. With a `device` it is one of that interface only. */
  bind(address: IpAddress, port: number, reuseAddress: boolean, device?: Interface): UdpSocket {
    if (this.#count >= this.#environment.sockets) {
      throw new NetloomError('TOO_MANY_OPEN', `${this.#count} UDP sockets are open already`, {
        remedy: 'Close some, or raise the limit `udpSockets`.',
      });
    }
    const chosen =
      port === 0 ? choosePort(this.#environment.random, (taken) => this.#sockets.has(taken)) : port;
    const others = this.#sockets.get(chosen) ?? [];
    const socket = new UdpSocket(this, { address, port: chosen }, reuseAddress, device);
    if (others.some((other) => clashes(other, socket))) {
      throw new NetloomError('ADDRESS_IN_USE', `another socket has UDP port ${chosen}`, {
        remedy: 'Choose another port, or 0 to be given a free one.',
      });
    }
    this.#sockets.set(chosen, [...others, socket]);
    this.#count++;
    return socket;
  }

  /** Whether a socket has the port, at any address. */
  hasPort(port: number): boolean {
    return this.#sockets.has(port);
  }

  /** The sockets there are. */
  sockets(): UdpSocket[] {
    return [...this.#sockets.values()].flat();
  }

  remove(socket: UdpSocket): void {
    const { port } = socket.local;
    const all = this.#sockets.get(port);
    const left = all?.filter((other) => other !== socket) ?? [];
    if (all === undefined || left.length === all.length) return;
    this.#count--;
    if (left.length > 0) this.#sockets.set(port, left);
    else this.#sockets.delete(port);
    for (const { group, on } of this.#memberships.get(socket) ?? []) {
      this.#environment.leaveGroup(group, on);
    }
    this.#memberships.delete(socket);
  }

  /** A UDP packet has come for this host. */
  receive(packet: Packet): void {
    const header = this.#received;
    const { bytes, transport, end } = packet;
    const fault = parseUdp(bytes, transport, end, header);
    if (isFault(fault)) {
      this.drops.add(`udp-${fault}`);
      return;
    }
    packet.finishInnerChecksum();
    if (!this.#isChecksumRight(packet, header)) {
      this.drops.add('udp-bad-checksum');
      return;
    }
    const sockets = packet.isForeign ? undefined : this.#sockets.get(header.destinationPort);
    const destination = packet.destination;
    const takers = sockets?.filter((socket) => takes(socket, destination, packet)) ?? [];
    if (takers.length === 0) {
      const interceptor = packet.isGroup ? undefined : this.#environment.interceptorOf(packet);
      if (interceptor !== undefined) {
        interceptor.datagram(intercepted(packet, header));
        return;
      }
      this.drops.add('udp-no-socket');
      if (!packet.isGroup) this.#environment.portUnreachable(packet);
      return;
    }
    const datagram: Datagram = {
      data: bytes.subarray(transport + UDP_HEADER_LENGTH, transport + header.length),
      remote: { address: packet.source, port: header.sourcePort },
      local: destination,
      ecn: packet.trafficClass & 3,
      station: packet.station,
    };
    // A group's datagram is for all its sockets; another for the one bound most closely.
    if (packet.isGroup) for (const socket of takers) socket.deliver(datagram);
    else (takers.find(({ local }) => !local.address.isUnspecified) ?? takers[0]!).deliver(datagram);
  }

  /** Sends a datagram (or several, by `segmentSize`); false if it was dropped. */
  send(socket: UdpSocket, datagram: Datagram): boolean {
    const { remote } = datagram;
    const bound = socket.local.address;
    const source = datagram.local ?? (bound.isUnspecified || bound.isMulticast ? undefined : bound);
    let path: Path;
    try {
      path = this.#environment.path(remote.address, source, socket.device);
    } catch (error) {
      this.drops.add('udp-no-path');
      this.#environment.defer(() => socket.fail(error as NetloomError, remote));
      return false;
    }
    socket.recentRemotes.remember(remote);
    return this.#sendAlong(path, socket.local.port, datagram, socket);
  }

  /** Sends a datagram's parts; a socket is told of those that are too large. */
  #sendAlong(path: Path, port: number, datagram: Datagram, socket?: UdpSocket): boolean {
    const { data, remote, segmentSize } = datagram;
    const options: PacketOptions = { mayFragment: true, trafficClass: datagram.ecn ?? 0 };
    const size = segmentSize ?? data.length;
    let sent = true;
    let at = 0;
    do {
      const part = data.subarray(at, Math.min(data.length, at + size));
      sent = this.#sendOne(path, port, remote.port, part, options, socket) && sent;
      at += size;
    } while (at < data.length);
    return sent;
  }

  /** Sends a datagram, or several, in the name of `source`, be that an address of this host or not; false if one was dropped. */
  sendAs(source: SocketAddress, datagram: Datagram): boolean {
    let path: Path;
    try {
      path = this.#environment.pathAs(datagram.remote.address, source.address);
    } catch {
      this.drops.add('udp-no-path');
      return false;
    }
    return this.#sendAlong(path, source.port, datagram);
  }

  /** Tells a guest what became of the datagram, of so many bytes, that it sent to `destination` and an interceptor took. */
  report(guest: SocketAddress, destination: SocketAddress, kind: IcmpErrorKind, size = 0): void {
    const gone = {
      source: guest.address,
      destination: destination.address,
      protocol: IpProtocol.UDP,
      sourcePort: guest.port,
      destinationPort: destination.port,
      word: (UDP_HEADER_LENGTH + size) << 16,
    };
    this.#environment.sendErrorAbout(gone, kind);
  }

  /** The sockets that have sent a datagram between these ends, as far as they remember. */
  sendersOf({ source, sourcePort, destination, destinationPort }: QuotedPacket): UdpSocket[] {
    const all = this.#sockets.get(sourcePort) ?? [];
    return all.filter(
      ({ local: { address }, recentRemotes }) =>
        mayBeFrom(address, source) && recentRemotes.has(destination, destinationPort),
    );
  }

  joinGroup(socket: UdpSocket, group: IpAddress, via: IpAddress | undefined): void {
    const on = this.#environment.joinGroup(group, via);
    const memberships = this.#memberships.get(socket) ?? [];
    memberships.push({ group, via, on });
    this.#memberships.set(socket, memberships);
  }

  leaveGroup(socket: UdpSocket, group: IpAddress, via: IpAddress | undefined): void {
    const memberships = this.#memberships.get(socket) ?? [];
    const isMeant = (joined: SocketGroup): boolean => joined.group.equals(group);
    const exact = memberships.findIndex((joined) => isMeant(joined) && isSameVia(joined.via, via));
    const at = exact < 0 ? memberships.findIndex(isMeant) : exact;
    if (at < 0) return;
    const [left] = memberships.splice(at, 1);
    this.#environment.leaveGroup(group, left!.on);
  }

  defer(callback: () => void): void {
    this.#environment.defer(callback);
  }

  /** A handler threw from its last call, when there was nothing left to close. */
  handlerThrew(error: NetloomError): void {
    handlerErrors.publish(error);
  }

  #sendOne(
    path: Path,
    sourcePort: number,
    port: number,
    data: Uint8Array,
    options: PacketOptions,
    socket: UdpSocket | undefined,
  ): boolean {
    const { output } = this.#environment;
    const length = UDP_HEADER_LENGTH + data.length;
    const largest = path.source.family === 4 ? 65_535 - 20 : 65_535;
    if (length > largest) {
      this.drops.add('udp-too-large');
      const error = new NetloomError(
        'DATAGRAM_TOO_LARGE',
        `${data.length} bytes do not fit into a datagram`,
        {
          remedy: `Send at most ${largest - UDP_HEADER_LENGTH} bytes.`,
        },
      );
      this.defer(() => socket?.fail(error));
      return false;
    }
    if (!output.open(path, IpProtocol.UDP, length, false, options)) return false;
    const header = this.#sending;
    header.sourcePort = sourcePort;
    header.destinationPort = port;
    header.length = length;
    const { bytes, at } = output;
    bytes.set(data, at + UDP_HEADER_LENGTH);
    header.checksum = 0;
    const pseudo = output.pseudoHeaderSum(IpProtocol.UDP, length);
    if (path.interface.link.offload.checksum && !output.isOversized) {
      header.checksum = foldSum(pseudo);
      emitUdp(header, bytes, at);
      this.#offload.checksumStart = at;
      return output.send(this.#offload);
    }
    emitUdp(header, bytes, at);
    // A sum of zero is sent as all ones: zero says that there is none (RFC 768).
    header.checksum = finishChecksum(sumWords(bytes, at, at + length, pseudo)) || 0xffff;
    emitUdp(header, bytes, at);
    return output.send(undefined);
  }

  #isChecksumRight(packet: Packet, header: UdpHeader): boolean {
    if (packet.isChecksumTrusted) return true;
    if (header.checksum === 0) return packet.family === 4;
    const { bytes, transport } = packet;
    const pseudo = this.#environment.output.pseudoHeaderSumOf(
      packet,
      IpProtocol.UDP,
      header.length,
    );
    return finishChecksum(sumWords(bytes, transport, transport + header.length, pseudo)) === 0;
  }
}

/** A datagram for an interceptor; its data is borrowed from its frame. */
function intercepted(packet: Packet, header: UdpHeader): InterceptedDatagram {
  const { bytes, transport, destination } = packet;
  return {
    data: bytes.subarray(transport + UDP_HEADER_LENGTH, transport + header.length),
    remote: { address: packet.source, port: header.sourcePort },
    destination: { address: destination, port: header.destinationPort },
    ecn: packet.trafficClass & 3,
    interface: packet.interface,
    station: packet.station,
    isOwn: !packet.isForeign,
  };
}

function isSameVia(a: IpAddress | undefined, b: IpAddress | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/** Whether a datagram to `destination` is one for this socket. A socket at :: takes IPv4 as well, as a dual-stack socket does. */
function takes(socket: UdpSocket, destination: IpAddress, packet: Packet): boolean {
  const { address } = socket.local;
  if (socket.device !== undefined && socket.device !== packet.interface) return false;
  if (address.isUnspecified) return address.family === 6 || destination.family === 4;
  return (
    address.equals(destination) ||
    (packet.isGroup && !address.isMulticast && address.family === destination.family)
  );
}

/** Whether a socket at `bound` sends from `source`, or may. */
function mayBeFrom(bound: IpAddress, source: IpAddress): boolean {
  if (bound.isUnspecified || bound.isMulticast) {
    return bound.family === 6 || source.family === 4;
  }
  return isSameAddress(bound, source);
}

function clashes(a: UdpSocket, b: UdpSocket): boolean {
  if (a.reuseAddress && b.reuseAddress) return false;
  if (a.device !== undefined && b.device !== undefined && a.device !== b.device) return false;
  const [first, second] = [a.local.address, b.local.address];
  if (first.isUnspecified || second.isUnspecified) {
    return (
      first.family === second.family ||
      (first.isUnspecified && first.family === 6) ||
      (second.isUnspecified && second.family === 6)
    );
  }
  return first.equals(second);
}
