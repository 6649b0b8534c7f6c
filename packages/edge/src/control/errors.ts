import { NetloomError } from 'netloom/core';

/** The HTTP status of an answer, by the error's code (RFC 9110, section 15); of all others it is 500. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['CONTROL_PATH_UNKNOWN', 404],
  ['NODE_NETWORK_UNKNOWN', 404],
  ['NETWORK_PORT_UNKNOWN', 404],
  ['CONTROL_REQUEST_INVALID', 400],
  ['FILTER_INVALID', 400],
  ['FILTER_UNFIT', 400],
  ['NODE_FILE_TOO_LARGE', 413],
  ['IMPAIRMENT_INVALID', 400],
  ['CONTROL_METHOD_UNKNOWN', 405],
  ['CONTROL_BODY_TOO_LARGE', 413],
  ['CONTROL_BODY_TYPE', 415],
  ['CONTROL_REFUSED', 403],
  ['CONTROL_TOKEN_WRONG', 401],
  ['CONTROL_TOO_MANY_ATTEMPTS', 429],
  ['CONTROL_TOO_MANY_CAPTURES', 429],
  ['NETWORK_UNFIT', 409],
  ['NODE_CLOSED', 503],
  ['STATE_ILLEGAL', 409],
]);

/** The status of an answer that tells this error. */
export function statusOf(error: NetloomError): number {
  return STATUSES.get(error.code) ?? 500;
}

/** The request is not as it should be. */
export function requestInvalid(message: string, remedy?: string): NetloomError {
  const details = { remedy: remedy ?? 'See docs/control.md for what the node takes.' };
  return new NetloomError('CONTROL_REQUEST_INVALID', message, details);
}
