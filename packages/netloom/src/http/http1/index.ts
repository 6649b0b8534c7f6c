/** HTTP/1.1 (RFC 9112): the engines of both sides, and what they are made of. */
export { HTTP1_CLIENT_LIMITS, HTTP1_CLIENT_TRANSITIONS, Http1Client } from './client-engine.ts';
export type {
  ClientRequest,
  Http1ClientHandler,
  Http1ClientLimits,
  Http1ClientOptions,
  Http1ClientState,
} from './client-engine.ts';
export type { ClientExchange, ClientExchangeHandler } from './client-exchange.ts';
export { HTTP1_SERVER_TRANSITIONS, Http1Server } from './server-engine.ts';
export type { Http1ServerHandler, Http1ServerOptions, Http1ServerState } from './server-engine.ts';
export type { ServerExchange, ServerExchangeHandler } from './server-exchange.ts';
export { HTTP1_SERVER_LIMITS, type Http1ServerLimits } from './server-limits.ts';
export type { Http1Sink } from './sink.ts';
export * from './wire/index.ts';
