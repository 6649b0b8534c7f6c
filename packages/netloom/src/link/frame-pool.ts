/** The sizes buffers come in: powers of two, and one that holds the largest segment with its headers. */
const SMALLEST_BITS = 7;
const LARGEST_POWER_BITS = 15;
const LARGEST_SIZE = 66_560;
const CLASS_COUNT = LARGEST_POWER_BITS - SMALLEST_BITS + 2;

/** How much a {@link FramePool} keeps when nobody says otherwise: 16 MiB. */
const DEFAULT_BYTES = 16 * 1024 * 1024;

/**
 * Recycles the memory of frames. A frame is borrowed by its receiver, so whoever carries it knows when
 * it is no longer needed; taking the memory again saves the zeroing and the collecting of a fresh array per frame.
 *
 * What the pool keeps is bounded; buffers that are not given back are simply collected.
 */
export class FramePool {
  readonly #free: Uint8Array[][] = Array.from({ length: CLASS_COUNT }, () => []);
  #bytes = 0;
  readonly #limit: number;

  /** @param bytes how much memory lies idle at most */
  constructor(bytes: number = DEFAULT_BYTES) {
    this.#limit = bytes;
  }

  /** Bytes that lie idle. */
  get idleBytes(): number {
    return this.#bytes;
  }

  /** An array of `length` bytes whose content is undefined. */
  take(length: number): Uint8Array {
    if (length > LARGEST_SIZE) return new Uint8Array(length);
    const classIndex = classOf(length);
    const frame = this.#free[classIndex]!.pop();
    if (frame === undefined) {
      return new Uint8Array(new ArrayBuffer(sizeOfClass(classIndex)), 0, length);
    }
    this.#bytes -= frame.buffer.byteLength;
    // Frames of one flow are mostly of one length: then even the view is used again.
    return frame.length === length ? frame : new Uint8Array(frame.buffer, 0, length);
  }

  /** Gives an array back. One that {@link take} did not make, as a view into a larger one, is left to the collector. */
  give(frame: Uint8Array): void {
    const size = frame.buffer.byteLength;
    if (frame.byteOffset !== 0 || frame.length === 0 || size > LARGEST_SIZE) return;
    const classIndex = classOf(size);
    if (sizeOfClass(classIndex) !== size || this.#bytes + size > this.#limit) return;
    this.#bytes += size;
    this.#free[classIndex]!.push(frame);
  }
}

function classOf(length: number): number {
  const bits = 32 - Math.clz32(length - 1);
  return Math.min(Math.max(bits - SMALLEST_BITS, 0), CLASS_COUNT - 1);
}

function sizeOfClass(classIndex: number): number {
  return classIndex === CLASS_COUNT - 1 ? LARGEST_SIZE : 1 << (classIndex + SMALLEST_BITS);
}
