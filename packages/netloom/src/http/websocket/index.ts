/** WebSocket (RFC 6455) and its compression (RFC 7692): the engine of both sides, the handshake, and what they are made of. */
export { FLUSH_TAIL, type DecompressFault, type MessageCompressor } from './compressor.ts';
export type {
  WebSocketClosure,
  WebSocketCompression,
  WebSocketHandler,
  WebSocketOptions,
  WebSocketSink,
} from './contract.ts';
export { WEBSOCKET_TRANSITIONS, WebSocketEngine, type WebSocketState } from './engine.ts';
export * from './handshake/index.ts';
export { WEBSOCKET_LIMITS, type WebSocketLimits } from './limits.ts';
export type { AcceptedMessages } from './message-receiver.ts';
export type { SendOptions } from './message-sender.ts';
export * from './wire/index.ts';
