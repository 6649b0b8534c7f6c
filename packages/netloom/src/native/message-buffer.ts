import { NativeMemory, pointerTo } from './memory.ts';

/** Layouts of 64-bit Linux: `struct msghdr` and `struct iovec` (sys/socket.h, sys/uio.h). */
const HEADER_LENGTH = 56;
const VECTOR = 16;
const VECTOR_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const VECTOR_LENGTH = 16;
/** Where a vector has the length of what it points to. */
const VECTOR_DATA_LENGTH = 8;
/** `struct cmsghdr`: length with this header, level, type; the data follows, and the next begins at a multiple of 8. */
const CONTROL_HEADER_LENGTH = 16;
const CONTROL_ALIGNMENT = 8;
/** More than any of the control messages asked for here take together. */
const CONTROL_CAPACITY = 512;

/** Room for one message, received or to be sent: its data, and its control messages. */
export class MessageBuffer {
  /** The `struct msghdr`. */
  readonly header: NativeMemory;
  readonly data: NativeMemory;
  readonly #control: NativeMemory;
  readonly #vector: NativeMemory;

  /** @param room the bytes of data that fit, or the memory that they are to be in */
  constructor(room: number | NativeMemory) {
    const length = typeof room === 'number' ? room : 0;
    const memory = NativeMemory.allocate(length + CONTROL_CAPACITY + 4 * 64);
    this.header = memory.carve(HEADER_LENGTH);
    this.#vector = memory.carve(VECTOR_LENGTH);
    this.#control = memory.carve(CONTROL_CAPACITY);
    this.data = typeof room === 'number' ? memory.carve(length) : room;
    this.#vector.view.setBigUint64(0, pointerTo(this.data), true);
    this.header.view.setBigUint64(VECTOR, pointerTo(this.#vector), true);
    this.header.view.setBigUint64(VECTOR_COUNT, 1n, true);
    this.header.view.setBigUint64(CONTROL, pointerTo(this.#control), true);
  }

  /** Makes all room free again, for a message to be received. */
  prepare(): void {
    this.#setDataLength(this.data.bytes.length);
    this.header.view.setBigUint64(CONTROL_LENGTH, BigInt(CONTROL_CAPACITY), true);
    this.header.view.setInt32(FLAGS, 0, true);
  }

  /** Makes a message of the first `length` bytes of data and of the control message that was {@link setControl set}, if any. */
  prepareToSend(length: number): void {
    this.#setDataLength(length);
    this.header.view.setInt32(FLAGS, 0, true);
  }

  /** Sets the one control message that goes with the next message sent: an `int`, as SCM_RIGHTS has them; undefined: none goes. */
  setControl(content: { level: number; type: number; value: number } | undefined): void {
    const length = content === undefined ? 0 : CONTROL_HEADER_LENGTH + 4;
    // CMSG_SPACE: the length in the `msghdr` counts the padding.
    const space = Math.ceil(length / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT;
    this.header.view.setBigUint64(CONTROL_LENGTH, BigInt(space), true);
    if (content === undefined) return;
    const { view } = this.#control;
    view.setBigUint64(0, BigInt(length), true);
    view.setInt32(8, content.level, true);
    view.setInt32(12, content.type, true);
    view.setInt32(CONTROL_HEADER_LENGTH, content.value, true);
  }

  /** The data of the first control message of this level and type that came with the message; undefined if there was none. */
  control(level: number, type: number): DataView | undefined {
    const { view } = this.#control;
    const end = Number(this.header.view.getBigUint64(CONTROL_LENGTH, true));
    for (let at = 0; at + CONTROL_HEADER_LENGTH <= end;) {
      const length = Number(view.getBigUint64(at, true));
      if (length < CONTROL_HEADER_LENGTH || at + length > end) return undefined;
      if (view.getInt32(at + 8, true) === level && view.getInt32(at + 12, true) === type) {
        const start = view.byteOffset + at + CONTROL_HEADER_LENGTH;
        return new DataView(view.buffer, start, length - CONTROL_HEADER_LENGTH);
      }
      at += Math.ceil(length / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT;
    }
    return undefined;
  }

  #setDataLength(length: number): void {
    this.#vector.view.setBigUint64(VECTOR_DATA_LENGTH, BigInt(length), true);
  }
}
