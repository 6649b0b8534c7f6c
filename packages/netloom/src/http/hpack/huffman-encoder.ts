import { CODES, CODE_LENGTHS } from './huffman-code.ts';

/** Codes of more bits are written in two parts, so that with seven bits that wait there are never more than 31. */
const LONG_CODE = 24;

/** The bytes of the text's code. No character is beyond 255. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += CODE_LENGTHS[text.charCodeAt(at)]!;
  return (bits + 7) >>> 3;
}

/** Writes the text's code, {@link huffmanLength} bytes, from `at`. Answers the index after it. */
export function encodeHuffman(text: string, output: Uint8Array, at: number): number {
  // Bits that are not written yet are the lowest of `word`. What stands above them has been written.
  let word = 0;
  let waiting = 0;
  let next = at;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let code = CODES[symbol]!;
    let length = CODE_LENGTHS[symbol]!;
    if (length > LONG_CODE) {
      length -= 16;
      word = (word << length) | (code >>> 16);
      for (waiting += length; waiting >= 8;) output[next++] = word >>> (waiting -= 8);
      code &= 0xffff;
      length = 16;
    }
    word = (word << length) | code;
    for (waiting += length; waiting >= 8;) output[next++] = word >>> (waiting -= 8);
  }
  // RFC 7541, section 5.2: the last byte is filled with the first bits of the code of the end of strings, which are all 1.
  if (waiting > 0) output[next++] = (word << (8 - waiting)) | (0xff >>> waiting);
  return next;
}
