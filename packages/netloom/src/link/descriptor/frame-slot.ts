import { NativeMemory } from '../../native/index.ts';

/** Holds the largest segment with two VLAN tags and a virtio header, and room to see that something was longer. */
export const SLOT_LENGTH: number = 68 * 1024;

/** Memory for one frame, behind its virtio header. */
export class FrameSlot {
  readonly #headerLength: number;
  #memory: NativeMemory = NativeMemory.allocate(SLOT_LENGTH);
  #frame: Uint8Array = this.#memory.bytes;

  constructor(headerLength: number) {
    this.#headerLength = headerLength;
  }

  /** The slot. A handler that transfers a frame it has borrowed to another thread takes the memory along: then there is new. */
  get memory(): NativeMemory {
    if (this.#memory.bytes.length === 0) this.#memory = NativeMemory.allocate(SLOT_LENGTH);
    return this.#memory;
  }

  /** A view of a frame of this length. Frames of one flow are mostly of one length: then even the view is used again. */
  frame(length: number): Uint8Array {
    if (this.#frame.length !== length) {
      this.#frame = this.memory.bytes.subarray(this.#headerLength, this.#headerLength + length);
    }
    return this.#frame;
  }

  /** Sees that the frame is in this slot: one that was not allocated here is copied in. */
  hold(frame: Uint8Array): void {
    const { bytes } = this.memory;
    const start = bytes.byteOffset + this.#headerLength;
    if (frame.buffer !== bytes.buffer || frame.byteOffset !== start) {
      bytes.set(frame, this.#headerLength);
    }
  }
}
