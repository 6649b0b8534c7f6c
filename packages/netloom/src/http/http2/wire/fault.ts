import { NetloomError } from '../../../core/index.ts';
import { ErrorCode, errorCodeName, type Http2ErrorCode } from './error-code.ts';

/** What is wrong with what a peer has sent over HTTP/2 (RFC 9113). The name doubles as that of the counter. */
export type Http2Fault =
  | 'body-too-large'
  | 'connect-protocol-invalid'
  | 'connection-field'
  | 'connection-window-exceeded'
  | 'connection-window-overflow'
  | 'content-length-invalid'
  | 'content-length-mismatch'
  | 'continuation-expected'
  | 'continuation-flood'
  | 'continuation-unexpected'
  | 'control-backlog'
  | 'data-before-headers'
  | 'empty-frame-flood'
  | 'field-name-invalid'
  | 'field-value-invalid'
  | 'fields-too-large'
  | 'frame-length-invalid'
  | 'frame-on-closed-stream'
  | 'frame-on-ended-stream'
  | 'frame-on-half-closed-stream'
  | 'frame-on-idle-stream'
  | 'frame-on-reset-stream'
  | 'frame-too-large'
  | 'head-timeout'
  | 'header-block-invalid'
  | 'header-block-too-large'
  | 'host-invalid'
  | 'host-mismatch'
  | 'host-missing'
  | 'method-invalid'
  | 'padding-too-long'
  | 'ping-flood'
  | 'ping-unanswered'
  | 'preface-invalid'
  | 'preface-timeout'
  | 'priority-flood'
  | 'priority-length-invalid'
  | 'priority-of-itself'
  | 'priority-update-unexpected'
  | 'protocol-switched'
  | 'provoked-reset-flood'
  | 'pseudo-field-duplicated'
  | 'pseudo-field-late'
  | 'pseudo-field-missing'
  | 'pseudo-field-unexpected'
  | 'push-refused'
  | 'reset-flood'
  | 'scheme-invalid'
  | 'settings-flood'
  | 'settings-missing'
  | 'settings-timeout'
  | 'setting-invalid'
  | 'slow-read'
  | 'status-invalid'
  | 'stream-id-missing'
  | 'stream-id-not-greater'
  | 'stream-id-of-wrong-side'
  | 'stream-id-unexpected'
  | 'stream-window-exceeded'
  | 'stream-window-overflow'
  | 'target-invalid'
  | 'te-invalid'
  | 'timeout'
  | 'too-many-informational'
  | 'too-many-streams'
  | 'trailers-without-end'
  | 'unknown-frame-flood'
  | 'window-increment-zero'
  | 'window-increment-zero-on-stream'
  | 'window-size-invalid'
  | 'window-update-flood';

/** What a fault means, and what is ended for it. */
export interface Http2FaultMeaning {
  readonly code: Http2ErrorCode;
  /** What the peer is told of: RST_STREAM, or GOAWAY and the connection's end (RFC 9113, section 5.4). */
  readonly scope: 'stream' | 'connection';
  readonly meaning: string;
}

