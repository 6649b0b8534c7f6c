import type { Socket } from 'node:net';
import { chunkPool, concatBytes, type Clock } from '../../core/index.ts';

/** So many bytes are sent at once, without waiting for the end of the turn or for `uncork`. */
const FLUSH_SIZE = 64 * 1024;

/** Chunks below this are copied together, so that thousands of small writes are not thousands of vectors to the kernel. */
const SMALL_CHUNK = 4 * 1024;

/** Collects what is written in one turn of the loop, and hands it to the socket together. */
export class SendQueue {
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #sent: () => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #corked = 0;
  #scheduled = false;

  /** `sent` is called whenever the platform has taken something off its hands. */
  constructor(clock: Clock, socket: Socket, sent: () => void) {
    this.#clock = clock;
    this.#socket = socket;
    this.#sent = sent;
  }

  /** Bytes that the kernel has not taken yet. */
  get bytes(): number {
    return this.#bytes + (this.#socket.destroyed ? 0 : this.#socket.writableLength);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= FLUSH_SIZE) this.flush();
    else if (this.#corked === 0) this.#schedule();
  }

  cork(): void {
    this.#corked++;
  }

  uncork(): void {
    if (this.#corked === 0) return;
    this.#corked--;
    if (this.#corked === 0 && this.#bytes > 0) this.#schedule();
  }

  /** Drops what the socket was not handed yet. */
  clear(): void {
    for (const chunk of this.#chunks) chunkPool.release(chunk);
    this.#reset();
  }

  #reset(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** Hands over all there is. */
  flush(): void {
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#reset();
    if (this.#socket.destroyed) return;
    if (chunks.length === 1) {
      this.#write(chunks[0]!);
      return;
    }
    this.#socket.cork();
    let small: Uint8Array[] = [];
    for (const chunk of chunks) {
      if (chunk.length < SMALL_CHUNK) {
        small.push(chunk);
        continue;
      }
      this.#writeTogether(small);
      small = [];
      this.#write(chunk);
    }
    this.#writeTogether(small);
    this.#socket.uncork();
  }

  #write(chunk: Uint8Array): void {
    this.#socket.write(chunk, (error) => {
      // After a failure the platform may not be done with it.
      if (!error) chunkPool.release(chunk);
      this.#sent();
    });
  }

  #writeTogether(chunks: readonly Uint8Array[]): void {
    if (chunks.length > 0) this.#socket.write(concatBytes(chunks), this.#sent);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      if (this.#corked === 0) this.flush();
    });
  }
}
