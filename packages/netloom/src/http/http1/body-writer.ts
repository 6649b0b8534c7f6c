import { NetloomError } from '../../core/index.ts';
import type { Fields } from '../semantics/index.ts';
import {
  serialiseChunkEnd,
  serialiseChunkStart,
  serialiseLastChunk,
  type BodyFraming,
} from './wire/index.ts';

/** Writes one message's body in the framing its head has announced, and sees that it keeps to it. */
export class BodyWriter {
  readonly #framing: BodyFraming;
  readonly #write: (bytes: Uint8Array) => boolean;
  #written = 0;
  /** Nothing more is to be written. */
  complete: boolean;

  constructor(framing: BodyFraming, write: (bytes: Uint8Array) => boolean) {
    this.#framing = framing;
    this.#write = write;
    this.complete = framing === 0;
  }

  /** Bytes still to be written; undefined when nobody has announced how many there are. */
  get missing(): number | undefined {
    return typeof this.#framing === 'number' ? this.#framing - this.#written : undefined;
  }

  /** Writes part of the body. False asks to wait. Throws `HTTP_BODY_TOO_LONG` for more than was announced. */
  write(chunk: Uint8Array): boolean {
    if (this.missing !== undefined && chunk.length > this.missing) {
      throw new NetloomError(
        'HTTP_BODY_TOO_LONG',
        `${chunk.length} bytes of body were written where ${this.missing} are left of the announced length`,
        { remedy: 'Announce the right Content-Length, or none.' },
      );
    }
    if (chunk.length === 0) return true;
    this.#written += chunk.length;
    if (this.#framing !== 'chunked') return this.#write(chunk);
    this.#write(serialiseChunkStart(chunk.length));
    this.#write(chunk);
    return this.#write(serialiseChunkEnd());
  }

  /** Ends the body. Throws `HTTP_BODY_TOO_SHORT` if less was written than was announced. */
  end(trailers?: Fields): void {
    if (this.complete) return;
    if (this.missing !== undefined && this.missing > 0) {
      throw new NetloomError(
        'HTTP_BODY_TOO_SHORT',
        `the body ended ${this.missing} bytes before the announced length`,
        { remedy: 'Announce the right Content-Length, or none.' },
      );
    }
    this.complete = true;
    // Trailers need the chunked coding (RFC 9112, section 7.1.2); elsewhere there is no place for them.
    if (this.#framing === 'chunked') this.#write(serialiseLastChunk(trailers));
  }
}