/** Every {@link Http2Fault} with its meaning. */
export const HTTP2_FAULTS: { readonly [Fault in Http2Fault]: Http2FaultMeaning } = {
  'body-too-large': stream(ErrorCode.CANCEL, 'the body is longer than the limit'),
  'connect-protocol-invalid': malformed(
    ':protocol stands in a request that is not CONNECT, or that was not invited to it',
  ),
  'connection-field': malformed('there is a field about the connection, which HTTP/2 has not'),
  'connection-window-exceeded': connection(
    ErrorCode.FLOW_CONTROL_ERROR,
    'more data came than the connection’s window allowed',
  ),
  'connection-window-overflow': connection(
    ErrorCode.FLOW_CONTROL_ERROR,
    'the connection’s window was made larger than 2^31-1',
  ),
  'content-length-invalid': malformed('the content-length is not one decimal number'),
  'content-length-mismatch': malformed('the body is not as long as its content-length says'),
  'continuation-expected': protocol('a header block was interrupted by another frame'),
  'continuation-flood': calm('a header block has more CONTINUATION frames than the limit'),
  'continuation-unexpected': protocol('a CONTINUATION frame continues nothing'),
  'control-backlog': calm('the peer makes us answer and does not read the answers'),
  'data-before-headers': malformed('data came before the header fields'),
  'empty-frame-flood': calm('there are too many frames that carry nothing'),
  'field-name-invalid': malformed('a field name is not a token in lower case'),
  'field-value-invalid': malformed('a field value has a character it must not have'),
  'fields-too-large': stream(
    ErrorCode.ENHANCE_YOUR_CALM,
    'the header fields are longer or more than the limit',
  ),
  'frame-length-invalid': connection(
    ErrorCode.FRAME_SIZE_ERROR,
    'a frame is shorter or longer than its type is',
  ),
  'frame-on-closed-stream': stream(ErrorCode.STREAM_CLOSED, 'a frame is of a stream long closed'),
  'frame-on-ended-stream': connection(
    ErrorCode.STREAM_CLOSED,
    'a frame came on a stream after its end',
  ),
  'frame-on-half-closed-stream': stream(
    ErrorCode.STREAM_CLOSED,
    'a frame came after the end of the sender’s side of the stream',
  ),
  'frame-on-idle-stream': protocol('a frame is of a stream that was never opened'),
  'frame-on-reset-stream': stream(
    ErrorCode.STREAM_CLOSED,
    'a frame came on a stream that its sender had reset',
  ),
  'frame-too-large': connection(
    ErrorCode.FRAME_SIZE_ERROR,
    'a frame is longer than SETTINGS_MAX_FRAME_SIZE',
  ),
  'head-timeout': calm('a header block was begun, and not ended in time'),
  'header-block-invalid': connection(
    ErrorCode.COMPRESSION_ERROR,
    'a header block cannot be decompressed',
  ),
  'header-block-too-large': calm('a header block is longer than the limit'),
  'host-invalid': malformed('the authority is not a host name or address with an optional port'),
  'host-mismatch': malformed('Host and :authority are of different hosts'),
  'host-missing': malformed('a request has neither :authority nor Host'),
  'method-invalid': malformed('the method is not a token'),
  'padding-too-long': protocol('the padding is as long as its frame, or longer'),
  'ping-flood': calm('there are too many PING frames'),
  'ping-unanswered': connection(ErrorCode.NO_ERROR, 'a PING was not answered in time'),
  'preface-invalid': protocol('the connection does not begin with the preface of HTTP/2'),
  'preface-timeout': connection(ErrorCode.NO_ERROR, 'the peer did not begin in time'),
  'priority-flood': calm('there are too many frames about priorities'),
  'priority-length-invalid': stream(
    ErrorCode.FRAME_SIZE_ERROR,
    'a PRIORITY frame is not 5 bytes long',
  ),
  'priority-of-itself': malformed('a stream depends on itself'),
  'priority-update-unexpected': protocol('a PRIORITY_UPDATE came from a server, or for no stream'),
  'protocol-switched': malformed('the status is 101, which HTTP/2 does not have'),
  'provoked-reset-flood': calm('the peer makes us reset too many streams'),
  'pseudo-field-duplicated': malformed('a pseudo-header field is there more than once'),
  'pseudo-field-late': malformed('a pseudo-header field comes after another field'),
  'pseudo-field-missing': malformed('a pseudo-header field is missing'),
  'pseudo-field-unexpected': malformed('a pseudo-header field is unknown, or out of place'),
  'push-refused': protocol('something was pushed, although that was refused'),
  'reset-flood': calm('the peer resets too many of its streams'),
  'scheme-invalid': malformed('the :scheme is not that of a URL'),
  'settings-flood': calm('there are too many SETTINGS frames'),
  'settings-missing': protocol('the first frame is not SETTINGS'),
  'settings-timeout': connection(
    ErrorCode.SETTINGS_TIMEOUT,
    'our settings were not acknowledged in time',
  ),
  'setting-invalid': protocol('a setting has a value that it must not have'),
  'slow-read': stream(
    ErrorCode.ENHANCE_YOUR_CALM,
    'the peer opens its windows too slowly for what it has asked for',
  ),
  'status-invalid': malformed('the :status is not a number from 100 to 599'),
  'stream-id-missing': protocol('a frame that belongs to a stream has none'),
  'stream-id-not-greater': protocol('a new stream’s number is not greater than those before'),
  'stream-id-of-wrong-side': protocol('a stream’s number is one of the other side’s'),
  'stream-id-unexpected': protocol('a frame of the connection has the number of a stream'),
  'stream-window-exceeded': stream(
    ErrorCode.FLOW_CONTROL_ERROR,
    'more data came than the stream’s window allowed',
  ),
  'stream-window-overflow': stream(
    ErrorCode.FLOW_CONTROL_ERROR,
    'a stream’s window was made larger than 2^31-1',
  ),
  'target-invalid': malformed('the :path is not one'),
  'te-invalid': malformed('the field te says something other than trailers'),
  timeout: stream(ErrorCode.CANCEL, 'the peer did not go on in time'),
  'too-many-informational': stream(
    ErrorCode.ENHANCE_YOUR_CALM,
    'there are more interim responses than the limit',
  ),
  'too-many-streams': stream(
    ErrorCode.REFUSED_STREAM,
    'there are more streams than SETTINGS_MAX_CONCURRENT_STREAMS',
  ),
  'trailers-without-end': malformed('header fields in the middle of a message do not end it'),
  'unknown-frame-flood': calm('there are too many frames of types not known here'),
  'window-increment-zero': protocol('the connection’s window was opened by 0'),
  'window-increment-zero-on-stream': malformed('a stream’s window was opened by 0'),
  'window-size-invalid': connection(
    ErrorCode.FLOW_CONTROL_ERROR,
    'SETTINGS_INITIAL_WINDOW_SIZE is above 2^31-1, or makes a window so',
  ),
  'window-update-flood': calm('there are too many WINDOW_UPDATE frames for the data sent'),
};

