import type { MacAddress, NetloomError } from '../../core/index.ts';
import {
  Failure,
  FileDescriptor,
  InterfaceRequest,
  inNetworkNamespace,
  MessageBuffer,
  NativeMemory,
} from '../../native/index.ts';
import { VIRTIO_HEADER_LENGTH, type DeviceFailure, type FrameDevice } from '../descriptor/index.ts';
import { duringOpening, notEthernet, packetFailed, packetGone } from './packet-errors.ts';
import { putTagBack } from './vlan-tag.ts';

/** sys/socket.h */
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_RXQ_OVFL = 40;
/** The kernel is to say how long a frame was, also if it has cut it off. */
const MSG_TRUNC = 0x20;

/** linux/if_packet.h */
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_AUXDATA = 8;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_PROMISC = 1;
/** `struct packet_mreq`: the interface's number, the type; an address, which is not used here. */
const MEMBERSHIP = { length: 16, index: 0, type: 4 };
/** `struct sockaddr_ll`: its family, the protocol (in network order) and the interface's number. */
const ADDRESS = { length: 20, family: 0, protocol: 2, index: 4 };
/** `struct tpacket_auxdata`, as far as it is read here. */
const AUXILIARY = { status: 0, tagControl: 16, tagType: 18 };
const TP_STATUS_VLAN_VALID = 1 << 4;
const TP_STATUS_VLAN_TPID_VALID = 1 << 6;
/** linux/if_ether.h */
const ETH_P_ALL = 3;
const ETH_P_8021Q = 0x8100;

/** What {@link openPacketSocket} takes. */
export interface PacketSocketOptions {
  readonly interface: string;
  readonly namespace: string | undefined;
  readonly promiscuous: boolean;
  /** Bytes of frames that the kernel keeps for us. */
  readonly receiveBytes: number;
}

/** Opens a socket that receives what comes in by an interface, and sends out of it. Throws an error of `packet-errors.ts` or of {@link inNetworkNamespace}. */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  return options.namespace === undefined
    ? open(options)
    : inNetworkNamespace(options.namespace, () => open(options));
}

function open({ interface: name, promiscuous, receiveBytes }: PacketSocketOptions): PacketSocket {
  // With protocol 0 it receives nothing until it is bound: not what comes by other interfaces.
  const descriptor = duringOpening(name, () => FileDescriptor.socket(AF_PACKET, SOCK_RAW, 0));
  try {
    return duringOpening(name, () => {
      const facts = describe(descriptor, name);
      setOptions(descriptor, receiveBytes);
      if (promiscuous) listenToAll(descriptor, facts.index);
      bindTo(descriptor, facts.index);
      return new PacketSocket(descriptor, name, facts);
    });
  } catch (error) {
    descriptor.close();
    throw error;
  }
}

/** What the kernel says of an interface. */
interface InterfaceFacts {
  readonly index: number;
  readonly mtu: number;
  readonly mac: MacAddress;
}

function describe(descriptor: FileDescriptor, name: string): InterfaceFacts {
  const request = new InterfaceRequest(name);
  const index = request.index(descriptor);
  const mtu = request.mtu(descriptor);
  const mac = request.ethernetAddress(descriptor);
  if (mac === undefined) throw notEthernet(name);
  return { index, mtu, mac };
}

function setOptions(descriptor: FileDescriptor, receiveBytes: number): void {
  descriptor.setOption(SOL_PACKET, PACKET_VNET_HDR, 1);
  descriptor.setOption(SOL_PACKET, PACKET_AUXDATA, 1);
  // Our own frames never come back; without this, those the kernel and others send out of the interface would come too.
  descriptor.setOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  descriptor.setOption(SOL_SOCKET, SO_RXQ_OVFL, 1);
  try {
    descriptor.setOption(SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes);
  } catch {
    // Without CAP_NET_ADMIN it is as much as `net.core.rmem_max` allows.
    descriptor.setOption(SOL_SOCKET, SO_RCVBUF, receiveBytes);
  }
}

