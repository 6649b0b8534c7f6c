import {
  hostError,
  IpAddress,
  readUint16,
  secureRandom,
  writeUint16,
  type NetloomError,
} from '../../core/index.ts';
import { finishChecksum, Icmpv4Type, Icmpv6Type, IpProtocol, sumWords } from '../../wire/index.ts';
import {
  AF_INET,
  AF_INET6,
  Failure,
  FileDescriptor,
  MessageBuffer,
  NativeMemory,
  socketAddress,
  SystemCallError,
  systemErrorCode,
} from '../index.ts';

/** sys/socket.h */
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const MSG_ERRQUEUE = 0x2000;

/** Levels and options of sockets, and the types of the control messages they make come (linux/in.h, linux/in6.h). */
const V4 = { level: 0, hopLimit: 2, receiveHopLimit: 12, errors: 11, hopLimitMessage: 2 };
const V6 = { level: 41, hopLimit: 16, receiveHopLimit: 51, errors: 25, hopLimitMessage: 52 };

/** An echo message before its data (RFC 792; RFC 4443, section 4.1). */
const ICMP_HEADER_LENGTH = 8;
/** `struct sock_extended_err` (linux/errqueue.h); the `sockaddr` of who complained follows. */
const EXTENDED_ERROR_TYPE = 5;
const EXTENDED_ERROR_LENGTH = 16;
const ICMPV4_TIME_EXCEEDED = 11;
const ICMPV6_TIME_EXCEEDED = 3;

/** What an {@link EchoSocket} has heard of its request. */
export interface Echo {
  /** Bytes after the ICMP header. */
  readonly size: number;
  readonly hopLimit: number | undefined;
}

/**
 * A socket for one ICMP echo request and its reply.
 *
 * Linux has a kind of socket for that which needs no privilege (icmp(7), `ping_group_range`); where it is not
 * allowed a raw socket may be. The kernel gives the first kind an identifier of its own and shows it nothing but its replies; the second
 * hears every ICMP message of the target's.
 */
export class EchoSocket implements Disposable {
  readonly descriptor: FileDescriptor;
  readonly #isRaw: boolean;
  readonly #isV4: boolean;
  readonly #options: typeof V4;
  readonly #identifier: number = secureRandom().below(0x10000);
  readonly #sequence: number;
  readonly #message: MessageBuffer;

