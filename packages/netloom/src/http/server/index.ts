/** HTTP servers on a Host. */
export type { FetchHandler, ServeInfo } from './connection.ts';
export {
  SERVER_LIMITS,
  serve,
  type ServeOptions,
  type Server,
  type ServerLimits,
} from './serve.ts';
