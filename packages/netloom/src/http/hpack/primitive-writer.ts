import { encodeHuffman, huffmanLength } from './huffman-encoder.ts';

/** The bytes of an integer of 32 bits at most, its first one included. */
export const INTEGER_BYTES_AT_MOST = 6;

/**
 * Writes an integer whose first part are the lowest `bits` of a byte, the others being those of `flags` (RFC 7541, section 5.1).
 * Answers the index after it.
 */
export function writeInteger(
  value: number,
  bits: number,
  flags: number,
  output: Uint8Array,
  at: number,
): number {
  const most = (1 << bits) - 1;
  if (value < most) {
    output[at] = flags | value;
    return at + 1;
  }
  output[at] = flags | most;
  let next = at + 1;
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) output[next++] = 0x80 | (rest % 0x80);
  output[next++] = rest;
  return next;
}

/** Writes a string (RFC 7541, section 5.2), Huffman-coded if that is shorter. Answers the index after it. */
export function writeString(text: string, output: Uint8Array, at: number): number {
  const coded = huffmanLength(text);
  if (coded < text.length) {
    return encodeHuffman(text, output, writeInteger(coded, 7, 0x80, output, at));
  }
  const start = writeInteger(text.length, 7, 0, output, at);
  for (let i = 0; i < text.length; i++) output[start + i] = text.charCodeAt(i);
  return start + text.length;
}
