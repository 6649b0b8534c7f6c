import { EMPTY, NetloomError, readUint16 } from '../../../core/index.ts';
import { CloseCode, isCloseCode } from './close-code.ts';
import type { WebSocketFault } from './fault.ts';
import { CONTROL_PAYLOAD_LIMIT } from './opcode.ts';

/** What a Close frame says. */
export interface CloseReason {
  /** {@link CloseCode.NO_STATUS} where the frame has none. */
  readonly code: number;
  readonly reason: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the payload of a Close frame (RFC 6455, section 5.5.1). */
export function parseClose(payload: Uint8Array): CloseReason | WebSocketFault {
  if (payload.length === 0) return { code: CloseCode.NO_STATUS, reason: '' };
  if (payload.length === 1) return 'close-payload-short';
  const code = readUint16(payload, 0);
  if (!isCloseCode(code)) return 'close-code-invalid';
  try {
    return { code, reason: decoder.decode(payload.subarray(2)) };
  } catch {
    return 'close-reason-not-utf8';
  }
}

/**
 * The payload of a Close frame; with {@link CloseCode.NO_STATUS} it is empty. Throws `WEBSOCKET_CLOSE_INVALID` for a code
 * that must not be sent, or a reason of more than 123 bytes.
 */
export function closePayload(code: number, reason: string): Uint8Array {
  if (code === CloseCode.NO_STATUS && reason === '') return EMPTY;
  if (!isCloseCode(code)) throw closeInvalid(`the close code ${code} must not be sent`);
  const text = encoder.encode(reason);
  if (text.length > CONTROL_PAYLOAD_LIMIT - 2) {
    throw closeInvalid(`the reason for closing is ${text.length} bytes long, 123 are allowed`);
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(text, 2);
  return payload;
}

function closeInvalid(message: string): NetloomError {
  return new NetloomError('WEBSOCKET_CLOSE_INVALID', message, {
    remedy: 'Use 1000, or 3000 to 4999, and a short reason.',
  });
}
