import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { NetloomError } from '../core/index.ts';
import { native } from './library.ts';

/**
 * A call of the operating system that failed, in the form Node's own such errors have: `code` is the name of the `errno`.
 * Whoever knows what the call was for makes a NetloomError of it, with this as the cause.
 */
export class SystemCallError extends Error {
  /** As `EPERM`. */
  readonly code: string;
  /** The call, as `ioctl`. */
  readonly systemCall: string;

  /** @param errno a positive error number */
  constructor(errno: number, systemCall: string) {
    const code = getSystemErrorName(-errno);
    super(`${systemCall}: ${getSystemErrorMessage(-errno) ?? 'unknown error'} (${code})`);
    this.name = 'SystemCallError';
    this.code = code;
    this.systemCall = systemCall;
  }
}

/** The error number of the call that failed last. To be read at once. */
export function lastErrno(): number {
  return native().errno[0]!;
}

/** Answers the result of a call, or throws what went wrong when that is negative. */
export function checked(result: number, systemCall: string): number {
  if (result < 0) throw new SystemCallError(lastErrno(), systemCall);
  return result;
}

/** The name of the error number in an error that the operating system caused, as `EPERM`; undefined for any other value. */
export function systemErrorCode(thrown: unknown): string | undefined {
  const code = (thrown as { readonly code?: unknown } | undefined)?.code;
  return thrown instanceof Error && typeof code === 'string' ? code : undefined;
}

/**
 * Does the work; what the operating system refuses is thrown as the error that `explain` makes of it.
 *
 * @param explain given the name of the error number, as `EPERM`, and what was thrown
 */
export function explained<T>(
  work: () => T,
  explain: (systemCode: string, cause: unknown) => NetloomError,
): T {
  try {
    return work();
  } catch (error) {
    const systemCode = systemErrorCode(error);
    // One of ours says already what to do.
    if (systemCode === undefined || error instanceof NetloomError) throw error;
    throw explain(systemCode, error);
  }
}
