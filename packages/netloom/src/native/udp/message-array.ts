import { NativeMemory, pointerTo } from '../memory.ts';
import { SOCKET_ADDRESS_LENGTH } from '../socket-address.ts';

/**
 * `struct mmsghdr` of 64-bit Linux (sys/socket.h): a `struct msghdr`, which is pointer and length of the name (a `sockaddr`), of the vectors and of the control
 * messages, then flags; after it the number of bytes received.
 */
const HEADER_LENGTH = 64;
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const RECEIVED = 56;
/** `struct iovec` (sys/uio.h): pointer and length. */
const VECTOR_LENGTH = 16;
const VECTOR_DATA_LENGTH = 8;

let pointerOf: (messages: MessageArray, i: number) => bigint;

/**
 * Messages for `sendmmsg` and `recvmmsg`, or one of them for `sendmsg` and `recvmsg`: each has room for an address and for control messages; where its data is,
 * the owner says.
 */
export class MessageArray {
  readonly count: number;
  /** The `sockaddr` of each. */
  readonly names: readonly NativeMemory[];
  /** The control messages of each. */
  readonly controls: readonly NativeMemory[];
  readonly #controlRoom: number;
  readonly #headers: NativeMemory;
  readonly #vectors: NativeMemory;
  readonly #pointers: readonly bigint[];

  static {
    pointerOf = (messages, i) => messages.#pointers[i]!;
  }

  constructor(count: number, controlRoom: number) {
    this.count = count;
    this.#controlRoom = controlRoom;
    // 64: to what the parts are aligned.
    const each = HEADER_LENGTH + VECTOR_LENGTH + 64 + controlRoom + 64;
    const memory = NativeMemory.allocate(count * each + 64);
    this.#headers = memory.carve(count * HEADER_LENGTH);
    this.#vectors = memory.carve(count * VECTOR_LENGTH);
    const numbers = Array.from({ length: count }, (_, i) => i);
    this.names = numbers.map(() => memory.carve(SOCKET_ADDRESS_LENGTH));
    this.controls = numbers.map(() => memory.carve(controlRoom));
    const headers = pointerTo(this.#headers);
    this.#pointers = numbers.map((i) => headers + BigInt(i * HEADER_LENGTH));
    for (const i of numbers) this.#join(i);
  }

  /** Where the data of a message is, or is to be: an address as {@link addressNumber} has it; and how much. */
  setData(i: number, address: number, length: number): void {
    const at = i * VECTOR_LENGTH;
    const { view } = this.#vectors;
    view.setUint32(at, address % 0x1_0000_0000, true);
    view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
    view.setUint32(at + VECTOR_DATA_LENGTH, length, true);
  }

  /** How long the address and the control messages of a message to be sent are. */
  setLengths(i: number, name: number, control: number): void {
    const at = i * HEADER_LENGTH;
    const { view } = this.#headers;
    view.setUint32(at + NAME_LENGTH, name, true);
    view.setUint32(at + CONTROL_LENGTH, control, true);
    view.setUint32(at + FLAGS, 0, true);
  }

  /** Makes all room of a message free, for one to be received. */
  prepare(i: number): void {
    this.setLengths(i, SOCKET_ADDRESS_LENGTH, this.#controlRoom);
  }

  /** How much data came with a message that `recvmmsg` has received. */
  received(i: number): number {
    return this.#headers.view.getUint32(i * HEADER_LENGTH + RECEIVED, true);
  }

  /** Bytes of control messages that came with a message. */
  controlLength(i: number): number {
    return this.#headers.view.getUint32(i * HEADER_LENGTH + CONTROL_LENGTH, true);
  }

  /** Writes what stays as it is: where the parts are. */
  #join(i: number): void {
    const at = i * HEADER_LENGTH;
    const { view } = this.#headers;
    view.setBigUint64(at + NAME, pointerTo(this.names[i]!), true);
    view.setBigUint64(at + VECTOR, pointerTo(this.#vectors) + BigInt(i * VECTOR_LENGTH), true);
    view.setBigUint64(at + VECTOR_COUNT, 1n, true);
    view.setBigUint64(at + CONTROL, pointerTo(this.controls[i]!), true);
    this.prepare(i);
  }
}

/** The address of a `struct mmsghdr`, which begins with a `struct msghdr`. As with `pointerTo`, nobody outside of this folder sees it. */
export function messagePointer(messages: MessageArray, i: number): bigint {
  return pointerOf(messages, i);
}

/** The address of a region as a number, to be counted with: a BigInt would be made for each message. (Those of Linux's user space are below 2^53.) */
export function addressNumber(memory: NativeMemory): number {
  return Number(pointerTo(memory));
}
