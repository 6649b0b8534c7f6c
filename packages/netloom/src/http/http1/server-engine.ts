import {
  NetloomError,
  StateMachine,
  hostError,
  type Engine,
  type Transitions,
} from '../../core/index.ts';
import { Fields, reasonPhrase } from '../semantics/index.ts';
import { MessageInput } from './message-input.ts';
import { ServerExchange, hasUnknownExpectation, type ExchangeOwner } from './server-exchange.ts';
import type { Http1ServerLimits } from './server-limits.ts';
import type { Http1Sink } from './sink.ts';
import {
  HTTP1_FAULTS,
  RequestParser,
  faultError,
  serialiseResponseHead,
  type Http1Fault,
} from './wire/index.ts';

/** Where a server's connection stands: `draining` reads the rest of a body nobody wants, `closing` reads nothing. */
export type Http1ServerState = 'idle' | 'head' | 'exchange' | 'draining' | 'closing' | 'closed';

type Http1ServerEvent = 'begin' | 'request' | 'answered' | 'unread' | 'drained' | 'stop' | 'gone';

/** The steps of a server's connection. */
export const HTTP1_SERVER_TRANSITIONS: Transitions<Http1ServerState, Http1ServerEvent> = {
  idle: { begin: 'head', request: 'exchange', stop: 'closing', gone: 'closed' },
  head: { request: 'exchange', stop: 'closing', gone: 'closed' },
  exchange: { answered: 'idle', unread: 'draining', stop: 'closing', gone: 'closed' },
  draining: { drained: 'idle', stop: 'closing', gone: 'closed' },
  closing: { gone: 'closed' },
  closed: {},
};

/** What a {@link Http1Server} tells. */
export interface Http1ServerHandler {
  /** A request's head has come. Call {@link ServerExchange.start} before returning. */
  request(exchange: ServerExchange): void;
  /** A request was refused and answered by the engine: for counting. */
  refused(fault: Http1Fault | 'expectation-unknown' | 'timeout'): void;
}

/** What a {@link Http1Server} is made from. */
export interface Http1ServerOptions {
  readonly sink: Http1Sink;
  readonly handler: Http1ServerHandler;
  readonly limits: Http1ServerLimits;
  /** The value of the Date field. */
  readonly date: () => string;
  readonly now: number;
}

/**
 * The server's side of one HTTP/1.1 connection (RFC 9112): no I/O, no clock.
 *
 * Requests are served one at a time, in order; what a client sends ahead waits, bounded. A request that is refused
 * is answered with its status, and the connection closed: after a fault nobody knows where the next request begins.
 */
export class Http1Server implements Engine, ExchangeOwner {
  readonly #sink: Http1Sink;
  readonly #handler: Http1ServerHandler;
  readonly #limits: Http1ServerLimits;
  readonly #parser: RequestParser;
  readonly #machine: StateMachine<Http1ServerState, Http1ServerEvent>;
  readonly #input: MessageInput;
  readonly date: () => string;
  #exchange: ServerExchange | undefined;
  #running = false;
  #inputPaused = false;
  #peerEnded = false;
  #shuttingDown = false;
  /** Bytes of an unwanted body that have been dropped. */
  #drainedBytes = 0;
  /** When the peer must have sent, or taken, something. */
  #readDeadline: number;
  #writeDeadline = Infinity;

  constructor(options: Http1ServerOptions) {
    this.#sink = options.sink;
    this.#handler = options.handler;
    this.#limits = options.limits;
    this.date = options.date;
    this.#parser = new RequestParser(options.limits);
    this.#input = new MessageInput(this.#parser);
    this.#machine = new StateMachine('http1-server', HTTP1_SERVER_TRANSITIONS, 'idle');
    this.#readDeadline = options.now + options.limits.headTimeout;
  }

  get state(): Http1ServerState {
    return this.#machine.state;
  }

