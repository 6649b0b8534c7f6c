import type { Fields } from '../../semantics/index.ts';

/** The minor version of HTTP/1: 0, or 1 for 1.1 and whatever later 1.x there may be (RFC 9110, section 2.5). */
export type MinorVersion = 0 | 1;

/** How the end of a body is known (RFC 9112, section 6.3): after so many bytes, by chunks, or when the connection ends. */
export type BodyFraming = number | 'chunked' | 'close';

/** What stands before a request's body. */
export interface RequestHead {
  readonly method: string;
  /** As it was sent: `/path?query`, `http://host/path`, `host:port` or `*` (RFC 9112, section 3.2). */
  readonly target: string;
  readonly minorVersion: MinorVersion;
  readonly fields: Fields;
}

/** What stands before a response's body. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly minorVersion: MinorVersion;
  readonly fields: Fields;
}
