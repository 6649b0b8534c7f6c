/** Packets for others, taken up in their name: what a user-mode uplink is built on. */
export type {
  AttemptEnd,
  InterceptedConnection,
  InterceptedDatagram,
  InterceptedEcho,
  Interceptor,
  Refusal,
} from './interceptor.ts';
export {
  Interception,
  type InterceptionEnvironment,
  type InterceptionOptions,
} from './interception.ts';
export { Interceptions } from './interceptions.ts';
