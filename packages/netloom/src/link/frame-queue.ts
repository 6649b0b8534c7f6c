import type { FrameOffload } from './link.ts';

/** A frame in a {@link FrameQueue}, with what is left to do on it. */
interface Slot {
  frame: Uint8Array | undefined;
  readonly offload: Required<FrameOffload>;
}

/**
 * A first-in first-out queue of frames with their {@link FrameOffload}, bounded in frames and bytes. It grows to what is used, up to its
 * bound, and then allocates nothing.
 */
export class FrameQueue {
  readonly #maximumFrames: number;
  readonly #maximumBytes: number;
  #slots: Slot[] = [];
  #head = 0;
  #length = 0;
  #bytes = 0;
  readonly #shifted: Required<FrameOffload> = nothingLeft();
  #shiftedHasOffload = false;

  constructor(maximumFrames: number, maximumBytes: number) {
    this.#maximumFrames = maximumFrames;
    this.#maximumBytes = maximumBytes;
  }

  /** Frames in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Bytes in the queue. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is left to do on the frame that {@link shift} gave last; valid until the next one. */
  get offload(): FrameOffload | undefined {
    return this.#shiftedHasOffload ? this.#shifted : undefined;
  }

  /** Puts the frame at the end; false if the queue is full. */
  push(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.#length >= this.#maximumFrames || this.#bytes + frame.length > this.#maximumBytes) {
      return false;
    }
    if (this.#length === this.#slots.length) this.#grow();
    const slot = this.#slots[(this.#head + this.#length) % this.#slots.length]!;
    slot.frame = frame;
    slot.offload.checksumStart = offload?.checksumStart ?? 0;
    slot.offload.checksumOffset = offload?.checksumOffset ?? 0;
    slot.offload.segmentSize = offload?.segmentSize ?? 0;
    slot.offload.checksumVerified = offload?.checksumVerified ?? false;
    this.#length++;
    this.#bytes += frame.length;
    return true;
  }

  /** Takes the first frame out; the caller has checked that there is one. Its {@link offload} is to be read next. */
  shift(): Uint8Array {
    const slot = this.#slots[this.#head]!;
    const frame = slot.frame!;
    slot.frame = undefined;
    const { checksumStart, checksumOffset, segmentSize, checksumVerified } = slot.offload;
    this.#shifted.checksumStart = checksumStart;
    this.#shifted.checksumOffset = checksumOffset;
    this.#shifted.segmentSize = segmentSize;
    this.#shifted.checksumVerified = checksumVerified;
    this.#shiftedHasOffload = checksumStart > 0 || segmentSize > 0 || checksumVerified;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#length--;
    this.#bytes -= frame.length;
    return frame;
  }

  /** Doubles the ring, the frames moved to its beginning. */
  #grow(): void {
    const old = this.#slots;
    const size = Math.min(Math.max(16, 2 * old.length), Math.max(1, this.#maximumFrames));
    this.#slots = Array.from({ length: size }, (_, i) =>
      i < old.length
        ? old[(this.#head + i) % old.length]!
        : { frame: undefined, offload: nothingLeft() },
    );
    this.#head = 0;
  }
}

function nothingLeft(): Required<FrameOffload> {
  return { checksumStart: 0, checksumOffset: 0, segmentSize: 0, checksumVerified: false };
}
