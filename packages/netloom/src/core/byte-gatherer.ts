import { EMPTY } from './bytes.ts';

/**
 * Makes whole records out of chunks cut anywhere. A record that lies in one chunk is seen there, without a copy; one
 * that does not is gathered. What is held is at most what was last asked for, so the asker's limit bounds it.
 */
export class ByteGatherer {
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  #chunk: Uint8Array = EMPTY;
  #at = 0;

  /** Whether bytes are left that {@link consume} has not taken. */
  get isEmpty(): boolean {
    return this.#heldLength === 0 && this.#at === this.#chunk.length;
  }

  /** Goes on with the next chunk: borrowed until {@link peek} has answered that there is not enough. */
  feed(chunk: Uint8Array): void {
    // A plain view of it: parts of Node's Buffer would be Buffers, whose slice() does not copy, as readers rely on.
    this.#chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#at = 0;
  }

  /** The next `length` bytes, which stay; undefined if they are not there yet: then the chunk has been taken in whole. */
  peek(length: number): Uint8Array | undefined {
    const available = this.#chunk.length - this.#at;
    if (this.#heldLength === 0 && available >= length) {
      return this.#chunk.subarray(this.#at, this.#at + length);
    }
    const missing = Math.min(length - this.#heldLength, available);
    if (missing > 0) this.#hold(missing);
    return this.#heldLength >= length ? this.#held.subarray(0, length) : undefined;
  }

  /** Takes the first `length` bytes of those just seen. */
  consume(length: number): void {
    if (this.#heldLength === 0) {
      this.#at += length;
      return;
    }
    this.#held.copyWithin(0, length, this.#heldLength);
    this.#heldLength -= length;
  }

  /** What is left of the chunk, taken. The caller knows that nothing is held. */
  rest(): Uint8Array {
    const rest = this.#chunk.subarray(this.#at);
    this.#at = this.#chunk.length;
    return rest;
  }

  #hold(length: number): void {
    const needed = this.#heldLength + length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#held.length, 256));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(this.#chunk.subarray(this.#at, this.#at + length), this.#heldLength);
    this.#heldLength = needed;
    this.#at += length;
  }
}