  /** Opens it. Throws `PING_UNAVAILABLE`, or a SystemCallError. */
  constructor(target: IpAddress, sequence: number, size: number, hopLimit: number) {
    this.#isV4 = target.family === 4;
    this.#options = this.#isV4 ? V4 : V6;
    this.#sequence = sequence & 0xffff;
    // A raw socket shows the IPv4 header, of at most 60 bytes, too.
    this.#message = new MessageBuffer(60 + ICMP_HEADER_LENGTH + size);
    ({ descriptor: this.descriptor, isRaw: this.#isRaw } = openSocket(target));
    try {
      const { level, receiveHopLimit, errors, hopLimit: hopLimitOption } = this.#options;
      this.descriptor.setOption(level, receiveHopLimit, 1);
      this.descriptor.setOption(level, errors, 1);
      this.descriptor.setOption(level, hopLimitOption, hopLimit);
      this.descriptor.connect(socketAddress(target));
    } catch (error) {
      this.descriptor.close();
      throw error;
    }
  }

  /** Sends the request. Throws a SystemCallError. */
  send(size: number): void {
    const length = ICMP_HEADER_LENGTH + size;
    const memory = NativeMemory.allocate(length);
    const { bytes } = memory;
    for (let i = ICMP_HEADER_LENGTH; i < length; i++) bytes[i] = i;
    bytes[0] = this.#isV4 ? Icmpv4Type.ECHO_REQUEST : Icmpv6Type.ECHO_REQUEST;
    writeUint16(bytes, 4, this.#identifier);
    writeUint16(bytes, 6, this.#sequence);
    // The checksum of ICMPv6 is the kernel's to compute (RFC 3542, section 3.1).
    if (this.#isV4) writeUint16(bytes, 2, finishChecksum(sumWords(bytes, 0, length)));
    const result = this.descriptor.write(memory, length);
    if (result < 0) throw new SystemCallError(-result, 'write');
  }

  /** The reply to the request, if it is there. Throws a SystemCallError when what came is an ICMP error instead. */
  receive(): Echo | undefined {
    for (;;) {
      this.#readErrors();
      const count = this.descriptor.receive(this.#message, 0);
      if (count === Failure.WOULD_BLOCK || count === Failure.INTERRUPTED) return undefined;
      if (count < 0) throw new SystemCallError(-count, 'recvmsg');
      const echo = this.#parse(count);
      if (echo !== undefined) return echo;
    }
  }

  close(): void {
    this.descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #parse(end: number): Echo | undefined {
    const { bytes } = this.#message.data;
    const start = this.#isRaw && this.#isV4 ? (bytes[0]! & 0x0f) * 4 : 0;
    const type = this.#isV4 ? Icmpv4Type.ECHO_REPLY : Icmpv6Type.ECHO_REPLY;
    if (end < start + ICMP_HEADER_LENGTH || bytes[start] !== type) return undefined;
    if (!this.#isOurs(start)) return undefined;
    const { level, hopLimitMessage } = this.#options;
    const hopLimit = this.#message.control(level, hopLimitMessage)?.getInt32(0, true);
    return { size: end - start - ICMP_HEADER_LENGTH, hopLimit };
  }

  /** Reads all errors the kernel has noted (IP_RECVERR in ip(7)); throws the one that is about our request. */
  #readErrors(): void {
    for (;;) {
      const count = this.descriptor.receive(this.#message, MSG_ERRQUEUE);
      if (count < 0) return;
      const { level, errors } = this.#options;
      const error = this.#message.control(level, errors);
      // The data is the request as it was quoted, from its ICMP header on.
      if (error === undefined || count < ICMP_HEADER_LENGTH || !this.#isOurs(0)) continue;
      throw new SystemCallError(error.getUint32(0, true), this.#describe(error));
    }
  }

  /** Whether the echo message at `start` of what was received bears the marks of our request. */
  #isOurs(start: number): boolean {
    const { bytes } = this.#message.data;
    if (readUint16(bytes, start + 6) !== this.#sequence) return false;
    return !this.#isRaw || readUint16(bytes, start + 4) === this.#identifier;
  }

  #describe(error: DataView): string {
    const exceeded = this.#isV4 ? ICMPV4_TIME_EXCEEDED : ICMPV6_TIME_EXCEEDED;
    const said =
      error.getUint8(EXTENDED_ERROR_TYPE) === exceeded ? 'hop limit used up' : 'not delivered';
    const who = this.#offender(error);
    return who === undefined ? said : `${said}, says ${who}`;
  }

  #offender(error: DataView): IpAddress | undefined {
    const start = error.byteOffset + EXTENDED_ERROR_LENGTH;
    const length = error.byteLength - EXTENDED_ERROR_LENGTH;
    if (length < (this.#isV4 ? 8 : 24)) return undefined;
    const bytes = new Uint8Array(error.buffer, start, length);
    const family = readUint16(bytes, 0) >>> 8;
    if (family === AF_INET) return IpAddress.readV4(bytes, 4);
    return family === AF_INET6 ? IpAddress.readV6(bytes, 8) : undefined;
  }
}

function openSocket(target: IpAddress): { descriptor: FileDescriptor; isRaw: boolean } {
  const family = target.family === 4 ? AF_INET : AF_INET6;
  const protocol = target.family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
  try {
    return { descriptor: FileDescriptor.socket(family, SOCK_DGRAM, protocol), isRaw: false };
  } catch {
    // Whatever the reason: the raw kind decides.
  }
  try {
    return { descriptor: FileDescriptor.socket(family, SOCK_RAW, protocol), isRaw: true };
  } catch (error) {
    const code = systemErrorCode(error);
    throw code === 'EPERM' || code === 'EACCES' ? notAllowed(error) : error;
  }
}

function notAllowed(cause: unknown): NetloomError {
  return hostError('PING_UNAVAILABLE', 'this process may not open a socket for ICMP', {
    cause,
    remedy:
      'Allow it to all groups with "sysctl -w net.ipv4.ping_group_range=\'0 2147483647\'" (it counts for IPv6 too), or run as root or with CAP_NET_RAW.',
  });
}
