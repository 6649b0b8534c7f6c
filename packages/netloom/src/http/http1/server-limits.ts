import { HTTP1_WIRE_LIMITS, type Http1WireLimits } from './wire/index.ts';

/** The limits of a server's connection: those of the parser, and its own. Times are milliseconds. */
export interface Http1ServerLimits extends Http1WireLimits {
  /** From the end of one request to the first byte of the next. */
  readonly idleTimeout: number;
  /** From the first byte of a head (of a connection: from its opening) to the last. */
  readonly headTimeout: number;
  /** Without a byte of a body that somebody wants to read. */
  readonly bodyTimeout: number;
  /** Without the peer's taking what it is sent. */
  readonly writeTimeout: number;
  /** For the rest of a body that nobody reads, after its request was answered; then the connection is closed. */
  readonly drainTimeout: number;
  /** Bytes of such a rest. */
  readonly drainBytes: number;
  /** Bytes read ahead of what is served: later requests in a pipeline, or a body nobody has asked for. Then reading stops. */
  readonly readAhead: number;
}

/** The defaults. */
export const HTTP1_SERVER_LIMITS: Http1ServerLimits = {
  ...HTTP1_WIRE_LIMITS,
  idleTimeout: 60_000,
  headTimeout: 30_000,
  bodyTimeout: 30_000,
  writeTimeout: 60_000,
  drainTimeout: 5_000,
  drainBytes: 256 * 1024,
  readAhead: 64 * 1024,
};
