/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words.
 *
 * A sum in the making is a plain number of any size; {@link finishChecksum} folds and complements it.
 *
 * There are two loops. Pairs of bytes win for headers, where finding a `DataView` costs more than the sum; 32 bits at a time win from about
 * a hundred bytes on, in the end three to four times over pairs, and 2.4 times over a plain `DataView` loop (bench `checksum`).
 */

/** From this many bytes on a range is summed 32 bits at a time. */
const LONG = 128;

/** Bytes summed before the two counters of {@link sumLongWords} could pass 32 bits: 65,536 words of 32 bits. */
const BLOCK = 0x40000;

/** Adds the 16-bit words of `bytes` from `start` to `end` to `sum`; an odd last byte counts as the upper half of a word. */
export function sumWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  let total = sum;
  if (end - start >= LONG) {
    const stop = start + ((end - start) & ~15);
    total += sumLong(bytes, start, stop);
    at = stop;
  }
  for (const stop = end - 7; at < stop; at += 8) {
    total +=
      ((bytes[at]! << 8) | bytes[at + 1]!) +
      ((bytes[at + 2]! << 8) | bytes[at + 3]!) +
      ((bytes[at + 4]! << 8) | bytes[at + 5]!) +
      ((bytes[at + 6]! << 8) | bytes[at + 7]!);
  }
  for (const stop = end - 1; at < stop; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
  return at < end ? total + (bytes[at]! << 8) : total;
}

/** The sum of a range whose length is a multiple of 16. */
function sumLong(bytes: Uint8Array, start: number, end: number): number {
  const view = viewOf(bytes.buffer);
  const stop = bytes.byteOffset + end;
  let total = 0;
  for (let at = bytes.byteOffset + start; at < stop; at += BLOCK) {
    total += sumLongWords(view, at, Math.min(at + BLOCK, stop));
  }
  return total;
}

/**
 * The sum of at most {@link BLOCK} bytes, 16 a turn. Three operations for each word of 32 bits, not four: `upper` is the sum of the
 * upper halves, `whole` that of the words modulo 2^32, and the sum of the lower halves is their difference.
 */
function sumLongWords(view: DataView, start: number, end: number): number {
  let upper = 0;
  let whole = 0;
  for (let at = start; at < end; at += 16) {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    upper = (upper + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    whole = (whole + a + b + c + d) | 0;
  }
  return (upper >>> 0) + ((whole - (upper << 16)) >>> 0);
}

// The views of the two buffers summed last. Making one costs about as much as summing 500 bytes, and packets come from few buffers:
// a link's slab on the way in, another on the way out. These two, and no more, are kept from being collected.
let recentView: DataView = new DataView(new ArrayBuffer(0));
let olderView: DataView = recentView;

function viewOf(buffer: ArrayBufferLike): DataView {
  if (recentView.buffer !== buffer) {
    const found = olderView.buffer === buffer ? olderView : new DataView(buffer);
    olderView = recentView;
    recentView = found;
  }
  return recentView;
}

/** The 16-bit checksum of a sum. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** A sum folded to 16 bits, not complemented: what a checksum field holds when the rest is left to the link (partial checksum). */
export function foldSum(sum: number): number {
  let folded = sum;
  // Beyond 32 bits the shifts below do not reach: fold by division until they do.
  while (folded > 0xffff_ffff) folded = Math.floor(folded / 0x10000) + (folded % 0x10000);
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

/** The sum of the IPv6 pseudo-header (RFC 8200, section 8.1): both addresses as words, transport length, and upper protocol. */
export function pseudoHeaderSumV6(
  source0: number,
  source1: number,
  source2: number,
  source3: number,
  destination0: number,
  destination1: number,
  destination2: number,
  destination3: number,
  protocol: number,
  length: number,
): number {
  return (
    halves(source0) +
    halves(source1) +
    halves(source2) +
    halves(source3) +
    halves(destination0) +
    halves(destination1) +
    halves(destination2) +
    halves(destination3) +
    protocol +
    halves(length)
  );
}

/**
 * The checksum of a transport header and its payload from `start` to `end`, on a pseudo-header's sum. The checksum field must
 * hold 0. UDP sends 0xffff where this is 0 (RFC 768): {@link udpChecksum}.
 */
export function transportChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  pseudoHeaderSum: number,
): number {
  return finishChecksum(sumWords(bytes, start, end, pseudoHeaderSum));
}

/** As {@link transportChecksum}, for UDP: never 0, which would say that there is no checksum (RFC 768). */
export function udpChecksum(
  bytes: Uint8Array,
  start: number,
  end: number,
  pseudoHeaderSum: number,
): number {
  return transportChecksum(bytes, start, end, pseudoHeaderSum) || 0xffff;
}

/** Whether the checksum within a transport header is that of the bytes from `start` to `end` on a pseudo-header's sum. */
export function isTransportChecksumValid(
  bytes: Uint8Array,
  start: number,
  end: number,
  pseudoHeaderSum: number,
): boolean {
  return foldSum(sumWords(bytes, start, end, pseudoHeaderSum)) === 0xffff;
}

/** The sum of the two 16-bit halves of a word. */
export function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}

/** A checksum after one 16-bit word it covers has changed (RFC 1624, section 3, equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return finishChecksum((~checksum & 0xffff) + (~before & 0xffff) + after);
}
