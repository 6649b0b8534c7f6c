import type { ErrorStatus } from './status.ts';

/** A `NetloomError`: the dashboard's page is checked with this module, and without the library. */
interface NamedError {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string | undefined;
}

/** An error as a status tells it. */
export function errorStatus({ code, message, remedy }: NamedError): ErrorStatus {
  return { code, message, remedy: remedy ?? null };
}
