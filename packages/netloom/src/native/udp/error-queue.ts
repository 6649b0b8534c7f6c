import { IpAddress, type SocketAddress } from '../../core/index.ts';
import type { FileDescriptor } from '../file-descriptor.ts';
import { native, type Native } from '../library.ts';
import { NativeMemory } from '../memory.ts';
import { AF_INET, AF_INET6, readSocketAddress } from '../socket-address.ts';
import { IPV6_RECVERR, IP_RECVERR, SOL_IP, SOL_IPV6, visitControls } from './control-messages.ts';
import { MessageArray, addressNumber, messagePointer } from './message-array.ts';

/** sys/socket.h */
const MSG_ERRQUEUE = 0x2000;

/** `struct sock_extended_err` (linux/errqueue.h): the error number, then where the error comes from; the `sockaddr` of who told follows. */
const ORIGIN = 4;
const OFFENDER = 16;
const SO_EE_ORIGIN_LOCAL = 1;

/** More than all the control messages of an error take together. */
const CONTROL_ROOM = 512;
/** Of the datagram that the error is about, which comes with it; nobody looks at it. */
const ROOM = 64;

/** What the network, or this machine, has answered to a datagram. */
export interface QueuedError {
  readonly errno: number;
  /** Where the datagram was to go. */
  readonly remote: SocketAddress;
  /** Who says so; undefined where that is not known. */
  readonly offender: IpAddress | undefined;
  /** It is what sending the datagram has answered already. */
  readonly isLocal: boolean;
}

/**
 * Takes errors off a socket's error queue (IP_RECVERR in ip(7)). That is how a socket that is not connected hears of datagrams that were refused, and of which
 * one each time.
 */
export class ErrorQueueMessage {
  readonly #messages = new MessageArray(1, CONTROL_ROOM);
  readonly #data: NativeMemory = NativeMemory.allocate(ROOM);
  readonly #native: Native = native();
  #level = 0;
  #errno = 0;
  #origin = 0;
  #offender: IpAddress | undefined;

  static #shared: ErrorQueueMessage | undefined;

  private constructor() {
    this.#messages.setData(0, addressNumber(this.#data), ROOM);
  }

  /** The one of this process. */
  static get shared(): ErrorQueueMessage {
    return (ErrorQueueMessage.#shared ??= new ErrorQueueMessage());
  }

  /** The next error of a socket of the family; undefined: there is none. */
  take({ number }: FileDescriptor, family: 4 | 6): QueuedError | undefined {
    const messages = this.#messages;
    messages.prepare(0);
    if (this.#native.call.recvmsg(number, messagePointer(messages, 0), MSG_ERRQUEUE) < 0)
      return undefined;
    // To a socket of IPv6, what befell a datagram of IPv4 is told as of IPv6.
    this.#level = family === 4 ? SOL_IP : SOL_IPV6;
    this.#errno = 0;
    this.#offender = undefined;
    visitControls(messages.controls[0]!.view, messages.controlLength(0), this.#readControl);
    return {
      errno: this.#errno,
      remote: readSocketAddress(messages.names[0]!),
      offender: this.#offender,
      isLocal: this.#origin === SO_EE_ORIGIN_LOCAL,
    };
  }

  readonly #readControl = (
    level: number,
    type: number,
    view: DataView,
    at: number,
    length: number,
  ): void => {
    const isError = type === (level === SOL_IP ? IP_RECVERR : IPV6_RECVERR);
    if (level !== this.#level || !isError || length < OFFENDER + 2) return;
    this.#errno = view.getUint32(at, true);
    this.#origin = view.getUint8(at + ORIGIN);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at + OFFENDER, length - OFFENDER);
    this.#offender = readOffender(bytes);
  };
}

/** The address of a `sockaddr_in` or `sockaddr_in6`. */
function readOffender(bytes: Uint8Array): IpAddress | undefined {
  const family = bytes[0]!;
  if (family === AF_INET && bytes.length >= 8) return IpAddress.readV4(bytes, 4);
  if (family !== AF_INET6 || bytes.length < 24) return undefined;
  const address = IpAddress.readV6(bytes, 8);
  const isMapped = address.word0 === 0 && address.word1 === 0 && address.word2 === 0xffff;
  return isMapped ? IpAddress.v4(address.word3) : address;
}
