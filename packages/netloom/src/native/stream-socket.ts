import type { SocketAddress } from '../core/index.ts';
import { argument, argumentLength } from './call-arguments.ts';
import { FileDescriptor } from './file-descriptor.ts';
import { native, type Native } from './library.ts';
import { pointerTo } from './memory.ts';
import {
  AF_INET,
  AF_INET6,
  SOCKET_ADDRESS_LENGTH,
  readSocketAddress,
  writeSocketAddress,
} from './socket-address.ts';
import { SystemCallError, checked } from './system-call-error.ts';

/** Numbers of Linux: sys/socket.h, netinet/in.h, netinet/tcp.h. */
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SHUT_WR = 1;
const MSG_NOSIGNAL = 0x4000;
const EINPROGRESS = 115;

/** Seconds between the probes of an idle connection, as the platform's sockets have it. */
const KEEP_ALIVE_INTERVAL = 1;

/** A TCP socket of the operating system, never blocking. */
export class StreamSocket implements Disposable {
  readonly descriptor: FileDescriptor;
  readonly #native: Native = native();
  readonly #family: 4 | 6;

  private constructor(descriptor: FileDescriptor, family: 4 | 6) {
    this.descriptor = descriptor;
    this.#family = family;
  }

  /** A new socket of the family. Throws a SystemCallError. */
  static open(family: 4 | 6): StreamSocket {
    const number = family === 4 ? AF_INET : AF_INET6;
    return new StreamSocket(FileDescriptor.socket(number, SOCK_STREAM, 0), family);
  }

  /** Binds it. Throws a SystemCallError, or `NETWORK_UNREACHABLE` for a zone that is not. */
  bind(local: SocketAddress): void {
    const length = this.#writeAddress(local);
    const { call } = this.#native;
    checked(call.bind(this.descriptor.number, pointerTo(argument()), length), 'bind');
  }

  /** Begins to connect it, or asks what has become of that: true, once it is connected. Throws a SystemCallError. */
  connect(remote: SocketAddress): boolean {
    const length = this.#writeAddress(remote);
    const { call, errno } = this.#native;
    const result = call.connect(this.descriptor.number, pointerTo(argument()), length);
    if (result === 0) return true;
    if (errno[0] === EINPROGRESS) return false;
    throw new SystemCallError(errno[0]!, 'connect');
  }

  /** Begins to listen, at its port also when connections of an earlier listener linger there. Of IPv6: to both families. Throws a SystemCallError. */
  listen(local: SocketAddress, backlog: number): void {
    this.#setOption(SOL_SOCKET, SO_REUSEADDR, 1);
    const isBoth = this.#family === 6 && local.address.isUnspecified;
    if (this.#family === 6) this.#setOption(IPPROTO_IPV6, IPV6_V6ONLY, isBoth ? 0 : 1);
    // What it accepts inherits that.
    this.setNoDelay(true);
    this.bind(local);
    checked(this.#native.call.listen(this.descriptor.number, backlog), 'listen');
  }

  /** The next connection and whom it is from, or a {@link Failure}: `WOULD_BLOCK` if there is none. */
  accept(): { socket: StreamSocket; remote: SocketAddress } | number {
    const { call, errno } = this.#native;
    argumentLength().view.setInt32(0, SOCKET_ADDRESS_LENGTH, true);
    const number = call.accept4(
      this.descriptor.number,
      pointerTo(argument()),
      pointerTo(argumentLength()),
      SOCK_NONBLOCK | SOCK_CLOEXEC,
    );
    if (number < 0) return -errno[0]!;
    const socket = new StreamSocket(FileDescriptor.adopt(number), this.#family);
    return { socket, remote: readSocketAddress(argument()) };
  }

  /** Where it is bound to. Throws a SystemCallError. */
  get local(): SocketAddress {
    argumentLength().view.setInt32(0, SOCKET_ADDRESS_LENGTH, true);
    const { call } = this.#native;
    const [address, length] = [pointerTo(argument()), pointerTo(argumentLength())];
    checked(call.getsockname(this.descriptor.number, address, length), 'getsockname');
    return readSocketAddress(argument());
  }

  /** Why it has failed, a positive error number, which the kernel then forgets; 0: it has not. */
  takeError(): number {
    const { call } = this.#native;
    argumentLength().view.setInt32(0, 4, true);
    const [value, length] = [pointerTo(argument()), pointerTo(argumentLength())];
    const { number } = this.descriptor;
    checked(call.getsockopt(number, SOL_SOCKET, SO_ERROR, value, length), 'getsockopt');
    return argument().view.getInt32(0, true);
  }

  /** Receives as much as is there and fits. Answers the number of bytes, 0 at the end, or a {@link Failure} or another negated error number. */
  receive(into: Uint8Array): number {
    const { call, errno } = this.#native;
    const count = call.recv(this.descriptor.number, into, BigInt(into.length), 0);
    return count < 0 ? -errno[0]! : count;
  }

  /** Sends as much as the kernel takes. Answers as {@link receive}. The bytes must not lie on the JavaScript heap: have more than 64, or be part of more. */
  send(from: Uint8Array): number {
    const { call, errno } = this.#native;
    const { number } = this.descriptor;
    const count = call.send(number, from, BigInt(from.length), MSG_NOSIGNAL);
    return count < 0 ? -errno[0]! : count;
  }

  /** Sends the end after all that was sent. A connection that has gone meanwhile is told of by what is done next. */
  sendEnd(): void {
    this.#native.call.shutdown(this.descriptor.number, SHUT_WR);
  }

  /** Whether small segments are sent without waiting for acknowledgments. */
  setNoDelay(on: boolean): void {
    this.#setOption(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  /** Probes an idle connection after so many seconds; undefined: not at all. */
  setKeepAlive(seconds: number | undefined): void {
    this.#setOption(SOL_SOCKET, SO_KEEPALIVE, seconds === undefined ? 0 : 1);
    if (seconds === undefined) return;
    this.#setOption(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    this.#setOption(IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL);
  }

  /** Closes it; idempotent. What was sent goes out still. */
  close(): void {
    this.descriptor.close();
  }

  /** Closes it and resets the connection: nothing that was not sent is. */
  reset(): void {
    const { view } = argument();
    // `struct linger`: on, and no time.
    view.setInt32(0, 1, true);
    view.setInt32(4, 0, true);
    const { call } = this.#native;
    call.setsockopt(this.descriptor.number, SOL_SOCKET, SO_LINGER, pointerTo(argument()), 8);
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #writeAddress(address: SocketAddress): number {
    return writeSocketAddress(argument(), address, this.#family === 6);
  }

  /** A socket whose peer has gone refuses some options; it matters no more then. */
  #setOption(level: number, option: number, value: number): void {
    argument().view.setInt32(0, value, true);
    const { number } = this.descriptor;
    this.#native.call.setsockopt(number, level, option, pointerTo(argument()), 4);
  }
}
