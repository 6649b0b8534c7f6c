/** What to hand to {@link NetloomError} beside its code and message. */
export interface ErrorDetails {
  /** What the reader can do about it, in one sentence. */
  readonly remedy?: string;
  /** The error or value that led to this one. */
  readonly cause?: unknown;
}

/**
 * The one error type of the library.
 *
 * `message` says what happened and where, `code` is stable and meant for programs,
 * `remedy` says what to do.
 *
 * A code is upper case, and one of two kinds. Those of {@link HOST_ERRORS} have no area before them (`CONNECTION_REFUSED`,
 * `TIMEOUT`): they are what any network may answer, the same from every Host and from whatever is built on one. All others begin with the
 * area they come from (`BYTES_`, `CLOCK_`, `DHCP_`, `HTTP_`, `SIM_`, `TAP_` ...), or with the thing that is wrong where that belongs to no area
 * (`ADDRESS_INVALID`, `LIMIT_INVALID`). docs/errors.md has them all; a test keeps it and the sources together.
 */
export class NetloomError extends Error {
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'NetloomError';
    this.code = code;
    this.remedy = details.remedy;
  }
}

/**
 * The error an aborted operation settles with: what the signal gave as its reason is the cause.
 * The code is `ABORTED`, or `TIMEOUT` when the signal came from `AbortSignal.timeout`.
 */
export function abortError(signal: AbortSignal, what: string): NetloomError {
  const reason: unknown = signal.reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return new NetloomError(
    timedOut ? 'TIMEOUT' : 'ABORTED',
    `${what} was ${timedOut ? 'not done in time' : 'aborted'}`,
    { cause: reason },
  );
}

/** Any thrown value as a {@link NetloomError}: one stays as it is, another becomes the cause of a new one. */
export function toNetloomError(thrown: unknown, code: string, what: string): NetloomError {
  if (thrown instanceof NetloomError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new NetloomError(code, `${what}: ${message}`, { cause: thrown });
}
