import { NetloomError } from '../../../core/index.ts';
import { CloseCode } from './close-code.ts';

/** Why a connection is failed (RFC 6455, section 7.1.7). The name doubles as that of the counter. */
export type WebSocketFault =
  | 'binary-refused'
  | 'close-code-invalid'
  | 'close-payload-short'
  | 'close-reason-not-utf8'
  | 'compression-invalid'
  | 'compressor-failed'
  | 'continuation-unexpected'
  | 'control-flood'
  | 'control-fragmented'
  | 'control-too-long'
  | 'decompressed-too-large'
  | 'frame-too-large'
  | 'length-invalid'
  | 'length-not-minimal'
  | 'mask-missing'
  | 'mask-unexpected'
  | 'message-interrupted'
  | 'message-too-large'
  | 'opcode-reserved'
  | 'reserved-bits'
  | 'text-not-utf8'
  | 'text-refused'
  | 'too-many-fragments';

/** What a fault means. */
export interface WebSocketFaultMeaning {
  /** What the peer is told. */
  readonly code: number;
  /** `limit`: it may be a good message that is too large for the limits here. */
  readonly kind: 'syntax' | 'limit' | 'internal';
  readonly meaning: string;
}

/** Every {@link WebSocketFault} with its meaning. */
export const WEBSOCKET_FAULTS: { readonly [Fault in WebSocketFault]: WebSocketFaultMeaning } = {
  'binary-refused': { ...syntax('only text is taken here'), code: CloseCode.UNSUPPORTED_DATA },
  'close-code-invalid': syntax('the close code must not be sent'),
  'close-payload-short': syntax('a Close frame has a payload of one byte'),
  'close-reason-not-utf8': data('the reason for closing is not UTF-8'),
  'compression-invalid': data('a compressed message cannot be decompressed'),
  'compressor-failed': {
    code: CloseCode.INTERNAL_ERROR,
    kind: 'internal',
    meaning: 'the compressor failed',
  },
  'continuation-unexpected': syntax('a continuation frame has nothing to continue'),
  'control-flood': limit(CloseCode.POLICY_VIOLATION, 'too many control frames came at once'),
  'control-fragmented': syntax('a control frame is fragmented'),
  'control-too-long': syntax('a control frame has more than 125 bytes'),
  'decompressed-too-large': limit(
    CloseCode.MESSAGE_TOO_BIG,
    'a message is larger than the limits once it is decompressed',
  ),
  'frame-too-large': limit(CloseCode.MESSAGE_TOO_BIG, 'a frame is longer than the limit'),
  'length-invalid': syntax('the highest bit of a 64-bit length is set'),
  'length-not-minimal': syntax('a length takes more bytes than it needs'),
  'mask-missing': syntax('a client sent a frame that is not masked'),
  'mask-unexpected': syntax('a server sent a frame that is masked'),
  'message-interrupted': syntax('a message begins before the last one has ended'),
  'message-too-large': limit(CloseCode.MESSAGE_TOO_BIG, 'a message is longer than the limit'),
  'opcode-reserved': syntax('the opcode is reserved'),
  'reserved-bits': syntax('a reserved bit is set that no extension gives a meaning'),
  'text-not-utf8': data('a text message is not UTF-8'),
  'text-refused': { ...syntax('only binary data is taken here'), code: CloseCode.UNSUPPORTED_DATA },
  'too-many-fragments': limit(
    CloseCode.MESSAGE_TOO_BIG,
    'a message comes in more fragments than the limit',
  ),
};

function syntax(meaning: string): WebSocketFaultMeaning {
  return { code: CloseCode.PROTOCOL_ERROR, kind: 'syntax', meaning };
}

function data(meaning: string): WebSocketFaultMeaning {
  return { code: CloseCode.INVALID_PAYLOAD, kind: 'syntax', meaning };
}

function limit(code: number, meaning: string): WebSocketFaultMeaning {
  return { code, kind: 'limit', meaning };
}

const ERRORS: {
  readonly [Kind in WebSocketFaultMeaning['kind']]: { code: string; remedy: string };
} = {
  syntax: { code: 'WEBSOCKET_MALFORMED', remedy: 'The peer must be mended.' },
  limit: {
    code: 'WEBSOCKET_LIMIT_EXCEEDED',
    remedy: 'If the message is what you want, raise the limit.',
  },
  internal: {
    code: 'WEBSOCKET_COMPRESSOR_FAILED',
    remedy: 'Do without compression; the cause is what the compressor threw.',
  },
};

/** The fault as an error: `WEBSOCKET_MALFORMED`, `WEBSOCKET_LIMIT_EXCEEDED` or `WEBSOCKET_COMPRESSOR_FAILED`. */
export function webSocketFaultError(fault: WebSocketFault, cause?: unknown): NetloomError {
  const { kind, meaning } = WEBSOCKET_FAULTS[fault];
  const { code, remedy } = ERRORS[kind];
  return new NetloomError(code, `the WebSocket was failed: ${meaning} (${fault})`, {
    remedy,
    cause,
  });
}
