import { NetloomError } from '../core/index.ts';
import { native } from './library.ts';

/** Smaller buffers may lie on the JavaScript heap, where the collector moves them. */
const SMALLEST_BUFFER = 4096;
/** No structure here asks for more than a cache line. */
const ALIGNMENT = 64;

let addressOf: (memory: NativeMemory) => bigint;

/**
 * A region of memory that does not move, for native code to read and write.
 *
 * It holds its buffer, so the memory is there as long as this object is: whoever gives the address away
 * must keep the object until native code is done with it.
 */
export class NativeMemory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #address: bigint;
  #carved = 0;

  static {
    addressOf = (memory) => memory.#address;
  }

  private constructor(buffer: ArrayBuffer, offset: number, length: number, address: bigint) {
    this.bytes = new Uint8Array(buffer, offset, length);
    this.view = new DataView(buffer, offset, length);
    this.#address = address;
  }

  /** A new region of at least `length` bytes, all zero. Throws `NATIVE_UNAVAILABLE`. */
  static allocate(length: number): NativeMemory {
    const buffer = new ArrayBuffer(Math.max(length, SMALLEST_BUFFER));
    return new NativeMemory(buffer, 0, buffer.byteLength, native().addressOf(buffer));
  }

  /** The next part of this region that is not given out yet. Throws `BYTES_OVERFLOW` when it is too small. */
  carve(length: number): NativeMemory {
    const start = this.#carved;
    if (start + length > this.bytes.length) {
      const left = this.bytes.length - start;
      throw new NetloomError('BYTES_OVERFLOW', `${length} bytes do not fit: ${left} are left`);
    }
    this.#carved = Math.ceil((start + length) / ALIGNMENT) * ALIGNMENT;
    const { buffer, byteOffset } = this.bytes;
    return new NativeMemory(buffer, byteOffset + start, length, this.#address + BigInt(start));
  }
}

/** The address of a region. For this folder only: nothing else of the library sees a pointer. */
export function pointerTo(memory: NativeMemory): bigint {
  // A view that was handed out can be transferred to another thread, and the memory is then no longer ours.
  if (memory.bytes.length === 0) {
    throw new NetloomError('NATIVE_MEMORY_DETACHED', 'memory of native code was transferred away', {
      remedy: 'Copy what was borrowed (slice) before handing it to postMessage or structuredClone.',
    });
  }
  return addressOf(memory);
}
