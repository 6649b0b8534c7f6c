/** Two WebSocket engines with a line between them, in virtual time. */
import { seededRandom, withLimits, type NetloomError } from '../../src/core/index.ts';
import {
  WEBSOCKET_LIMITS,
  WebSocketEngine,
  type DeflateAgreement,
  type WebSocketClosure,
  type WebSocketHandler,
  type WebSocketLimits,
  type WebSocketOptions,
  type WebSocketSink,
} from '../../src/http/websocket/index.ts';
import { createMessageCompressor } from './message-compressor.ts';

/** What carries an engine's bytes, written down. */
export class RecordingSink implements WebSocketSink {
  /** What was written, not asked for yet by {@link take}. */
  #sent: Uint8Array[] = [];
  hasRoom = true;
  isPaused = false;
  isClosed = false;
  aborted: NetloomError | undefined;

  write(bytes: Uint8Array): boolean {
    if (this.isClosed) throw new Error('written after close');
    this.#sent.push(bytes);
    return this.hasRoom;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.isClosed = true;
  }

  abort(error: NetloomError): void {
    this.isClosed = true;
    this.aborted ??= error;
  }

  /** What was written since this was last called. */
  take(): Uint8Array {
    const sent = Uint8Array.from(Buffer.concat(this.#sent));
    this.#sent = [];
    return sent;
  }
}

/** What an engine has told, in order. */
export class RecordingHandler implements WebSocketHandler {
  readonly messages: (string | Uint8Array)[] = [];
  /** Control frames: `ping 0102`. */
  readonly controls: string[] = [];
  drains = 0;
  closure: WebSocketClosure | undefined;

  message(data: string | Uint8Array): void {
    if (this.closure !== undefined) throw new Error('told after closed');
    this.messages.push(data);
  }

  ping(payload: Uint8Array): void {
    this.controls.push(`ping ${Buffer.from(payload).toString('hex')}`);
  }

  pong(payload: Uint8Array): void {
    this.controls.push(`pong ${Buffer.from(payload).toString('hex')}`);
  }

  drain(): void {
    this.drains++;
  }

  closed(closure: WebSocketClosure): void {
    if (this.closure !== undefined) throw new Error('closed twice');
    this.closure = closure;
  }
}

/** What is different from the defaults. */
export interface EndOptions extends Omit<
  Partial<WebSocketOptions>,
  'sink' | 'handler' | 'random' | 'limits' | 'compression'
> {
  readonly isClient?: boolean;
  readonly limits?: Partial<WebSocketLimits>;
  readonly agreement?: DeflateAgreement | undefined;
  /** Messages of so many bytes are compressed. Default 0. */
  readonly compressedFrom?: number;
}

/** One engine with its sink and handler. */
export class End {
  readonly sink = new RecordingSink();
  readonly handler = new RecordingHandler();
  readonly engine: WebSocketEngine;

  constructor(options: EndOptions = {}) {
    const { isClient, limits, agreement, compressedFrom, ...rest } = options;
    this.engine = new WebSocketEngine({
      now: 0,
      ...rest,
      sink: this.sink,
      handler: this.handler,
      limits: withLimits(WEBSOCKET_LIMITS, limits),
      ...(isClient === true ? { random: seededRandom(1) } : {}),
      ...(agreement === undefined
        ? {}
        : {
            compression: {
              agreement,
              compressor: createMessageCompressor(agreement),
              from: compressedFrom ?? 0,
            },
          }),
    });
  }

  /** Gives bytes to the engine, from an array that is overwritten afterwards, as a borrowed one may be. */
  receive(bytes: Uint8Array, now = 0): void {
    const borrowed = Uint8Array.from(bytes);
    this.engine.receive(borrowed, now);
    borrowed.fill(0xee);
  }
}

/** Carries bytes between both until neither has more to say. `cut`: how many bytes go at once. */
export function converse(a: End, b: End, cut: () => number = () => Infinity, now = 0): void {
  for (let turns = 0; ; turns++) {
    if (turns > 10_000) throw new Error('they never fall silent');
    const fromA = a.sink.take();
    const fromB = b.sink.take();
    if (fromA.length === 0 && fromB.length === 0) return;
    carry(fromA, b, cut, now);
    carry(fromB, a, cut, now);
  }
}

function carry(bytes: Uint8Array, to: End, cut: () => number, now: number): void {
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + Math.max(1, cut()));
    to.receive(bytes.subarray(at, next), now);
    at = next;
  }
}

/** No parameters: windows as large as can be, no context taken over. */
export const PLAIN_DEFLATE: DeflateAgreement = {
  windowBits: 15,
  contextTakeover: false,
  peerWindowBits: 15,
  peerContextTakeover: false,
};
