import { CHARACTERS, FIELD_VALUE } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const SEMICOLON = 0x3b;

/** More digits than any size that a number holds exactly; zeros in front count too, or they could go on for ever. */
const MOST_DIGITS = 13;

/** What is expected next. */
type ChunkState =
  | 'size'
  | 'extension-space'
  | 'extension'
  | 'size-line-feed'
  | 'data'
  | 'data-return'
  | 'data-line-feed'
  | 'last';

/**
 * Reads the chunked transfer coding (RFC 9112, section 7.1) up to the last chunk's line; trailers follow.
 * Extensions are passed over, bounded and without any control character, so that no two readers disagree about their end.
 */
export class ChunkedReader {
  fault: Http1Fault | undefined;
  /** Bytes of the chunk that have not been handed out. Meaningful while {@link inData}. */
  remaining = 0;
  #state: ChunkState = 'size';
  #digits = 0;
  #extensionBytes = 0;
  readonly #extensionLimit: number;

  constructor(extensionLimit: number) {
    this.#extensionLimit = extensionLimit;
  }

  /** What comes next in the input is chunk data. */
  get inData(): boolean {
    return this.#state === 'data';
  }

  /** The last chunk's line has been read. */
  get complete(): boolean {
    return this.#state === 'last';
  }

  /** Starts on the next message's body. */
  reset(): void {
    this.fault = undefined;
    this.remaining = this.#digits = this.#extensionBytes = 0;
    this.#state = 'size';
  }

  /** Says that so many bytes of the chunk's data have been taken from the input. */
  taken(length: number): void {
    this.remaining -= length;
    if (this.remaining === 0) this.#state = 'data-return';
  }

  /** Reads on from `at` until data begins, the last chunk is read, the input ends or a fault is found. Answers where that is. */
  read(input: Uint8Array, at: number): number {
    let position = at;
    while (position < input.length && this.#state !== 'data' && this.#state !== 'last') {
      this.fault = this.#take(input[position]!);
      if (this.fault !== undefined) return position;
      position++;
    }
    return position;
  }

  #take(byte: number): Http1Fault | undefined {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(byte);
      case 'extension-space':
        // RFC 9112, section 7.1.1: "bad white space" may stand before the semicolon, nowhere else.
        return byte === SP || byte === HTAB || byte === SEMICOLON
          ? this.#takeExtension(byte)
          : misplaced(byte, 'chunk-size-invalid');
      case 'extension':
        if (byte === CR) this.#state = 'size-line-feed';
        else return this.#takeExtension(byte);
        return undefined;
      case 'size-line-feed':
        if (byte !== LF) return 'bare-carriage-return';
        this.#state = this.remaining === 0 ? 'last' : 'data';
        this.#digits = 0;
        return undefined;
      case 'data-return':
        if (byte !== CR) return misplaced(byte, 'chunk-unterminated');
        this.#state = 'data-line-feed';
        return undefined;
      default:
        if (byte !== LF) return 'bare-carriage-return';
        this.#state = 'size';
        return undefined;
    }
  }

  #takeSize(byte: number): Http1Fault | undefined {
    const digit = hexadecimal(byte);
    if (digit >= 0) {
      if (++this.#digits > MOST_DIGITS) return 'chunk-size-invalid';
      this.remaining = this.remaining * 16 + digit;
      return undefined;
    }
    if (this.#digits === 0) return misplaced(byte, 'chunk-size-invalid');
    if (byte === CR) {
      this.#state = 'size-line-feed';
      return undefined;
    }
    if (byte !== SEMICOLON && byte !== SP && byte !== HTAB) {
      return misplaced(byte, 'chunk-size-invalid');
    }
    return this.#takeExtension(byte);
  }

  #takeExtension(byte: number): Http1Fault | undefined {
    if ((CHARACTERS[byte]! & FIELD_VALUE) === 0) return misplaced(byte, 'chunk-extension-invalid');
    if (++this.#extensionBytes > this.#extensionLimit) return 'chunk-extension-too-large';
    if (this.#state !== 'extension') {
      this.#state = byte === SEMICOLON ? 'extension' : 'extension-space';
    }
    return undefined;
  }
}

/** A LF where CRLF or something else belongs has a fault of its own. */
function misplaced(byte: number, otherwise: Http1Fault): Http1Fault {
  return byte === LF ? 'bare-line-feed' : otherwise;
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
