/**
 * The limits of a decoder, beside the size of its table, which is agreed upon. Sizes of fields are those of RFC 7541, section 4.1: name,
 * value, and 32 bytes for each.
 */
export interface HpackDecoderLimits {
  /**
   * Of all fields of a list together: what SETTINGS_MAX_HEADER_LIST_SIZE says (RFC 9113, section 6.5.2). Fields beyond it are
   * decoded, for the table's sake, and dropped.
   */
  readonly listSize: number;
  /** Number of fields of a list. Those beyond it are decoded and dropped. */
  readonly fieldCount: number;
  /** Of all fields of a list together, with those that were dropped. Going beyond it is a fault. */
  readonly decodedSize: number;
  /** Bytes of a block as it was sent, all its fragments together. Going beyond it is a fault. */
  readonly blockBytes: number;
}

/**
 * The defaults. A list may be as large as a head of HTTP/1.1 with its defaults, and has room for more fields, since a cookie
 * may be sent in pieces (RFC 9113, section 8.2.3).
 */
export const HPACK_DECODER_LIMITS: HpackDecoderLimits = {
  listSize: 40 * 1024,
  fieldCount: 256,
  decodedSize: 160 * 1024,
  blockBytes: 160 * 1024,
};
