import { EMPTY, copyBytes } from '../../core/index.ts';

/** What is begun with when a longer message is announced: room is made for what has come, not for what was promised. */
const FIRST_ROOM = 64 * 1024;

/**
 * For messages that need not outlive the reading of them: one array for all connections. It is filled and emptied within one
 * step, in which nobody else is called.
 */
const SCRATCH = new Uint8Array(64 * 1024);

/** Where the pieces of a message are put together. */
export class MessageBuffer {
  bytes: Uint8Array = EMPTY;
  length = 0;

  /** Starts on a message of which a piece of `piece` bytes is at hand. */
  begin(piece: number, announced: number): void {
    this.length = 0;
    this.bytes = new Uint8Array(announced <= FIRST_ROOM ? announced : Math.max(piece, FIRST_ROOM));
  }

  /** Starts on a message that is at hand, `length` bytes of it, and will be used at once and not kept. False: it is too long for that. */
  beginScratch(length: number): boolean {
    if (length > SCRATCH.length) return false;
    this.length = 0;
    this.bytes = SCRATCH;
    return true;
  }

  /** Makes room for `more` bytes, and for as many again of those that may still come: `most` is what the message can have at all. */
  reserve(more: number, most: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(most, 2 * this.bytes.length)));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** What was put together, a view. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was put together, and not in the scratch, in an array of its own that is as long as it. */
  take(): Uint8Array {
    const { bytes, length } = this;
    const isOwn = bytes.length === length && length > 0;
    this.clear();
    return isOwn ? bytes : copyBytes(bytes, 0, length);
  }

  /** Forgets the message. */
  clear(): void {
    this.bytes = EMPTY;
    this.length = 0;
  }
}
