import { NetloomError } from '../../../core/index.ts';
import {
  type Fields,
  isFieldValue,
  isTarget,
  isToken,
  reasonPhrase,
} from '../../semantics/index.ts';
import { encodeLatin1 } from '../../latin1.ts';

/** The bytes of a request's head (RFC 9112, section 3). Throws `HTTP_REQUEST_INVALID` for a method or target that could not be sent. */
export function serialiseRequestHead(method: string, target: string, fields: Fields): Uint8Array {
  if (!isToken(method) || !isTarget(target)) {
    throw new NetloomError(
      'HTTP_REQUEST_INVALID',
      `${JSON.stringify(method)} ${JSON.stringify(target)} is not a method and a target`,
      { remedy: 'Methods are tokens; targets have no spaces, controls or non-ASCII characters.' },
    );
  }
  return encodeLatin1(`${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`);
}

/** The bytes of a response's head (RFC 9112, section 4). Throws `HTTP_RESPONSE_INVALID` for a status or reason that could not be sent. */
export function serialiseResponseHead(
  status: number,
  fields: Fields,
  reason: string = reasonPhrase(status),
): Uint8Array {
  if (!Number.isInteger(status) || status < 100 || status > 599 || !isFieldValue(reason)) {
    throw new NetloomError(
      'HTTP_RESPONSE_INVALID',
      `${status} ${JSON.stringify(reason)} is not a status from 100 to 599 with a reason`,
    );
  }
  return encodeLatin1(`HTTP/1.1 ${status} ${reason}\r\n${fieldLines(fields)}\r\n`);
}

/** The line before a chunk's data (RFC 9112, section 7.1). Not for 0, which ends the body. */
export function serialiseChunkStart(length: number): Uint8Array {
  return encodeLatin1(`${length.toString(16)}\r\n`);
}

/** The line end after a chunk's data. */
export function serialiseChunkEnd(): Uint8Array {
  return encodeLatin1('\r\n');
}

/** The last chunk, with trailers if there are any. */
export function serialiseLastChunk(trailers?: Fields): Uint8Array {
  return encodeLatin1(`0\r\n${trailers === undefined ? '' : fieldLines(trailers)}\r\n`);
}

/** The fields have been checked when they were appended. */
function fieldLines(fields: Fields): string {
  let lines = '';
  for (const [name, value] of fields) lines += `${name}: ${value}\r\n`;
  return lines;
}
