import type { Fields } from '../semantics/index.ts';

/**
 * How long a body is: that many bytes; `stream`: its end is told when it is there. A body of 0 bytes is none.
 */
export type Http2BodyLength = number | 'stream';

/** What stands before a request's body. */
export interface Http2RequestHead {
  readonly method: string;
  /** The path with its query, or `*`; of a CONNECT without a protocol `host:port`. */
  readonly target: string;
  /** Empty for a CONNECT without a protocol. */
  readonly scheme: string;
  /** The protocol that an extended CONNECT asks for, as `websocket` (RFC 8441). */
  readonly protocol: string | undefined;
  /** With `host`, which says what `:authority` said (RFC 9113, section 8.3.1). */
  readonly fields: Fields;
}

/** What stands before a response's body. */
export interface Http2ResponseHead {
  readonly status: number;
  /** Always empty: HTTP/2 has no reason phrases. */
  readonly reason: string;
  readonly fields: Fields;
}

/** A request as `Http2Client.request` takes it. */
export interface Http2ClientRequest {
  readonly method: string;
  /** The path with its query, or `*`; for a CONNECT without a protocol it is left out of the request. */
  readonly target: string;
  /** With Host, which goes as `:authority`. What it says about the connection is left out. */
  readonly fields: Fields;
  /** Bytes of the body; undefined: not known. */
  readonly length: number | undefined;
  /** `http` unless given. */
  readonly scheme?: string | undefined;
  /** For a CONNECT to something of the server's, as `websocket` (RFC 8441). */
  readonly protocol?: string | undefined;
  /** In place of the limits of these names. */
  readonly responseTimeout?: number | undefined;
  readonly bodyTimeout?: number | undefined;
}
