/** The limits of the HTTP/1.1 parsers. Each counts bytes unless it says otherwise. */
export interface Http1WireLimits {
  /** Of the request or status line, with the empty lines before it. RFC 9112, section 3 asks for 8,000 at least. */
  readonly startLine: number;
  /** Of all header lines together. */
  readonly headerBytes: number;
  /** Number of header lines. */
  readonly headerCount: number;
  /** Of a message's body. */
  readonly body: number;
  /** Of all chunk extensions of a message together: they are work for us and no use to anyone. */
  readonly chunkExtension: number;
  /** Of all trailer lines together. */
  readonly trailerBytes: number;
  /** Number of trailer lines. */
  readonly trailerCount: number;
}

/** Bodies are handed on as they come, so they are not bounded unless asked for. */
export const HTTP1_WIRE_LIMITS: Http1WireLimits = {
  startLine: 8 * 1024,
  headerBytes: 32 * 1024,
  headerCount: 128,
  body: Infinity,
  chunkExtension: 4 * 1024,
  trailerBytes: 8 * 1024,
  trailerCount: 32,
};
