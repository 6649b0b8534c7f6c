import { chunkPool } from '../../core/index.ts';

/**
 * Bytes the user has written and the peer has not acknowledged. Chunks are kept as they were given (a writer gives them away),
 * so the only copy is the one into the frame.
 */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that still counts; the array is compacted when many before it do not. */
  #head = 0;
  /** Bytes of the first chunk that have been acknowledged. */
  #acknowledged = 0;
  /** Bytes in the queue. */
  length = 0;
  /** Where the last copy ended, since the next one nearly always begins there. */
  #cursorChunk = 0;
  #cursorOffset = 0;

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** Forgets the first `count` bytes: they have been acknowledged. */
  release(count: number): void {
    this.length -= count;
    this.#cursorOffset -= count;
    let left = count + this.#acknowledged;
    while (this.#head < this.#chunks.length && left >= this.#chunks[this.#head]!.length) {
      const chunk = this.#chunks[this.#head]!;
      left -= chunk.length;
      chunkPool.release(chunk);
      this.#chunks[this.#head++] = RELEASED;
    }
    this.#acknowledged = left;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
      this.#rewind();
    } else if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#cursorChunk -= this.#head;
      this.#head = 0;
    }
    if (this.#cursorChunk < this.#head || this.#cursorOffset < 0) this.#rewind();
  }

  /** Copies `length` bytes, `offset` bytes after the first unacknowledged one, into `target` at `at`. They must be there. */
  copy(offset: number, length: number, target: Uint8Array, at: number): void {
    this.#seek(offset);
    let left = length;
    let to = at;
    let from = offset - this.#cursorOffset;
    while (left > 0) {
      const chunk = this.#chunks[this.#cursorChunk]!;
      const count = Math.min(left, chunk.length - from);
      target.set(
        from === 0 && count === chunk.length ? chunk : chunk.subarray(from, from + count),
        to,
      );
      to += count;
      left -= count;
      from += count;
      if (from === chunk.length) {
        this.#cursorOffset += chunk.length;
        this.#cursorChunk++;
        from = 0;
      }
    }
  }

  clear(): void {
    for (const chunk of this.#chunks) chunkPool.release(chunk);
    this.#chunks = [];
    this.#head = 0;
    this.#acknowledged = 0;
    this.length = 0;
    this.#rewind();
  }

  /** Moves the cursor to the chunk that holds `offset`. Its own offset is that of the chunk's first byte, and may be negative for the first chunk. */
  #seek(offset: number): void {
    if (offset < this.#cursorOffset) this.#rewind();
    for (;;) {
      const chunk = this.#chunks[this.#cursorChunk];
      if (chunk === undefined || offset < this.#cursorOffset + chunk.length) return;
      this.#cursorOffset += chunk.length;
      this.#cursorChunk++;
    }
  }

  #rewind(): void {
    this.#cursorChunk = this.#head;
    this.#cursorOffset = -this.#acknowledged;
  }
}

/** Stands in the place of a chunk that was released, until the array is compacted. */
const RELEASED = new Uint8Array(0);