  deadline(): number {
    return Math.min(this.#readDeadline, this.#writeDeadline);
  }

  advance(now: number): void {
    if (now >= this.#writeDeadline) {
      this.gaveUp(hostError('TIMEOUT', 'the client took nothing of what it was sent'), now);
    } else if (now >= this.#readDeadline) {
      this.#readTimedOut(now);
    }
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    if (!this.#isOpen()) return;
    this.#input.receive(chunk, () => this.#run(now));
    this.#controlInput();
  }

  /** The client sends no more. It may still wait for answers (RFC 9112, section 9.6). */
  receiveEnd(now: number): void {
    this.#peerEnded = true;
    this.#run(now);
  }

  /** The sink has room again. */
  drained(): void {
    this.#writeDeadline = Infinity;
    this.#exchange?.deliverDrain();
  }

  /** The connection is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    if (this.state === 'closed') return;
    this.#machine.take('gone', now);
    this.#endDeadlines();
    this.#input.clear();
    const reason = error ?? clientGone();
    this.#takeExchange()?.deliverClosed(reason);
  }

  /** Takes no further request: closes as soon as the one that is being served, if any, is answered. */
  shutdown(now: number): void {
    this.#shuttingDown = true;
    if (this.state === 'idle') this.#close(now);
  }

  write(bytes: Uint8Array, now: number): boolean {
    const hasRoom = this.#sink.write(bytes);
    if (!hasRoom && this.#writeDeadline === Infinity) {
      this.#writeDeadline = now + this.#limits.writeTimeout;
    }
    return hasRoom;
  }

  mayPersist(exchange: ServerExchange): boolean {
    if (this.#shuttingDown || (this.#peerEnded && this.#input.unreadBytes === 0)) return false;
    if (exchange.bodyComplete) return true;
    // RFC 9110, section 10.1.1: a client that waited in vain may send the body or not, so nobody knows what comes next.
    if (exchange.withholdsBody) return false;
    return exchange.framing === 'chunked' || Number(exchange.framing) <= this.#limits.drainBytes;
  }

  readingChanged(now: number): void {
    this.#run(now);
    this.#controlInput();
  }

  answered(exchange: ServerExchange, now: number): void {
    this.#exchange = undefined;
    this.#readDeadline = Infinity;
    if (!exchange.persists) {
      this.#close(now);
    } else if (exchange.bodyComplete) {
      this.#machine.take('answered', now);
      this.#awaitRequest(now);
    } else {
      this.#machine.take('unread', now);
      this.#drainedBytes = 0;
      this.#readDeadline = now + this.#limits.drainTimeout;
    }
    exchange.deliverClosed(undefined);
    this.#run(now);
    this.#controlInput();
  }

  gaveUp(error: NetloomError, now: number): void {
    if (!this.#isOpen()) return;
    this.#machine.take('stop', now);
    this.#endDeadlines();
    const exchange = this.#takeExchange();
    this.#sink.abort(error);
    exchange?.deliverClosed(error);
  }

  /** Reads on as far as anybody wants it. It is not entered twice: what a handler calls meanwhile is seen by the loop. */
  #run(now: number): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#isReading()) {
        const event = this.#input.next();
        if (event === 'more') break;
        if (event === 'head') this.#takeHead(now);
        else if (event === 'data') this.#takeData(now);
        else if (event === 'end') this.#takeEnd(now);
        else this.#refuse(this.#parser.fault!, now);
      }
    } finally {
      this.#running = false;
    }
    this.#noteProgress(now);
  }

  #isReading(): boolean {
    switch (this.state) {
      case 'idle':
      case 'head':
      case 'draining':
        return true;
      case 'exchange':
        return this.#exchange!.wantsBody;
      default:
        return false;
    }
  }

  #takeHead(now: number): void {
    this.#machine.take('request', now);
    this.#readDeadline = Infinity;
    const exchange = new ServerExchange(this.#parser.head, this.#parser.framing, this);
    this.#exchange = exchange;
    if (exchange.framing === 0) {
      // The end of a request without a body follows its head at once, whether anybody reads or not.
      this.#input.next();
      exchange.deliverEnd(undefined);
    }
    if (hasUnknownExpectation(exchange.request)) {
      this.#handler.refused('expectation-unknown');
      this.#answerAndClose(417, now);
    } else {
      this.#handler.request(exchange);
    }
  }

