/** WebSocket frames (RFC 6455, section 5): bytes to frames and back, and what they are made of. */
export { CloseCode, isCloseCode } from './close-code.ts';
export { closePayload, parseClose, type CloseReason } from './close-frame.ts';
export {
  WEBSOCKET_FAULTS,
  webSocketFaultError,
  type WebSocketFault,
  type WebSocketFaultMeaning,
} from './fault.ts';
export { FrameReader, type FrameEvent, type FrameReaderOptions } from './frame-reader.ts';
export {
  encodeFrame,
  frameHeaderLength,
  writeFrameHeader,
  type FrameFlags,
} from './frame-writer.ts';
export { copyMasked } from './mask.ts';
export { CONTROL_PAYLOAD_LIMIT, Opcode, isControl, isOpcode } from './opcode.ts';
export { Utf8Validator } from './utf8.ts';
