import { copyBytes, equalBytes } from '../../core/index.ts';

/** A part of a datagram: a copy. */
interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What became of a part: `duplicate` changed nothing, and after the last two the datagram cannot be trusted any more. */
export type PieceOutcome = 'added' | 'duplicate' | 'overlap' | 'inconsistent';

/**
 * The parts of one datagram, in order and without overlap. RFC 815 keeps the holes between the parts; since no two parts may
 * overlap, a count of bytes says as much: the datagram is whole when they are as many as its end says.
 */
export class Pieces {
  readonly #pieces: Piece[] = [];
  #received = 0;
  /** Known when the last part has come. */
  #length = -1;

  get count(): number {
    return this.#pieces.length;
  }

  /** No part is missing. */
  get isComplete(): boolean {
    return this.#received === this.#length;
  }

  /** Bytes of the whole; -1 until the last part has come. */
  get length(): number {
    return this.#length;
  }

  /** The part at offset 0. */
  get first(): Uint8Array | undefined {
    const piece = this.#pieces[0];
    return piece?.offset === 0 ? piece.bytes : undefined;
  }

  /** Takes a copy of a part, which is not empty. `isLast`: nothing comes behind it. */
  insert(offset: number, bytes: Uint8Array, isLast: boolean): PieceOutcome {
    const end = offset + bytes.length;
    const at = this.#indexFrom(offset);
    const before = this.#pieces[at - 1];
    const behind = this.#pieces[at];
    if (behind?.offset === offset && equalBytes(behind.bytes, bytes)) {
      return isLast === (end === this.#length) ? 'duplicate' : 'inconsistent';
    }
    if (before !== undefined && before.offset + before.bytes.length > offset) return 'overlap';
    if (behind !== undefined && behind.offset < end) return 'overlap';
    // A datagram has one end, and nothing behind it.
    if (
      isLast ? this.#length >= 0 || behind !== undefined : this.#length >= 0 && end > this.#length
    ) {
      return 'inconsistent';
    }
    this.#pieces.splice(at, 0, { offset, bytes: copyBytes(bytes) });
    this.#received += bytes.length;
    if (isLast) this.#length = end;
    return 'added';
  }

  /** Writes the whole at `at`. */
  copyTo(target: Uint8Array, at: number): void {
    for (const { offset, bytes } of this.#pieces) target.set(bytes, at + offset);
  }

  /** The index of the first part at `offset` or behind. Parts mostly come in order, so the search begins at the end. */
  #indexFrom(offset: number): number {
    let at = this.#pieces.length;
    while (at > 0 && this.#pieces[at - 1]!.offset >= offset) at--;
    return at;
  }
}
