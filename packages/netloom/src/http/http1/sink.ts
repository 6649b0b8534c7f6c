import type { NetloomError } from '../../core/index.ts';

/** What an HTTP/1.1 engine does to its connection; a `Connection` of a Host has all of it. */
export interface Http1Sink {
  /** Sends bytes, given away. False: wait for the engine's `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Stops and restarts the coming of input. */
  pause(): void;
  resume(): void;
  /** Sends what was written, then is gone, discarding what still comes. */
  close(): void;
  /** Gone now. */
  abort(error: NetloomError): void;
}
