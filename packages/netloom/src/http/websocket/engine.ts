import {
  Counters,
  EMPTY,
  NetloomError,
  StateMachine,
  TokenBucket,
  copyBytes,
  hostError,
  type Engine,
  type Transitions,
} from '../../core/index.ts';
import type {
  WebSocketCompression,
  WebSocketHandler,
  WebSocketOptions,
  WebSocketSink,
} from './contract.ts';
import { WEBSOCKET_LIMITS, type WebSocketLimits } from './limits.ts';
import { MessageReceiver } from './message-receiver.ts';
import { MessageSender, type SendOptions, type SenderCompression } from './message-sender.ts';
import {
  CONTROL_PAYLOAD_LIMIT,
  CloseCode,
  Opcode,
  WEBSOCKET_FAULTS,
  closePayload,
  parseClose,
  webSocketFaultError,
  type CloseReason,
  type WebSocketFault,
} from './wire/index.ts';

/**
 * Where a WebSocket stands after its handshake (RFC 6455, section 7.1): `closing` has sent Close and waits for the peer's, `ending` reads
 * nothing any more and waits for the transport to be gone.
 */
export type WebSocketState = 'open' | 'closing' | 'ending' | 'closed';

type WebSocketEvent = 'close' | 'peer-close' | 'fail' | 'gone';

/** The steps of a WebSocket after its handshake. */
export const WEBSOCKET_TRANSITIONS: Transitions<WebSocketState, WebSocketEvent> = {
  open: { close: 'closing', 'peer-close': 'ending', fail: 'ending', gone: 'closed' },
  closing: { 'peer-close': 'ending', fail: 'ending', gone: 'closed' },
  ending: { gone: 'closed' },
  closed: {},
};

/** The default of {@link WebSocketCompression.from}. */
const COMPRESSED_FROM = 1024;
/** RFC 7692 has windows of 2^8 bytes, zlib has not: a side that is bound to one sends its messages as they are. */
const SMALLEST_WINDOW_BITS = 9;

/**
 * One side of a WebSocket after its handshake (RFC 6455): no I/O, no clock.
 *
 * It answers Ping and Close by itself, sends a Ping when it has heard nothing for too long, and fails the connection with the code
 * that belongs to the fault.
 */
export class WebSocketEngine implements Engine {
  /** Faults and what was dropped, by name. */
  readonly statistics: Counters;
  readonly #sink: WebSocketSink;
  readonly #handler: WebSocketHandler;
  readonly #limits: WebSocketLimits;
  readonly #isServer: boolean;
  readonly #machine: StateMachine<WebSocketState, WebSocketEvent>;
  readonly #receiver: MessageReceiver;
  readonly #sender: MessageSender;
  #controlTokens: TokenBucket | undefined;
  /** The time of the last call. */
  #now: number;
  #running = false;
  #isPaused = false;
  #peerEnded = false;
  #hasRoom = true;
  /** The payload of the last Ping, if it came while there was no room for the Pong. */
  #owedPong: Uint8Array | undefined;
  #closeCalled = false;
  #closeSent = false;
  #peerClose: CloseReason | undefined;
  #error: NetloomError | undefined;
  /** When the peer must have been heard of. */
  #readDeadline: number;
  /** When it must have taken what it is sent. */
  #writeDeadline = Infinity;
  /** A Ping was sent because nothing was heard, and nothing was heard since. */
  #isProbing = false;

