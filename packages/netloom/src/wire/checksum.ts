/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words.
 *
 * A sum in the making is a plain number of any size; {@link finishChecksum} folds and complements it.
 */

/** Adds the 16-bit words of `bytes` from `start` to `end` to `sum`; an odd last byte counts as the upper half of a word. */
export function sumWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  let total = sum;
  for (const stop = end - 1; at < stop; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < end ? total + (bytes[at]! << 8) : total;
}

/** The 16-bit checksum of a sum. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** A sum folded to 16 bits, not complemented: what a checksum field holds when the rest is left to the link (partial checksum). */
export function foldSum(sum: number): number {
  // A sum may have more than 32 bits: the upper part is folded in by division.
  let folded = Math.floor(sum / 0x10000) + (sum % 0x10000);
  while (folded > 0xffff) folded = (folded >>> 16) + (folded & 0xffff);
  return folded;
}

/** The sum of the IPv4 pseudo-header (RFC 9293, section 3.1; RFC 768): both addresses as words, protocol, and transport length. */
export function pseudoHeaderSumV4(
  source: number,
  destination: number,
  protocol: number,
  length: number,
): number {
  return halves(source) + halves(destination) + protocol + length;
}

/** The sum of the two 16-bit halves of a word. */
export function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/** A checksum after one 16-bit word it covers has changed (RFC 1624, section 3, equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return finishChecksum((~checksum & 0xffff) + (~before & 0xffff) + after);
}
