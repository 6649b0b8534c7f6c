import type { NetloomError } from 'netloom/core';
import type { ErrorStatus } from '../status/index.ts';

/** An error as a status tells it. */
export function errorStatus({ code, message, remedy }: NetloomError): ErrorStatus {
  return { code, message, remedy: remedy ?? null };
}
