import { writeUint32 } from '../../../core/index.ts';

/** Below this many bytes a view of 32-bit words costs more than it saves. */
const WORDS_FROM = 128;

/** The key's bytes in the order of the payload, and the same as a word of the platform's byte order. */
const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

/**
 * Copies a payload, masked or unmasked, which is the same (RFC 6455, section 5.3): each byte is combined with one of the key's four in
 * turn. `phase` is how many bytes of the payload came before these, so that it can be done in pieces.
 */
export function copyMasked(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  key: number,
  phase: number,
): void {
  if (end - start < WORDS_FROM) {
    for (let from = start, to = at; from < end; from++, to++) {
      target[to] = source[from]! ^ (key >>> (24 - ((phase + to - at) & 3) * 8));
    }
    return;
  }
  target.set(source.subarray(start, end), at);
  maskInPlace(target, at, at + end - start, key, phase);
}

/** The same without a copy, four bytes at a time: source and target need not be aligned alike, so the copy goes first. */
function maskInPlace(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
  phase: number,
): void {
  const misaligned = (bytes.byteOffset + start) & 3;
  const head = misaligned === 0 ? 0 : 4 - misaligned;
  const words = (end - start - head) >>> 2;
  // The key turned so that its first byte is the one that the first whole word begins with.
  const turn = ((phase + head) & 3) * 8;
  writeUint32(keyBytes, 0, turn === 0 ? key : (key << turn) | (key >>> (32 - turn)));
  const word = keyWord[0]!;
  maskBytes(bytes, start, start + head, key, phase);
  const view = new Int32Array(bytes.buffer, bytes.byteOffset + start + head, words);
  for (let i = 0; i < words; i++) view[i] = view[i]! ^ word;
  const tail = start + head + 4 * words;
  maskBytes(bytes, tail, end, key, phase + tail - start);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number, phase: number) {
  for (let i = start; i < end; i++) {
    bytes[i] = bytes[i]! ^ (key >>> (24 - ((phase + i - start) & 3) * 8));
  }
}
