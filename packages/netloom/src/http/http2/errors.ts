import { NetloomError } from '../../core/index.ts';
import { ErrorCode, errorCodeName, type Http2ErrorCode } from './wire/index.ts';

/** The peer has reset a stream. RFC 9113, section 8.7: what was refused was not looked at, and may be sent again whatever it is. */
export function resetError(code: Http2ErrorCode): NetloomError {
  const message = `the peer has reset the stream (${errorCodeName(code)})`;
  if (code === ErrorCode.REFUSED_STREAM) return unprocessedError(message);
  return new NetloomError('HTTP_RESET', message, {
    remedy: 'Try again, if the request may be sent twice.',
  });
}

/** The server has not looked at the request, and will not. */
export function unprocessedError(message: string): NetloomError {
  return new NetloomError('HTTP_UNPROCESSED', message, {
    remedy: 'Send the request again, on another connection.',
  });
}

/** A stream that ends because its answer made the rest of it needless: nobody but the peer is told. */
export function answeredError(message: string): NetloomError {
  return new NetloomError('HTTP_ANSWERED', message);
}
