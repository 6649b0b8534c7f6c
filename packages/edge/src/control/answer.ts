import { toNetloomError } from 'netloom/core';
import { NETLOOM_VERSION } from '../node/version.ts';
import { errorStatus } from '../status/index.ts';
import { statusOf } from './errors.ts';

/** The name of the field that says which version of Netloom answers. */
export const VERSION_FIELD = 'netloom-version';

/** Fields of every answer: it tells of this moment, and its type is what it says. */
export const ANSWER_FIELDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  [VERSION_FIELD]: NETLOOM_VERSION,
};

/** A value as JSON. */
export function jsonAnswer(
  value: unknown,
  status = 200,
  fields: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...ANSWER_FIELDS, 'content-type': 'application/json', ...fields },
  });
}

/** An error as JSON, with the status that fits it. */
export function errorAnswer(
  thrown: unknown,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const error = toNetloomError(thrown, 'CONTROL_FAILED', 'the node failed');
  return jsonAnswer({ error: errorStatus(error) }, statusOf(error), fields);
}
