/** HTTP/1.1 messages as bytes (RFC 9112): parsers and serialisers, pure. */
export { HTTP1_FAULTS, faultError, type FaultMeaning, type Http1Fault } from './fault.ts';
export { HTTP1_WIRE_LIMITS, type Http1WireLimits } from './limits.ts';
export type { BodyFraming, MinorVersion, RequestHead, ResponseHead } from './message.ts';
export { RequestParser, ResponseParser, type ParserEvent } from './parser.ts';
export {
  serialiseChunkEnd,
  serialiseChunkStart,
  serialiseLastChunk,
  serialiseRequestHead,
  serialiseResponseHead,
} from './serialiser.ts';
