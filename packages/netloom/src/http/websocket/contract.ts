import type { Counters, NetloomError, Random } from '../../core/index.ts';
import type { MessageCompressor } from './compressor.ts';
import type { DeflateAgreement } from './handshake/index.ts';
import type { WebSocketLimits } from './limits.ts';
import type { AcceptedMessages } from './message-receiver.ts';

/** What a WebSocket does to what carries it; a `Connection` of a Host has all of it. */
export interface WebSocketSink {
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

/** How a WebSocket has ended. */
export interface WebSocketClosure {
  /** From the peer's Close; 1005: that had none; 1006: none came. */
  readonly code: number;
  readonly reason: string;
  /** Both sides have sent Close. */
  readonly wasClean: boolean;
  /** Why it was failed or broken off; undefined after a clean end. */
  readonly error: NetloomError | undefined;
}

/** What a WebSocket tells. Each may call anything of the engine's. */
export interface WebSocketHandler {
  /** A message has come: text, or bytes in an array of their own, the handler's to keep. */
  message(data: string | Uint8Array): void;
  /** A Ping has come, and is being answered. The payload is the handler's to keep, as a Pong's is. */
  ping?(payload: Uint8Array): void;
  pong?(payload: Uint8Array): void;
  /** `send` answered false before; there is room again. */
  drain?(): void;
  /** The last call, made once. */
  closed(closure: WebSocketClosure): void;
}

/** What compresses the messages of a connection, and what that was made from. */
export interface WebSocketCompression {
  readonly agreement: DeflateAgreement;
  readonly compressor: MessageCompressor;
  /** Messages shorter than so many bytes (a text: characters) are sent as they are. Default 1,024. */
  readonly from?: number;
}

/** What an engine is made from. */
export interface WebSocketOptions {
  readonly sink: WebSocketSink;
  readonly handler: WebSocketHandler;
  readonly now: number;
  /** Of a client, whose frames are masked: where the keys come from, which nobody may foresee. Absent: this is the server. */
  readonly random?: Random;
  readonly limits?: WebSocketLimits;
  readonly compression?: WebSocketCompression | undefined;
  /** What messages are taken; others fail the connection. Default `any`. */
  readonly accepts?: AcceptedMessages;
  /** Where faults and what was dropped are counted: the connections of a server may share it. */
  readonly statistics?: Counters;
}