  constructor(options: WebSocketOptions) {
    const { limits = WEBSOCKET_LIMITS, random, compression, accepts = 'any' } = options;
    this.#sink = options.sink;
    this.#handler = options.handler;
    this.#limits = limits;
    this.#now = options.now;
    this.#isServer = random === undefined;
    this.statistics = options.statistics ?? new Counters();
    this.#machine = new StateMachine('websocket', WEBSOCKET_TRANSITIONS, 'open');
    const compressor = compression?.compressor;
    this.#receiver = new MessageReceiver({ masked: this.#isServer, accepts, compressor, limits });
    this.#sender = new MessageSender({
      write: (bytes) => this.#write(bytes),
      random,
      compression: senderCompression(compression),
    });
    this.#readDeadline = options.now + limits.pingInterval;
  }

  get state(): WebSocketState {
    return this.#machine.state;
  }

  deadline(): number {
    // Who is not listened to cannot be heard of.
    return this.#isPaused ? this.#writeDeadline : Math.min(this.#readDeadline, this.#writeDeadline);
  }

  advance(now: number): void {
    this.#now = now;
    if (now < this.deadline()) return;
    if (now >= this.#writeDeadline) this.#timeOut('the peer took nothing of what it was sent');
    else this.#readTimedOut();
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    this.#now = now;
    if (!this.#isReading()) return;
    if (this.state === 'open') this.#heard();
    this.#receiver.feed(this.#running ? copyBytes(chunk) : chunk);
    this.#run();
  }

  /** The peer sends no more. */
  receiveEnd(now: number): void {
    this.#now = now;
    this.#peerEnded = true;
    if (this.state === 'ending') this.#sink.close();
    else this.#run();
  }

  /** The sink has room again. */
  drained(now: number): void {
    this.#now = now;
    this.#hasRoom = true;
    this.#writeDeadline = Infinity;
    if (this.state === 'closing') this.#readDeadline = now + this.#limits.closeTimeout;
    const payload = this.#owedPong;
    this.#owedPong = undefined;
    if (payload !== undefined && this.#isReading()) this.#sender.control(Opcode.PONG, payload);
    if (this.#hasRoom) this.#handler.drain?.();
  }

  /** What carried it is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    if (this.state === 'closed') return;
    this.#machine.take('gone', now);
    this.#stopReading();
    this.#writeDeadline = Infinity;
    const wasClean = this.#peerClose !== undefined && this.#closeSent;
    const { code, reason } = this.#peerClose ?? { code: CloseCode.ABNORMAL, reason: '' };
    const reported = wasClean ? undefined : (this.#error ?? error ?? endedWithoutClose());
    this.#handler.closed({ code, reason, wasClean, error: reported });
  }

  /**
   * Sends a message; bytes are given away. False asks the caller to wait for `drain`; the message is taken all the same. After
   * {@link close} or {@link abort} it throws `WRITE_AFTER_END`; when the peer has closed it, or it has failed, the message is dropped.
   */
  send(message: string | Uint8Array, now: number, options: SendOptions = {}): boolean {
    this.#now = now;
    if (this.#closeCalled) {
      throw hostError('WRITE_AFTER_END', 'a message was sent after the WebSocket was closed');
    }
    if (this.state !== 'open') {
      this.statistics.add('message-unsent');
      return false;
    }
    this.#sender.send(message, options);
    return this.#hasRoom;
  }

  /** Sends a Ping while it is open. Throws `WEBSOCKET_PING_TOO_LONG` for more than 125 bytes. */
  ping(payload: Uint8Array, now: number): void {
    this.#now = now;
    if (payload.length > CONTROL_PAYLOAD_LIMIT) {
      throw new NetloomError(
        'WEBSOCKET_PING_TOO_LONG',
        `a Ping cannot have ${payload.length} bytes: ${CONTROL_PAYLOAD_LIMIT} are allowed`,
        { remedy: 'Send a number or a time, or a message.' },
      );
    }
    if (this.state === 'open') this.#sender.control(Opcode.PING, payload);
  }

  /**
   * Says Close and waits for the peer's; a pause ends, and what the peer has still to say is told. Idempotent. Throws
   * `WEBSOCKET_CLOSE_INVALID` for a code or reason that cannot be sent; 1005 with no reason sends none.
   */
  close(code: number, reason: string, now: number): void {
    this.#now = now;
    const payload = closePayload(code, reason);
    this.#closeCalled = true;
    if (this.state !== 'open') return;
    this.#machine.take('close', now);
    this.#sendClose(payload);
    // While what was written before waits to be taken, the peer cannot answer.
    this.#readDeadline = this.#hasRoom ? now + this.#limits.closeTimeout : Infinity;
    this.resume(now);
  }

  /** Gone now, without a word to the peer. */
  abort(error: NetloomError, now: number): void {
    this.#now = now;
    this.#closeCalled = true;
    if (this.#isReading()) this.#breakOff(error);
    else if (this.state === 'ending') this.#sink.abort(error);
  }

  /** Tells no more messages until {@link resume}; in the end the peer cannot send. It is not probed meanwhile. */
  pause(): void {
    if (this.state !== 'open' || this.#isPaused) return;
    this.#isPaused = true;
    this.#sink.pause();
  }

  /** Tells what has come, and goes on. */
  resume(now: number): void {
    this.#now = now;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.state === 'open') this.#heard();
    this.#run();
    if (!this.#isPaused && this.#isReading()) this.#sink.resume();
  }

  /** Reads on as far as anybody wants it. It is not entered twice: what a handler calls meanwhile is seen by the loop. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#isReading() && !this.#isPaused) {
        const event = this.#receiver.next();
        if (event === 'message') this.#handler.message(this.#receiver.message);
        else if (event === 'control') this.#takeControl();
        else if (event === 'fault') this.#fail(this.#receiver.fault!);
        else break;
      }
    } finally {
      this.#running = false;
      this.#receiver.keepUnread();
    }
    if (this.#peerEnded && this.#isReading() && !this.#isPaused) this.#endWithoutClose();
  }

  #isReading(): boolean {
    return this.state === 'open' || this.state === 'closing';
  }

  #takeControl(): void {
    const { opcode, payload } = this.#receiver;
    if (opcode === Opcode.CLOSE) {
      this.#takeClose(payload);
      return;
    }
    const { controlRate, controlBurst } = this.#limits;
    this.#controlTokens ??= new TokenBucket(controlRate, controlBurst);
    if (!this.#controlTokens.take(this.#now)) {
      this.#fail('control-flood');
    } else if (opcode === Opcode.PING) {
      this.#answerPing(payload);
      this.#handler.ping?.(payload);
    } else {
      this.#handler.pong?.(payload);
    }
  }

  #answerPing(payload: Uint8Array): void {
    if (this.#hasRoom) {
      this.#sender.control(Opcode.PONG, payload);
      return;
    }
    // RFC 6455, section 5.5.3: of several Pings the last may be answered alone. So Pongs that nobody takes do not pile up.
    if (this.#owedPong !== undefined) this.statistics.add('ping-unanswered');
    this.#owedPong = copyBytes(payload);
  }

  #takeClose(payload: Uint8Array): void {
    const close = parseClose(payload);
    if (typeof close === 'string') {
      this.#fail(close);
      return;
    }
    this.#peerClose = close;
    this.#machine.take('peer-close', this.#now);
    this.#stopReading();
    // RFC 6455, section 5.5.1: the answer has the code that came.
    if (!this.#closeSent) this.#sendClose(closePayload(close.code, ''));
    // Section 7.1.1: the server closes the connection first, so that it is the one to hold its port in TIME-WAIT.
    if (this.#isServer || this.#peerEnded) this.#sink.close();
    else this.#readDeadline = this.#now + this.#limits.closeTimeout;
  }

  #sendClose(payload: Uint8Array): void {
    this.#closeSent = true;
    this.#owedPong = undefined;
    this.#sender.control(Opcode.CLOSE, payload);
  }

  /** Fails the connection (RFC 6455, section 7.1.7): the peer is told why, and nothing of what it says is read any more. */
  #fail(fault: WebSocketFault): void {
    this.statistics.add(fault);
    this.#error = webSocketFaultError(fault, this.#receiver.cause);
    this.#machine.take('fail', this.#now);
    this.#stopReading();
    if (!this.#closeSent) this.#sendClose(closePayload(WEBSOCKET_FAULTS[fault].code, fault));
    this.#sink.close();
  }

  #endWithoutClose(): void {
    this.statistics.add('close-missing');
    this.#error = endedWithoutClose();
    this.#machine.take('fail', this.#now);
    this.#stopReading();
    this.#sink.close();
  }

  #breakOff(error: NetloomError): void {
    this.#error = error;
    this.#machine.take('fail', this.#now);
    this.#stopReading();
    this.#writeDeadline = Infinity;
    this.#sink.abort(error);
  }

  #timeOut(what: string): void {
    this.statistics.add('timeout');
    const error = hostError('TIMEOUT', what);
    this.#writeDeadline = Infinity;
    if (this.#isReading()) this.#breakOff(error);
    else this.#sink.abort(error);
  }

  #stopReading(): void {
    this.#readDeadline = Infinity;
    this.#isPaused = false;
    this.#receiver.clear();
  }

  #heard(): void {
    this.#isProbing = false;
    this.#readDeadline = this.#now + this.#limits.pingInterval;
  }

  #readTimedOut(): void {
    if (this.state === 'ending') {
      // The client has waited long enough for the server to close the connection.
      this.#readDeadline = Infinity;
      this.#sink.close();
    } else if (this.state === 'closing') {
      this.#timeOut('the peer did not answer Close');
    } else if (!this.#hasRoom) {
      // What was sent before stands in the way of a Ping; the deadline for writing is the one that counts.
      this.#heard();
    } else if (this.#isProbing) {
      this.#timeOut('the peer did not answer a Ping');
    } else {
      this.#isProbing = true;
      this.#readDeadline = this.#now + this.#limits.pongTimeout;
      this.#sender.control(Opcode.PING, EMPTY);
    }
  }

  #write(bytes: Uint8Array): void {
    this.#hasRoom = this.#sink.write(bytes);
    if (!this.#hasRoom && this.#writeDeadline === Infinity) {
      this.#writeDeadline = this.#now + this.#limits.writeTimeout;
    }
  }
}

function senderCompression(
  compression: WebSocketCompression | undefined,
): SenderCompression | undefined {
  if (compression === undefined) return undefined;
  const { agreement, compressor, from = COMPRESSED_FROM } = compression;
  if (agreement.windowBits < SMALLEST_WINDOW_BITS) return undefined;
  return { compressor, from, hasContext: agreement.contextTakeover };
}

function endedWithoutClose(): NetloomError {
  return new NetloomError('WEBSOCKET_TRUNCATED', 'the connection ended without a Close frame', {
    remedy: 'Connect again; what was sent last may not have arrived.',
  });
}
