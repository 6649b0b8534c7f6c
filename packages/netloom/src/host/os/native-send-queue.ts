import { chunkPool } from '../../core/index.ts';
import { Failure, type StreamSocket } from '../../native/index.ts';

/** So many bytes are sent at once, without waiting for the end of the turn or for `uncork`. */
const FLUSH_SIZE = 64 * 1024;

/** Chunks below this are copied together, as many as there are room for. Larger ones are sent from where they are. */
const LEAST_SENT_ALONE = 16 * 1024;

/** Where they are copied to: what lies there is sent before anything else is done. */
const gathered = new Uint8Array(FLUSH_SIZE);

/** Who is told by a {@link NativeSendQueue}; never from within `push` or `flush`, but of failures. */
export interface NativeSendQueueHandler {
  /** The kernel has taken something that waited for it or for the end of a turn. */
  sent(): void;
  failed(errno: number): void;
}

/** Collects what is written in one turn of the loop, sends it together, and keeps what the kernel has no room for. */
export class NativeSendQueue {
  readonly #socket: StreamSocket;
  readonly #handler: NativeSendQueueHandler;
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that the kernel has. */
  #firstSent = 0;
  #bytes = 0;
  #corked = 0;
  #scheduled = false;
  /** The kernel took all that it was given last, or has told since that it has room. */
  #writable = true;
  #closed = false;

  constructor(socket: StreamSocket, handler: NativeSendQueueHandler) {
    this.#socket = socket;
    this.#handler = handler;
  }

  /** Bytes that the kernel has not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#closed) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= FLUSH_SIZE) this.flush();
    else if (this.#corked === 0) this.#schedule();
  }

  /** Sends of a borrowed chunk what the kernel takes, if nothing is to go before it. Answers how much. */
  sendAtOnce(chunk: Uint8Array): number {
    if (!this.#writable || this.#bytes > 0 || this.#corked > 0 || this.#closed) return 0;
    return this.#send(chunk);
  }

  cork(): void {
    this.#corked++;
  }

  uncork(): void {
    if (this.#corked === 0) return;
    this.#corked--;
    if (this.#corked === 0 && this.#bytes > 0) this.#schedule();
  }

  /** Hands the kernel what it takes. */
  flush(): void {
    while (this.#writable && this.#bytes > 0 && !this.#closed)
      this.#taken(this.#send(this.#next()));
  }

  /** The kernel has room again. */
  resume(): void {
    this.#writable = true;
    if (this.#bytes > 0) this.#flushAndTell();
  }

  /** Drops what is there. */
  clear(): void {
    for (const chunk of this.#chunks) chunkPool.release(chunk);
    this.#chunks = [];
    this.#firstSent = 0;
    this.#bytes = 0;
  }

  /** Drops what is there, and takes nothing any more. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  /** What is to be sent next: the rest of a large chunk, or small ones in one. */
  #next(): Uint8Array {
    const first = this.#chunks[0]!;
    if (first.length >= LEAST_SENT_ALONE) return first.subarray(this.#firstSent);
    let length = 0;
    let from = this.#firstSent;
    for (const chunk of this.#chunks) {
      const count = chunk.length - from;
      if (chunk.length >= LEAST_SENT_ALONE || length + count > gathered.length) break;
      gathered.set(from === 0 ? chunk : chunk.subarray(from), length);
      length += count;
      from = 0;
    }
    return gathered.subarray(0, length);
  }

  /** Answers how much the kernel took. */
  #send(bytes: Uint8Array): number {
    const count = this.#socket.send(bytes);
    if (count === bytes.length) return count;
    if (count >= 0) {
      this.#writable = false;
      return count;
    }
    if (count === Failure.WOULD_BLOCK) this.#writable = false;
    else if (count !== Failure.INTERRUPTED) this.#handler.failed(-count);
    return 0;
  }

  #taken(count: number): void {
    if (this.#closed) return;
    this.#bytes -= count;
    let left = this.#firstSent + count;
    let whole = 0;
    while (whole < this.#chunks.length && left >= this.#chunks[whole]!.length) {
      const chunk = this.#chunks[whole++]!;
      left -= chunk.length;
      chunkPool.release(chunk);
    }
    this.#firstSent = left;
    if (whole === this.#chunks.length) this.#chunks = [];
    else if (whole > 0) this.#chunks.splice(0, whole);
  }

  #flushAndTell(): void {
    const before = this.#bytes;
    this.flush();
    if (this.#bytes < before && !this.#closed) this.#handler.sent();
  }

  /**
   * At the end of what the loop has called, microtasks included. A `setImmediate` would come a turn of the loop later where the call was one already, as it is for
   * somebody who awaited an answer and asks again.
   */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flushScheduled);
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    if (this.#corked === 0 && this.#bytes > 0) this.#flushAndTell();
  };
}