function stream(code: Http2ErrorCode, meaning: string): Http2FaultMeaning {
  return { code, scope: 'stream', meaning };
}

/** A message that is none is a stream error of type PROTOCOL_ERROR (RFC 9113, section 8.1.1). */
function malformed(meaning: string): Http2FaultMeaning {
  return stream(ErrorCode.PROTOCOL_ERROR, meaning);
}

function connection(code: Http2ErrorCode, meaning: string): Http2FaultMeaning {
  return { code, scope: 'connection', meaning };
}

function protocol(meaning: string): Http2FaultMeaning {
  return connection(ErrorCode.PROTOCOL_ERROR, meaning);
}

/** What costs us more than it costs the peer (RFC 9113, section 10.5). */
function calm(meaning: string): Http2FaultMeaning {
  return connection(ErrorCode.ENHANCE_YOUR_CALM, meaning);
}

/** Faults that are the lapse of time. */
const TIMEOUTS: ReadonlySet<Http2Fault> = new Set<Http2Fault>([
  'head-timeout',
  'ping-unanswered',
  'preface-timeout',
  'settings-timeout',
  'slow-read',
  'timeout',
]);

/** Faults of messages that may be good, and are too large for the limits here. */
const LIMITS: ReadonlySet<Http2Fault> = new Set<Http2Fault>([
  'body-too-large',
  'fields-too-large',
  'header-block-too-large',
  'too-many-informational',
  'too-many-streams',
]);

/** The fault as an error: `TIMEOUT`, `HTTP_LIMIT_EXCEEDED` or `HTTP_MALFORMED`. */
export function http2FaultError(fault: Http2Fault, what: string): NetloomError {
  const { code, meaning } = HTTP2_FAULTS[fault];
  const message = `${what}: ${meaning} (${fault}, ${errorCodeName(code)})`;
  if (TIMEOUTS.has(fault)) {
    const remedy = 'Check that the peer is reached, or allow more time.';
    return new NetloomError('TIMEOUT', message, { remedy });
  }
  if (LIMITS.has(fault)) {
    const remedy = 'If the message is what you want, raise the limit.';
    return new NetloomError('HTTP_LIMIT_EXCEEDED', message, { remedy });
  }
  return new NetloomError('HTTP_MALFORMED', message, {
    remedy: 'The peer must be mended; a lenient reading would let messages be smuggled.',
  });
}
