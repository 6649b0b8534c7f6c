import {
  Counters,
  NetloomError,
  channel,
  type Datagram,
  type DatagramHandler,
  type IpAddress,
  type Random,
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
import { isSameAddress, type Interface } from '../interface.ts';
import type { IpOutput, PacketOptions } from '../output.ts';
import type { Packet } from '../packet.ts';
import type { Path } from '../path.ts';
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
  portUnreachable(packet: Packet): void;
  joinGroup(group: IpAddress, via: IpAddress | undefined): void;
  leaveGroup(group: IpAddress, via: IpAddress | undefined): void;
}

const handlerErrors = channel<NetloomError>('netloom:udp:handler-threw');

/** UDP (RFC 768): sockets by port, datagrams in and out. */
export class UdpLayer {
  readonly drops: Counters = new Counters();
  readonly receiveBuffer: number;
  readonly #environment: UdpEnvironment;
  readonly #sockets = new Map<number, UdpSocket[]>();
  #count = 0;
  readonly #received = new UdpHeader();
  readonly #sending = new UdpHeader();
  readonly #offload: FrameOffload = { checksumStart: 0, checksumOffset: 6, segmentSize: 0 };
  readonly #memberships = new Map<UdpSocket, { group: IpAddress; via: IpAddress | undefined }[]>();

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
    for (const { group, via } of this.#memberships.get(socket) ?? []) {
      this.#environment.leaveGroup(group, via);
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
    if (!this.#isChecksumRight(packet, header)) {
      this.drops.add('udp-bad-checksum');
      return;
    }
    const sockets = this.#sockets.get(header.destinationPort);
    const destination = packet.destination;
    const takers = sockets?.filter((socket) => takes(socket, destination, packet)) ?? [];
    if (takers.length === 0) {
      this.drops.add('udp-no-socket');
      if (!packet.isGroup) this.#environment.portUnreachable(packet);
      return;
    }
    const datagram: Datagram = {
      data: bytes.subarray(transport + UDP_HEADER_LENGTH, transport + header.length),
      remote: { address: packet.source, port: header.sourcePort },
      local: destination,
      ecn: packet.trafficClass & 3,
    };
    // A group's datagram is for all its sockets; another for the one bound most closely.
    if (packet.isGroup) for (const socket of takers) socket.deliver(datagram);
    else (takers.find(({ local }) => !local.address.isUnspecified) ?? takers[0]!).deliver(datagram);
  }

  /** Sends a datagram (or several, by `segmentSize`); false if it was dropped. */
  send(socket: UdpSocket, datagram: Datagram): boolean {
    const { data, remote, segmentSize } = datagram;
    const bound = socket.local.address;
    const source = datagram.local ?? (bound.isUnspecified || bound.isMulticast ? undefined : bound);
    let path: Path;
    try {
      path = this.#environment.path(remote.address, source, socket.device);
    } catch (error) {
      this.drops.add('udp-no-path');
      this.#environment.defer(() => socket.fail(error as NetloomError));
      return false;
    }
    const options: PacketOptions = { mayFragment: true, trafficClass: datagram.ecn ?? 0 };
    const size = segmentSize ?? data.length;
    let sent = true;
    let at = 0;
    do {
      const part = data.subarray(at, Math.min(data.length, at + size));
      sent = this.#sendOne(socket, path, remote.port, part, options) && sent;
      at += size;
    } while (at < data.length);
    return sent;
  }

  /** The sockets that may have sent a datagram from this address and port. */
  socketsOf(source: IpAddress, port: number): UdpSocket[] {
    const all = this.#sockets.get(port) ?? [];
    return all.filter(({ local: { address } }) => mayBeFrom(address, source));
  }

  joinGroup(socket: UdpSocket, group: IpAddress, via: IpAddress | undefined): void {
    this.#environment.joinGroup(group, via);
    const memberships = this.#memberships.get(socket) ?? [];
    memberships.push({ group, via });
    this.#memberships.set(socket, memberships);
  }

  leaveGroup(socket: UdpSocket, group: IpAddress, via: IpAddress | undefined): void {
    const memberships = this.#memberships.get(socket) ?? [];
    const at = memberships.findIndex((membership) => membership.group.equals(group));
    if (at < 0) return;
    memberships.splice(at, 1);
    this.#environment.leaveGroup(group, via);
  }

  defer(callback: () => void): void {
    this.#environment.defer(callback);
  }

  handlerThrew(error: NetloomError, handler: DatagramHandler | undefined): void {
    handlerErrors.publish(error);
    this.defer(() => handler?.closed?.(error));
  }

  #sendOne(
    socket: UdpSocket,
    path: Path,
    port: number,
    data: Uint8Array,
    options: PacketOptions,
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
      this.defer(() => socket.fail(error));
      return false;
    }
    if (!output.open(path, IpProtocol.UDP, length, false, options)) return false;
    const header = this.#sending;
    header.sourcePort = socket.local.port;
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
    if (packet.offload !== undefined && packet.offload.checksumStart > 0) return true;
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
