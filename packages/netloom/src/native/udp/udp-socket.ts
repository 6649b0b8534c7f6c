import { readFileSync } from 'node:fs';
import { hostError, toHex, type IpAddress, type SocketAddress } from '../../core/index.ts';
import { argument, argumentLength } from '../call-arguments.ts';
import { FileDescriptor } from '../file-descriptor.ts';
import { native, type Native } from '../library.ts';
import { pointerTo } from '../memory.ts';
import {
  AF_INET,
  AF_INET6,
  SOCKET_ADDRESS_LENGTH,
  readSocketAddress,
  scopeOf,
  writeSocketAddress,
} from '../socket-address.ts';
import { checked } from '../system-call-error.ts';
import {
  IPV6_RECVERR,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IP_PKTINFO,
  IP_RECVERR,
  IP_RECVTOS,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_GRO,
} from './control-messages.ts';
import { ErrorQueueMessage, type QueuedError } from './error-queue.ts';
import { messagePointer } from './message-array.ts';
import type { OutgoingDatagrams } from './outgoing-datagrams.ts';
import type { ReceivedDatagrams } from './received-datagrams.ts';

/** Numbers of Linux: sys/socket.h, linux/in.h, linux/in6.h. */
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPV6_V6ONLY = 26;
const IP_MULTICAST_ALL = 49;
const IPV6_MULTICAST_ALL = 29;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_DROP_MEMBERSHIP = 21;

/** Where the kernel lists IPv6 addresses, each with the number of its interface, both in hexadecimal digits (proc_net(5)). */
const ADDRESSES = '/proc/thread-self/net/if_inet6';

/** How a {@link UdpSocket} is to be. */
export interface UdpSocketOptions {
  /** Others may be bound to its address and port too. */
  readonly reuse: boolean;
  /** Datagrams of one sender may come as one (GRO). */
  readonly joinsSegments: boolean;
}

/** A UDP socket of the operating system, never blocking, with all that the kernel says of a datagram. */
export class UdpSocket implements Disposable {
  readonly descriptor: FileDescriptor;
  readonly family: 4 | 6;
  /** Where it is bound to. */
  readonly local: SocketAddress;
  readonly #native: Native = native();

  private constructor(
    descriptor: FileDescriptor,
    { address, port }: SocketAddress,
    { reuse, joinsSegments }: UdpSocketOptions,
  ) {
    this.descriptor = descriptor;
    this.family = address.family;
    const isAny = address.isUnspecified;
    if (reuse) this.#setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    if (this.family === 6) this.#setUpV6(isAny);
    if (this.family === 4 || isAny) this.#setUpV4(isAny);
    if (joinsSegments) this.#setOption(SOL_UDP, UDP_GRO, 1);
    const length = writeSocketAddress(argument(), { address, port });
    const { call } = this.#native;
    checked(call.bind(descriptor.number, pointerTo(argument()), length), 'bind');
    this.local = this.#askLocal();
  }

  /** A socket bound to the address, that of IPv6's unspecified address for both families. Throws a SystemCallError, or `NETWORK_UNREACHABLE` for a zone that is not. */
  static bind(local: SocketAddress, options: UdpSocketOptions): UdpSocket {
    const family = local.address.family === 4 ? AF_INET : AF_INET6;
    const descriptor = FileDescriptor.socket(family, SOCK_DGRAM, 0);
    try {
      return new UdpSocket(descriptor, local, options);
    } catch (error) {
      descriptor.close();
      throw error;
    }
  }

  /** Whether it is for addresses of this family too. */
  reaches(family: 4 | 6): boolean {
    return family === this.family || (this.family === 6 && this.local.address.isUnspecified);
  }

  /** Receives what is there and fits. Answers how many, or a Failure or another negated error number. Fewer than fit: there were no more. */
  receive(into: ReceivedDatagrams): number {
    const { call, errno } = this.#native;
    into.prepare();
    const { messages, capacity } = into;
    const count = call.recvmmsg(
      this.descriptor.number,
      messagePointer(messages, 0),
      capacity,
      0,
      0n,
    );
    if (count < 0) return -errno[0]!;
    into.setUsed(count);
    return count;
  }

