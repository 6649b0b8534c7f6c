import { EMPTY } from '../../core/index.ts';
import { decodeLatin1 } from '../latin1.ts';
import type { HpackFault } from './fault.ts';
import {
  HAS_END_OF_STRING,
  HAS_INVALID_PADDING,
  decodeHuffman,
  decodedLengthAtMost,
} from './huffman-decoder.ts';

/** What {@link PrimitiveReader.integer} answers when there is none to be had. */
export const NOT_READ = -1;

/** 32 bits are as much as anything here counts, so four bytes of seven bits and one of four follow the first at most. */
const GREATEST_INTEGER = 0xffff_ffff;
const MOST_CONTINUATIONS = 5;

/** Strings up to this length are decoded into memory that stays; longer ones get theirs, and seldom come. */
const SCRATCH_LENGTH = 4096;
const scratch = new Uint8Array(decodedLengthAtMost(SCRATCH_LENGTH));

/**
 * Reads integers and strings (RFC 7541, section 5) at a cursor. Where the input ends before one does, nothing is wrong yet, and the
 * caller goes back to where it began when there is more; {@link fault} says what is wrong.
 */
export class PrimitiveReader {
  fault: HpackFault | undefined;
  #bytes: Uint8Array = EMPTY;
  #end = 0;
  /** The index of the next byte to be read. */
  at = 0;

  /** Starts at the beginning of `bytes`, which end at `end`. */
  begin(bytes: Uint8Array, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.at = 0;
  }

  /** Lets go of the input, which may be borrowed. */
  release(): void {
    this.begin(EMPTY, 0);
  }

  /** The next byte, which is not taken; undefined at the end. */
  peek(): number | undefined {
    return this.at < this.#end ? this.#bytes[this.at] : undefined;
  }

  /** Takes an integer that begins in the lowest `bits` of the next byte (RFC 7541, section 5.1), or answers {@link NOT_READ}. */
  integer(bits: number): number {
    if (this.at >= this.#end) return NOT_READ;
    const most = (1 << bits) - 1;
    const prefix = this.#bytes[this.at++]! & most;
    return prefix < most ? prefix : this.#continuations(most);
  }

  #continuations(prefix: number): number {
    let value = prefix;
    let factor = 1;
    for (let count = 0; count < MOST_CONTINUATIONS; count++) {
      if (this.at >= this.#end) return NOT_READ;
      const byte = this.#bytes[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= GREATEST_INTEGER ? value : this.#fail('integer-too-large');
      factor *= 128;
    }
    // RFC 7541, section 5.1: too many bytes are an error as too large a value is, for zeros may be added without end.
    return this.#fail('integer-too-large');
  }

  /** Passes over a string without reading it. False: it is not all there. */
  passString(): boolean {
    const length = this.integer(7);
    if (length === NOT_READ || length > this.#end - this.at) return false;
    this.at += length;
    return true;
  }

  /** Takes a string (RFC 7541, section 5.2), all of which is there. Empty where there is a {@link fault}. */
  string(): string {
    const isHuffmanCoded = this.#bytes[this.at]! >= 0x80;
    const length = this.integer(7);
    const start = this.at;
    this.at += length;
    return isHuffmanCoded
      ? this.#huffmanString(start, this.at)
      : decodeLatin1(this.#bytes, start, this.at);
  }

  #huffmanString(start: number, end: number): string {
    const length = end - start;
    const output = length <= SCRATCH_LENGTH ? scratch : new Uint8Array(decodedLengthAtMost(length));
    const decoded = decodeHuffman(this.#bytes, start, end, output);
    if (decoded === HAS_END_OF_STRING) this.#fail('huffman-end-of-string');
    else if (decoded === HAS_INVALID_PADDING) this.#fail('huffman-padding-invalid');
    return decoded <= 0 ? '' : decodeLatin1(output, 0, decoded);
  }

  #fail(fault: HpackFault): typeof NOT_READ {
    this.fault = fault;
    return NOT_READ;
  }
}
