/** Why compressed bytes are no message: they are not DEFLATE (RFC 1951), or more than the limit comes out of them. */
export type DecompressFault = 'invalid' | 'too-large';

/**
 * DEFLATE (RFC 1951) for the messages of one connection: synchronous, so that messages stay in order. Compression is not ours to write;
 * the platform's is bound to this, made from a {@link DeflateAgreement}.
 *
 * Where the agreement has a context that is taken over, it goes on from one call to the next; otherwise each call begins anew.
 */
export interface MessageCompressor {
  /**
   * The message, borrowed, as DEFLATE blocks that end in a flush to a byte boundary: in an empty block, bytes 00 00 FF FF. The answer
   * is given away.
   */
  compress(message: Uint8Array): Uint8Array;
  /** The message again out of such bytes, borrowed; or why not. What it answers is given away. It may be asked for no more than `limit` bytes. */
  decompress(compressed: Uint8Array, limit: number): Uint8Array | DecompressFault;
}

/** What every flush ends in. It is not sent (RFC 7692, section 7.2.1). */
export const FLUSH_TAIL: readonly number[] = [0x00, 0x00, 0xff, 0xff];

/** A compressed message without the {@link FLUSH_TAIL}. */
export function withoutFlushTail(compressed: Uint8Array): Uint8Array {
  return compressed.subarray(0, compressed.length - FLUSH_TAIL.length);
}

/** The largest message that may come out of so many compressed bytes. (One is added for the empty message: no bytes times Infinity is no number.) */
export function decompressionLimit(
  compressedLength: number,
  limits: {
    readonly messageBytes: number;
    readonly decompressionRatio: number;
    readonly decompressionFloor: number;
  },
): number {
  const { messageBytes, decompressionRatio, decompressionFloor } = limits;
  return Math.min(
    messageBytes,
    Math.max(decompressionFloor, (compressedLength + 1) * decompressionRatio),
  );
}
