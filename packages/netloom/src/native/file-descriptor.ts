import { closeSync, constants, openSync } from 'node:fs';
import { native, type Native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import type { MessageBuffer } from './message-buffer.ts';
import { checked } from './system-call-error.ts';

/** Error numbers of Linux (asm-generic/errno.h) as {@link FileDescriptor.read} and {@link FileDescriptor.write} give them: negated. */
export const Failure = {
  INTERRUPTED: -4,
  /** Of a TAP: the interface is down. */
  IO: -5,
  /** Of a packet socket: it is bound to no interface any more. */
  NO_DEVICE: -6,
  WOULD_BLOCK: -11,
  NO_MEMORY: -12,
  /** Of a packet socket: a virtio header cannot say what the frame is, or says what it is not. */
  INVALID: -22,
  /** EBADFD; of a TAP: the interface is gone. */
  BAD_STATE: -77,
  MESSAGE_TOO_LONG: -90,
  NOT_SUPPORTED: -95,
  /** Of a packet socket: the interface has gone down. */
  NETWORK_DOWN: -100,
  /** Of a listening socket: who wanted to connect has given up. */
  CONNECTION_ABORTED: -103,
  CONNECTION_RESET: -104,
  NO_BUFFERS: -105,
} as const;

/** `sys/socket.h` of Linux: not blocking, and closed in child processes. */
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** `time.h`; the flags of a timer have the same values as those of a socket (`sys/timerfd.h`). */
const CLOCK_MONOTONIC = 1;

/** An open file, device or socket of the operating system, never blocking. Closed by {@link close} only. */
export class FileDescriptor implements Disposable {
  readonly #native: Native = native();
  #number: number;

  private constructor(number: number) {
    this.#number = number;
  }

  /** Opens a file for reading and writing. Throws the error of `node:fs`. */
  static open(path: string): FileDescriptor {
    // Asked first: with no native calls to make, nothing is to be opened.
    native();
    return new FileDescriptor(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  }

  /** A new socket; the numbers are those of `sys/socket.h`. */
  static socket(family: number, type: number, protocol: number): FileDescriptor {
    const flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
    return new FileDescriptor(checked(native().call.socket(family, flags, protocol), 'socket'));
  }

  /** A new timer of the monotonic clock (timerfd_create(2)). */
  static timer(): FileDescriptor {
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    return new FileDescriptor(
      checked(native().call.timerfd_create(CLOCK_MONOTONIC, flags), 'timerfd_create'),
    );
  }

  /** A new set of descriptors to be told of (epoll_create1(2)). */
  static epoll(): FileDescriptor {
    return new FileDescriptor(checked(native().call.epoll_create1(SOCK_CLOEXEC), 'epoll_create1'));
  }

  /** Takes over one that is open already: by inheritance, or because it came with a message. */
  static adopt(number: number): FileDescriptor {
    return new FileDescriptor(number);
  }

  /** The descriptor's number; -1 once it is closed. */
  get number(): number {
    return this.#number;
  }

  /** Reads as much as fits in the region. Answers the number of bytes, or a {@link Failure} or another negated error number. */
  read(into: NativeMemory): number {
    const { call, errno } = this.#native;
    const count = call.read(this.#number, pointerTo(into), BigInt(into.bytes.length));
    return count < 0 ? -errno[0]! : count;
  }

  /** Writes the first `length` bytes of the region. Answers as {@link read}. */
  write(from: NativeMemory, length: number): number {
    const { call, errno } = this.#native;
    const checkedLength = Math.min(length, from.bytes.length);
    const count = call.write(this.#number, pointerTo(from), BigInt(checkedLength));
    return count < 0 ? -errno[0]! : count;
  }

  /** Asks the device, the argument being a structure that it reads or writes. Throws a SystemCallError. */
  ioctl(request: number, argument: NativeMemory): void {
    checked(
      this.#native.call.ioctl(this.#number, BigInt(request), pointerTo(argument)),
      `ioctl ${request.toString(16)}`,
    );
  }

  /** Asks the device, the argument being a number. Throws a SystemCallError. */
  ioctlNumber(request: number, argument: number): void {
    checked(
      this.#native.call.ioctl(this.#number, BigInt(request), BigInt(argument)),
      `ioctl ${request.toString(16)}`,
    );
  }

  /** Binds a socket to what the region holds a `sockaddr` of. Throws a SystemCallError. */
  bind(address: NativeMemory): void {
    const { call } = this.#native;
    checked(call.bind(this.#number, pointerTo(address), address.bytes.length), 'bind');
  }

  /** Connects a socket to what the region holds a `sockaddr` of. Throws a SystemCallError. */
  connect(address: NativeMemory): void {
    const { call } = this.#native;
    checked(call.connect(this.#number, pointerTo(address), address.bytes.length), 'connect');
  }

  /** Sets an option of a socket that is an `int`. Throws a SystemCallError. */
  setOption(level: number, option: number, value: number): void {
    const memory = NativeMemory.allocate(4).carve(4);
    memory.view.setInt32(0, value, true);
    this.setOptionStructure(level, option, memory);
  }

  /** Sets an option of a socket that is a structure. Throws a SystemCallError. */
  setOptionStructure(level: number, option: number, value: NativeMemory): void {
    const { call } = this.#native;
    const { length } = value.bytes;
    checked(call.setsockopt(this.#number, level, option, pointerTo(value), length), 'setsockopt');
  }

  /** Receives a message with what the kernel says about it. Answers as {@link read}. */
  receive(message: MessageBuffer, flags: number): number {
    const { call, errno } = this.#native;
    message.prepare();
    const count = call.recvmsg(this.#number, pointerTo(message.header), flags);
    return count < 0 ? -errno[0]! : count;
  }

  /** Sends a message: all of it or none. Answers as {@link read}. */
  send(message: MessageBuffer, length: number, flags: number): number {
    const { call, errno } = this.#native;
    message.prepareToSend(length);
    const count = call.sendmsg(this.#number, pointerTo(message.header), flags);
    return count < 0 ? -errno[0]! : count;
  }

  /** Idempotent. Whatever watches it is to be closed before. */
  close(): void {
    if (this.#number < 0) return;
    const number = this.#number;
    // Forgotten first: the number will be another file's.
    this.#number = -1;
    closeSync(number);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