  /** Sends from message `first` on. Answers how many went, or, if the first did not, why: as {@link receive}. */
  send({ messages, count }: OutgoingDatagrams, first: number): number {
    const { call, errno } = this.#native;
    const { number } = this.descriptor;
    if (count - first === 1) {
      return call.sendmsg(number, messagePointer(messages, first), 0) < 0 ? -errno[0]! : 1;
    }
    const sent = call.sendmmsg(number, messagePointer(messages, first), count - first, 0);
    return sent < 0 ? -errno[0]! : sent;
  }

  /** What has become of a datagram that was sent, taken off the kernel's queue; undefined: the queue is empty. */
  takeError(): QueuedError | undefined {
    return ErrorQueueMessage.shared.take(this.descriptor, this.family);
  }

  /** Joins a group, or leaves it, on the interface with the address `via`. Throws a SystemCallError, or `NETWORK_UNREACHABLE` for a zone that is not. */
  changeMembership(join: boolean, group: IpAddress, via: IpAddress | undefined): void {
    const { bytes, view } = argument();
    bytes.fill(0);
    group.copyTo(bytes, 0);
    if (group.family === 4) {
      // `struct ip_mreq`
      if (via?.family === 4) via.copyTo(bytes, 4);
      this.#change(SOL_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, 8);
    } else {
      // `struct ipv6_mreq`
      view.setInt32(16, interfaceOf(group, via), true);
      this.#change(SOL_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, 20);
    }
  }

  /** Idempotent. */
  close(): void {
    this.descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #setUpV6(isAny: boolean): void {
    this.#setOption(SOL_IPV6, IPV6_V6ONLY, isAny ? 0 : 1);
    this.#setOption(SOL_IPV6, IPV6_RECVERR, 1);
    this.#setOption(SOL_IPV6, IPV6_RECVTCLASS, 1);
    // Only the groups that this socket has joined: by default it would hear those of all others.
    this.#setOption(SOL_IPV6, IPV6_MULTICAST_ALL, 0);
    if (isAny) this.#setOption(SOL_IPV6, IPV6_RECVPKTINFO, 1);
  }

  #setUpV4(isAny: boolean): void {
    this.#setOption(SOL_IP, IP_RECVERR, 1);
    this.#setOption(SOL_IP, IP_RECVTOS, 1);
    this.#setOption(SOL_IP, IP_MULTICAST_ALL, 0);
    if (isAny) this.#setOption(SOL_IP, IP_PKTINFO, 1);
  }

  #askLocal(): SocketAddress {
    argumentLength().view.setInt32(0, SOCKET_ADDRESS_LENGTH, true);
    const { call } = this.#native;
    const [address, length] = [pointerTo(argument()), pointerTo(argumentLength())];
    checked(call.getsockname(this.descriptor.number, address, length), 'getsockname');
    return readSocketAddress(argument());
  }

  /** Kernels that do not know an option refuse it; a socket works without each of them. */
  #setOption(level: number, option: number, value: number): void {
    argument().view.setInt32(0, value, true);
    const { number } = this.descriptor;
    this.#native.call.setsockopt(number, level, option, pointerTo(argument()), 4);
  }

  #change(level: number, option: number, length: number): void {
    const { number } = this.descriptor;
    const { call } = this.#native;
    const result = call.setsockopt(number, level, option, pointerTo(argument()), length);
    checked(result, 'setsockopt');
  }
}

/**
 * The number of the interface that a group of IPv6 is joined on; 0: the kernel chooses. Throws `NETWORK_UNREACHABLE` for a zone that is not, and
 * `ADDRESS_NOT_AVAILABLE`.
 */
function interfaceOf(group: IpAddress, via: IpAddress | undefined): number {
  const zoned = [via, group].find((address) => address !== undefined && address.zone !== '');
  if (zoned !== undefined) return scopeOf(zoned);
  if (via === undefined || via.isUnspecified) return 0;
  // Not `networkInterfaces` of the platform: that leaves out interfaces which are up, but not running yet.
  const wanted = toHex(via.toBytes());
  for (const line of readFileSync(ADDRESSES, 'latin1').split('\n')) {
    const [address, index] = line.split(' ');
    if (address === wanted) return Number.parseInt(index!, 16);
  }
  throw hostError('ADDRESS_NOT_AVAILABLE', `no interface has the address ${via}`);
}