  #takeData(now: number): void {
    if (this.state === 'exchange') {
      this.#exchange!.deliver(this.#parser.data);
      return;
    }
    this.#drainedBytes += this.#parser.data.length;
    if (this.#drainedBytes > this.#limits.drainBytes) this.#close(now);
  }

  #takeEnd(now: number): void {
    if (this.state === 'draining') {
      this.#machine.take('drained', now);
      this.#awaitRequest(now);
    } else {
      this.#readDeadline = Infinity;
      this.#exchange!.deliverEnd(this.#parser.trailers);
    }
  }

  #awaitRequest(now: number): void {
    this.#readDeadline = now + this.#limits.idleTimeout;
    if (this.#shuttingDown) this.#close(now);
  }

  /** After input was read: sets the deadline for the next, and draws the conclusion when none will come. */
  #noteProgress(now: number): void {
    if (this.state === 'idle' && this.#parser.isWithinHead) {
      this.#machine.take('begin', now);
      this.#readDeadline = now + this.#limits.headTimeout;
    } else if (this.state === 'exchange' && !this.#exchange!.bodyComplete) {
      const waits = this.#exchange!.wantsBody;
      this.#readDeadline = waits ? now + this.#limits.bodyTimeout : Infinity;
    }
    if (!this.#peerEnded || this.#input.unreadBytes > 0 || !this.#isReading()) return;
    if (this.state === 'idle' || this.state === 'draining') this.#close(now);
    else this.#refuse('truncated', now);
  }

  #readTimedOut(now: number): void {
    if (this.state === 'head' || this.state === 'exchange') {
      this.#handler.refused('timeout');
      this.#fail(408, hostError('TIMEOUT', 'the client did not send its request in time'), now);
    } else {
      this.#close(now);
    }
  }

  #refuse(fault: Http1Fault, now: number): void {
    this.#handler.refused(fault);
    this.#fail(HTTP1_FAULTS[fault].status, faultError(fault, 'the request was refused'), now);
  }

  /** Ends it all for the client's fault: with an answer if none was begun, otherwise by cutting that short. */
  #fail(status: number, error: NetloomError, now: number): void {
    if (this.state === 'draining') this.#close(now);
    else if (this.#exchange?.responded) this.gaveUp(error, now);
    else this.#answerAndClose(status, now, error);
  }

  #answerAndClose(status: number, now: number, error?: NetloomError): void {
    const exchange = this.#takeExchange();
    const text = new TextEncoder().encode(`${status} ${reasonPhrase(status)}\n`);
    const fields = Fields.from([
      ['content-type', 'text/plain'],
      ['content-length', `${text.length}`],
      ['date', this.date()],
      ['connection', 'close'],
    ]);
    this.write(serialiseResponseHead(status, fields), now);
    if (exchange?.request.method !== 'HEAD') this.write(text, now);
    this.#close(now);
    exchange?.deliverClosed(error);
  }

  #close(now: number): void {
    if (!this.#isOpen()) return;
    this.#machine.take('stop', now);
    this.#endDeadlines();
    this.#input.clear();
    this.#sink.close();
  }

  #endDeadlines(): void {
    this.#readDeadline = this.#writeDeadline = Infinity;
  }

  /** Stops input while too much of it waits, or while a body that was wanted is not wanted for now. */
  #controlInput(): void {
    // While the loop runs, what has not been read is only not read yet.
    if (this.#running || !this.#isOpen()) return;
    const exchange = this.#exchange;
    const isHeldUp = exchange !== undefined && !exchange.bodyComplete && !exchange.wantsBody;
    const pauses =
      this.#input.unreadBytes >= this.#limits.readAhead ||
      (isHeldUp && this.#input.unreadBytes > 0);
    if (pauses === this.#inputPaused) return;
    this.#inputPaused = pauses;
    if (pauses) this.#sink.pause();
    else this.#sink.resume();
  }

  #isOpen(): boolean {
    return this.state !== 'closing' && this.state !== 'closed';
  }

  #takeExchange(): ServerExchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    return exchange;
  }
}

function clientGone(): NetloomError {
  return new NetloomError('HTTP_CLIENT_GONE', 'the client went before it was answered', {
    remedy: 'Nothing to mend here: stop working for it.',
  });
}