/** Has the interface take in what is for other stations, for as long as the socket is open. */
function listenToAll(descriptor: FileDescriptor, index: number): void {
  const memory = NativeMemory.allocate(MEMBERSHIP.length).carve(MEMBERSHIP.length);
  memory.view.setInt32(MEMBERSHIP.index, index, true);
  memory.view.setUint16(MEMBERSHIP.type, PACKET_MR_PROMISC, true);
  descriptor.setOptionStructure(SOL_PACKET, PACKET_ADD_MEMBERSHIP, memory);
}

function bindTo(descriptor: FileDescriptor, index: number): void {
  const memory = NativeMemory.allocate(ADDRESS.length).carve(ADDRESS.length);
  memory.view.setUint16(ADDRESS.family, AF_PACKET, true);
  memory.view.setUint16(ADDRESS.protocol, ETH_P_ALL);
  memory.view.setInt32(ADDRESS.index, index, true);
  descriptor.bind(memory);
}

/** A packet socket (packet(7)) that is bound to an interface. */
export class PacketSocket implements FrameDevice {
  readonly name: string;
  readonly mtu: number;
  /** The address of the kernel's own station on this interface. */
  readonly kernelMac: MacAddress;
  readonly descriptor: FileDescriptor;
  readonly headerLength: number = VIRTIO_HEADER_LENGTH;
  readonly #index: number;
  #into: NativeMemory | undefined;
  #message: MessageBuffer | undefined;
  /** The kernel's count of frames it had no room for, and as much of it as has been told; both modulo 2^32. */
  #lost = 0;
  #told = 0;

  constructor(descriptor: FileDescriptor, name: string, { index, mtu, mac }: InterfaceFacts) {
    this.descriptor = descriptor;
    this.name = name;
    this.mtu = mtu;
    this.kernelMac = mac;
    this.#index = index;
  }

  missed(): number {
    const count = (this.#lost - this.#told) >>> 0;
    this.#told = this.#lost;
    return count;
  }

  receive(into: NativeMemory): number {
    const message = this.#messageIn(into);
    const length = this.descriptor.receive(message, MSG_TRUNC);
    if (length < 0) return length;
    const lost = message.control(SOL_SOCKET, SO_RXQ_OVFL);
    if (lost !== undefined) this.#lost = lost.getUint32(0, true);
    const auxiliary = message.control(SOL_PACKET, PACKET_AUXDATA);
    const status = auxiliary?.getUint32(AUXILIARY.status, true) ?? 0;
    if (auxiliary === undefined || (status & TP_STATUS_VLAN_VALID) === 0) return length;
    const isTypeKnown = (status & TP_STATUS_VLAN_TPID_VALID) !== 0;
    const type = isTypeKnown ? auxiliary.getUint16(AUXILIARY.tagType, true) : ETH_P_8021Q;
    const control = auxiliary.getUint16(AUXILIARY.tagControl, true);
    return putTagBack(into.bytes, length, type, control);
  }

  #messageIn(into: NativeMemory): MessageBuffer {
    if (this.#message === undefined || this.#into !== into) {
      this.#into = into;
      this.#message = new MessageBuffer(into);
    }
    return this.#message;
  }

  send(from: NativeMemory, length: number): number {
    const result = this.descriptor.write(from, length);
    // The first call after the interface went down may be told of that, wherever it is now: the second tells how it is.
    return result === Failure.NETWORK_DOWN ? this.descriptor.write(from, length) : result;
  }

  judge(failure: number): DeviceFailure {
    switch (failure) {
      case Failure.INVALID:
      case Failure.MESSAGE_TOO_LONG:
        return 'bad-frame';
      // Also said once to whichever call comes first, when the interface goes down and when it goes away.
      case Failure.NETWORK_DOWN:
      case Failure.NO_DEVICE:
        return InterfaceRequest.isThere(this.descriptor, this.#index) ? 'down' : 'gone';
      default:
        return 'failed';
    }
  }

  goneError(): NetloomError {
    return packetGone(this.name);
  }

  failedError(cause: Error): NetloomError {
    return packetFailed(this.name, cause);
  }

  close(): void {
    this.descriptor.close();
  }
}
