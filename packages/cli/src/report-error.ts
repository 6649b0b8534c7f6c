import { inspect } from 'node:util';
import type { ErrorStatus } from '@netloom/edge/client';
import { NetloomError } from 'netloom/core';

/**
 * What is printed of an error: one line that says what happened, what to do, and the code; behind it the stack and the causes, if
 * they are asked for.
 */
export function describeError(thrown: unknown, verbose: boolean): string {
  const error =
    thrown instanceof NetloomError
      ? thrown
      : new NetloomError('UNEXPECTED', messageOf(thrown), {
          remedy: 'This is a defect of netloom; NETLOOM_DEBUG=1 shows where it was.',
          cause: thrown,
        });
  const parts = ['netloom:', sentence(error.message)];
  if (error.remedy !== undefined) parts.push(sentence(error.remedy));
  parts.push(`(${error.code})`);
  const line = `${parts.join(' ')}\n`;
  return verbose ? `${line}${inspect(error)}\n` : line;
}

/** As {@link describeError}, of an error that a node tells of. */
export function describeErrorStatus({ code, message, remedy }: ErrorStatus): string {
  const details = remedy === null ? {} : { remedy };
  return describeError(new NetloomError(code, message, details), false);
}

/** The error of a command that waits for something which nothing is left to bring about. */
export function stuckError(): NetloomError {
  return new NetloomError('UNEXPECTED', 'what this waited for is gone', {
    remedy: 'A link may have vanished; if none has, this is a defect of netloom.',
  });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** On one line, with a full stop. */
export function sentence(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ').trim();
  return /[.?!]$/.test(line) ? line : `${line}.`;
}
