/** Why a stream or a connection is ended, as RST_STREAM and GOAWAY carry it (RFC 9113, section 7). */
export type Http2ErrorCode = number;

/** The error codes of RFC 9113, section 7. A code that is not among them has no special meaning, and is no fault. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(ErrorCode).map(([name, code]) => [code, name]),
);

/** The code's name in the RFC, or its number. */
export function errorCodeName(code: Http2ErrorCode): string {
  return NAMES.get(code) ?? `0x${code.toString(16)}`;
}
