/** HTTP/2 (RFC 9113): the engines of both sides, and what they are made of. */
export { Http2Client, type Http2ClientHandler, type Http2ClientOptions } from './client-engine.ts';
export type { Http2ClientExchange, Http2ClientExchangeHandler } from './client-exchange.ts';
export { HTTP2_CONNECTION_TRANSITIONS, type Http2ConnectionState } from './connection-state.ts';
export {
  HTTP2_CLIENT_LIMITS,
  HTTP2_LIMITS,
  HTTP2_SERVER_LIMITS,
  type Http2ClientLimits,
  type Http2Limits,
  type Http2ServerLimits,
} from './limits.ts';
export type {
  Http2BodyLength,
  Http2ClientRequest,
  Http2RequestHead,
  Http2ResponseHead,
} from './message.ts';
export type { Http2Sink } from './sender.ts';
export { Http2Server, type Http2ServerHandler, type Http2ServerOptions } from './server-engine.ts';
export type { Http2ServerExchange, Http2ServerExchangeHandler } from './server-exchange.ts';
export { HTTP2_STREAM_TRANSITIONS, type Http2StreamState } from './stream.ts';
export * from './wire/index.ts';
