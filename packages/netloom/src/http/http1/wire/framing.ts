import { type Fields, isToken, isWithoutContent, listMembers } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';
import type { BodyFraming, MinorVersion } from './message.ts';

/** How a request's body ends (RFC 9112, section 6.3), or what is wrong with what its fields say. */
export function requestFraming(
  fields: Fields,
  minorVersion: MinorVersion,
): { readonly framing: BodyFraming } | { readonly fault: Http1Fault } {
  const declared = declaredFraming(fields, minorVersion);
  if (typeof declared === 'object') return declared;
  // Rule 7: a request that says nothing has no body.
  return { framing: declared ?? 0 };
}

/** How the body of a response to a request of `method` ends (RFC 9112, section 6.3), or what is wrong with what its fields say. */
export function responseFraming(
  method: string,
  status: number,
  fields: Fields,
  minorVersion: MinorVersion,
): { readonly framing: BodyFraming } | { readonly fault: Http1Fault } {
  // Rules 1 and 2: whatever the fields say. What follows a 2xx to CONNECT is no body but the tunnel.
  const isTunnel = method === 'CONNECT' && status >= 200 && status < 300;
  if (method === 'HEAD' || isWithoutContent(status) || isTunnel) return { framing: 0 };
  const declared = declaredFraming(fields, minorVersion);
  if (typeof declared === 'object') return declared;
  // Rule 8: a response that says nothing ends with its connection.
  return { framing: declared ?? 'close' };
}

function declaredFraming(
  fields: Fields,
  minorVersion: MinorVersion,
): number | 'chunked' | undefined | { readonly fault: Http1Fault } {
  if (fields.has('transfer-encoding')) {
    const fault = transferEncodingFault(fields, minorVersion);
    return fault === undefined ? 'chunked' : { fault };
  }
  if (!fields.has('content-length')) return undefined;
  // Equal duplicates may be taken as one (RFC 9110, section 8.6), but they come from nothing that is in good order.
  if (fields.count('content-length') > 1) return { fault: 'content-length-duplicated' };
  const value = fields.get('content-length')!;
  if (value.includes(',')) return { fault: 'content-length-duplicated' };
  const length = /^\d{1,18}$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(length) ? length : { fault: 'content-length-invalid' };
}

function transferEncodingFault(fields: Fields, minorVersion: MinorVersion): Http1Fault | undefined {
  // RFC 9112, section 6.1: no HTTP/1.0 software knows it, so something on the way has mangled the message.
  if (minorVersion === 0) return 'transfer-encoding-in-http-1.0';
  // RFC 9112, section 6.3, rule 3: an attempt at smuggling.
  if (fields.has('content-length')) return 'transfer-encoding-with-content-length';
  const value = fields.get('transfer-encoding')!;
  if (value.toLowerCase() === 'chunked') return undefined;
  const codings = listMembers(value);
  const isWellFormed =
    codings.indexOf('chunked') === codings.length - 1 &&
    codings.every((coding) => isToken(coding) && coding !== 'identity');
  // Well formed, but of a coding not known here, with chunked around it: 501 (RFC 9112, section 6.1).
  return isWellFormed && codings.length > 1
    ? 'transfer-coding-unknown'
    : 'transfer-encoding-invalid';
}
