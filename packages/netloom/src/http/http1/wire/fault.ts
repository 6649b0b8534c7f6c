import { NetloomError } from '../../../core/index.ts';

/** Why bytes are not an HTTP/1.1 message that can be taken (RFC 9112). The name doubles as that of the counter. */
export type Http1Fault =
  | 'bare-carriage-return'
  | 'bare-line-feed'
  | 'body-too-large'
  | 'chunk-extension-invalid'
  | 'chunk-extension-too-large'
  | 'chunk-size-invalid'
  | 'chunk-unterminated'
  | 'content-length-duplicated'
  | 'content-length-invalid'
  | 'field-name-invalid'
  | 'field-value-invalid'
  | 'fields-too-large'
  | 'host-duplicated'
  | 'host-invalid'
  | 'host-missing'
  | 'line-folded'
  | 'method-invalid'
  | 'method-too-long'
  | 'space-before-colon'
  | 'status-invalid'
  | 'status-line-too-long'
  | 'target-invalid'
  | 'target-too-long'
  | 'too-many-fields'
  | 'trailers-too-large'
  | 'transfer-coding-unknown'
  | 'transfer-encoding-in-http-1.0'
  | 'transfer-encoding-invalid'
  | 'transfer-encoding-with-content-length'
  | 'truncated'
  | 'version-invalid'
  | 'version-unsupported';

/** What a fault means. */
export interface FaultMeaning {
  /** The status that a server answers a request of this fault with. */
  readonly status: number;
  /** `limit`: it may be a good message that is too large for the limits here. */
  readonly kind: 'syntax' | 'limit' | 'unsupported' | 'truncated';
  readonly meaning: string;
}

/** Every {@link Http1Fault} with its meaning. */
export const HTTP1_FAULTS: { readonly [Fault in Http1Fault]: FaultMeaning } = {
  'bare-carriage-return': syntax('a CR stands without LF'),
  'bare-line-feed': syntax('a line ends in LF without CR'),
  'body-too-large': limit(413, 'the body is longer than the limit'),
  'chunk-extension-invalid': syntax('a chunk extension has characters it must not have'),
  'chunk-extension-too-large': limit(400, 'the chunk extensions are longer than the limit'),
  'chunk-size-invalid': syntax('a chunk does not begin with its size in hexadecimal'),
  'chunk-unterminated': syntax('a chunk is not followed by CRLF: its size is wrong'),
  'content-length-duplicated': syntax('there is more than one Content-Length'),
  'content-length-invalid': syntax('the Content-Length is not a decimal number'),
  'field-name-invalid': syntax('a field name is empty or not a token, or a line has no colon'),
  'field-value-invalid': syntax('a field value has a control character'),
  'fields-too-large': limit(431, 'the header fields are longer than the limit'),
  'host-duplicated': syntax('there is more than one Host'),
  'host-invalid': syntax('the Host is not a host name or address with an optional port'),
  'host-missing': syntax('an HTTP/1.1 request has no Host'),
  'line-folded': syntax('a field value goes on in the next line (obs-fold)'),
  'method-invalid': syntax('the method is not a token, or the request line is not one'),
  'method-too-long': limit(501, 'the method is longer than any known'),
  'space-before-colon': syntax('there is white space between a field name and its colon'),
  'status-invalid': syntax('the status is not a number from 100 to 599, or the reason is not text'),
  'status-line-too-long': limit(502, 'the status line is longer than the limit'),
  'target-invalid': syntax(
    'the request target has none of the four forms of RFC 9112, section 3.2',
  ),
  'target-too-long': limit(414, 'the request target is longer than the limit'),
  'too-many-fields': limit(431, 'there are more header fields than the limit'),
  'trailers-too-large': limit(431, 'the trailer fields are longer or more than the limit'),
  'transfer-coding-unknown': unsupported(501, 'a transfer coding other than chunked was applied'),
  'transfer-encoding-in-http-1.0': syntax('an HTTP/1.0 message has a Transfer-Encoding'),
  'transfer-encoding-invalid': syntax('the Transfer-Encoding does not end in one chunked'),
  'transfer-encoding-with-content-length': syntax(
    'there are both Transfer-Encoding and Content-Length, so the end of the body is in doubt',
  ),
  truncated: {
    status: 400,
    kind: 'truncated',
    meaning: 'the connection ended before the message did',
  },
  'version-invalid': syntax('the start line has no HTTP version'),
  'version-unsupported': unsupported(505, 'the HTTP version is not 1.0 or 1.1'),
};

function syntax(meaning: string): FaultMeaning {
  return { status: 400, kind: 'syntax', meaning };
}

function limit(status: number, meaning: string): FaultMeaning {
  return { status, kind: 'limit', meaning };
}

function unsupported(status: number, meaning: string): FaultMeaning {
  return { status, kind: 'unsupported', meaning };
}

const ERROR_CODES: { readonly [Kind in FaultMeaning['kind']]: string } = {
  syntax: 'HTTP_MALFORMED',
  limit: 'HTTP_LIMIT_EXCEEDED',
  unsupported: 'HTTP_UNSUPPORTED',
  truncated: 'HTTP_TRUNCATED',
};

const REMEDIES: { readonly [Kind in FaultMeaning['kind']]: string } = {
  syntax: 'The peer must be mended; a lenient reading would let messages be smuggled.',
  limit: 'If the message is what you want, raise the limit.',
  unsupported: 'Use a peer that speaks plain HTTP/1.1.',
  truncated: 'Try again; a download can go on from what has come.',
};

/** The fault as an error: `HTTP_MALFORMED`, `HTTP_LIMIT_EXCEEDED`, `HTTP_UNSUPPORTED` or `HTTP_TRUNCATED`. */
export function faultError(fault: Http1Fault, what: string): NetloomError {
  const { kind, meaning } = HTTP1_FAULTS[fault];
  return new NetloomError(ERROR_CODES[kind], `${what}: ${meaning} (${fault})`, {
    remedy: REMEDIES[kind],
  });
}
