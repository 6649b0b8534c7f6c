import {
  NetloomError,
  StateMachine,
  hostError,
  type Engine,
  type Transitions,
} from '../../core/index.ts';
import type { Fields } from '../semantics/index.ts';
import {
  ClientExchange,
  type ClientExchangeHandler,
  type ClientExchangeOwner,
} from './client-exchange.ts';
import { MessageInput } from './message-input.ts';
import { wantsPersistence, withoutConnectionFields } from './persistence.ts';
import type { Http1Sink } from './sink.ts';
import {
  HTTP1_WIRE_LIMITS,
  ResponseParser,
  faultError,
  serialiseRequestHead,
  type BodyFraming,
  type Http1WireLimits,
} from './wire/index.ts';

/** Where a client's connection stands. */
export type Http1ClientState = 'idle' | 'awaiting' | 'receiving' | 'switched' | 'closed';

type Http1ClientEvent = 'request' | 'head' | 'done' | 'switch' | 'stop';

/** The steps of a client's connection. */
export const HTTP1_CLIENT_TRANSITIONS: Transitions<Http1ClientState, Http1ClientEvent> = {
  idle: { request: 'awaiting', stop: 'closed' },
  awaiting: { head: 'receiving', switch: 'switched', stop: 'closed' },
  receiving: { done: 'idle', stop: 'closed' },
  switched: { stop: 'closed' },
  closed: {},
};

/** The limits of a client's connection: those of the parser, and its own. Times are milliseconds. */
export interface Http1ClientLimits extends Http1WireLimits {
  /** From the end of the request to the response's head. */
  readonly responseTimeout: number;
  /** Without a byte of a body that is being read. */
  readonly bodyTimeout: number;
  /** Without the server's taking what it is sent. */
  readonly writeTimeout: number;
  /** Number of interim responses before the final one. */
  readonly informational: number;
}

/** The defaults. */
export const HTTP1_CLIENT_LIMITS: Http1ClientLimits = {
  ...HTTP1_WIRE_LIMITS,
  headerBytes: 64 * 1024,
  responseTimeout: 60_000,
  bodyTimeout: 60_000,
  writeTimeout: 60_000,
  informational: 16,
};

/** What a {@link Http1Client} tells its owner. */
export interface Http1ClientHandler {
  /** The exchange is over and the connection takes another. */
  idle(): void;
  /** The connection takes no more. */
  closed(): void;
}

/** What a {@link Http1Client} is made from. */
export interface Http1ClientOptions {
  readonly sink: Http1Sink;
  readonly handler: Http1ClientHandler;
  readonly limits: Http1ClientLimits;
}

/** A request as {@link Http1Client.request} takes it. */
export interface ClientRequest {
  readonly method: string;
  readonly target: string;
  /** With Host. What it says about framing and the connection is left out, except a wish to close it. */
  readonly fields: Fields;
  /** Bytes of the body; undefined: not known, so it is chunked. */
  readonly length: number | undefined;
  /** In place of the limits of these names. */
  readonly responseTimeout?: number | undefined;
  readonly bodyTimeout?: number | undefined;
}

/** The client's side of one HTTP/1.1 connection (RFC 9112), one exchange at a time: no I/O, no clock. */
export class Http1Client implements Engine, ClientExchangeOwner {
  readonly #sink: Http1Sink;
  readonly #handler: Http1ClientHandler;
  readonly #limits: Http1ClientLimits;
  readonly #parser: ResponseParser;
  readonly #input: MessageInput;
  readonly #machine: StateMachine<Http1ClientState, Http1ClientEvent>;
  #exchange: ClientExchange | undefined;
  #request: ClientRequest | undefined;
  /** All that was heard so far is willing to keep the connection. */
  #persists = true;
  #mayUpgrade = false;
  #informational = 0;
  #running = false;
  #inputPaused = false;
  #peerEnded = false;
  #readDeadline = Infinity;
  #writeDeadline = Infinity;

  constructor(options: Http1ClientOptions) {
    this.#sink = options.sink;
    this.#handler = options.handler;
    this.#limits = options.limits;
    this.#parser = new ResponseParser(this.#limits);
    this.#input = new MessageInput(this.#parser);
    this.#machine = new StateMachine('http1-client', HTTP1_CLIENT_TRANSITIONS, 'idle');
  }

  get state(): Http1ClientState {
    return this.#machine.state;
  }

  deadline(): number {
    return Math.min(this.#readDeadline, this.#writeDeadline);
  }

  advance(now: number): void {
    if (now >= this.#writeDeadline) {
      this.gaveUp(hostError('TIMEOUT', 'the server took nothing of what it was sent'), now);
    } else if (now >= this.#readDeadline) {
      const what = this.state === 'awaiting' ? 'no response came' : 'the response stopped coming';
      this.gaveUp(hostError('TIMEOUT', `${what} in time`), now);
    }
  }

  /** Sends a request's head; its body and end are the exchange's to send. The state must be `idle`. */
  request(request: ClientRequest, handler: ClientExchangeHandler, now: number): ClientExchange {
    const { method, length } = request;
    const framing: BodyFraming = length ?? 'chunked';
    const fields = withoutConnectionFields(request.fields);
    // RFC 9110, section 8.6: no length where no content is expected; some servers ask for one with every POST.
    if (length === undefined) fields.append('transfer-encoding', 'chunked');
    else if (length > 0 || expectsContent(method)) fields.append('content-length', `${length}`);
    this.#persists = wantsPersistence(request.fields, 1);
    this.#mayUpgrade = fields.has('upgrade');
    if (!this.#persists) fields.append('connection', 'close');
    else if (this.#mayUpgrade) fields.append('connection', 'upgrade');
    const head = serialiseRequestHead(method, request.target, fields);
    this.#machine.take('request', now);
    this.#request = request;
    this.#parser.requestMethod = method;
    this.#informational = 0;
    const exchange = new ClientExchange(method, framing, handler, this);
    this.#exchange = exchange;
    this.write(head, now);
    return exchange;
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    if (this.state === 'closed') return;
    if (this.state === 'idle') {
      // Whatever it is (often a 408 before the server closes), it answers nothing that was asked.
      this.close(now);
      return;
    }
    if (this.#exchange !== undefined) this.#exchange.responseBegun = true;
    this.#input.receive(chunk, () => this.#run(now));
    this.#controlInput();
  }

  /** The server sends no more. */
  receiveEnd(now: number): void {
    this.#peerEnded = true;
    this.#run(now);
  }

  /** The sink has room again. */
  drained(): void {
    this.#writeDeadline = Infinity;
    this.#exchange?.handler.drain?.();
  }

  /** The connection is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    if (this.state === 'closed') return;
    this.#stop(now, error ?? this.#prematureEnd());
  }

  /** Ends an idle connection; one in use is given up. */
  close(now: number): void {
    if (this.state === 'closed') return;
    this.#sink.close();
    this.#stop(now, hostError('ABORTED', 'the connection was closed'));
  }

  write(bytes: Uint8Array, now: number): boolean {
    if (this.state === 'closed') return false;
    const hasRoom = this.#sink.write(bytes);
    if (!hasRoom && this.#writeDeadline === Infinity) {
      this.#writeDeadline = now + this.#limits.writeTimeout;
    }
    return hasRoom;
  }

  requested(now: number): void {
    if (this.state !== 'awaiting') return;
    this.#readDeadline = now + (this.#request!.responseTimeout ?? this.#limits.responseTimeout);
  }

  readingChanged(now: number): void {
    this.#run(now);
    this.#controlInput();
  }

  gaveUp(error: NetloomError, now: number): void {
    if (this.state === 'closed') return;
    this.#sink.abort(error);
    this.#stop(now, error);
  }

  #run(now: number): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#isReading()) {
        const event = this.#input.next();
        if (event === 'more') break;
        if (event === 'head') this.#takeHead(now);
        else if (event === 'data') this.#exchange!.handler.data?.(this.#parser.data);
        else if (event === 'end') this.#takeEnd(now);
        else this.gaveUp(faultError(this.#parser.fault!, 'the response was refused'), now);
      }
    } finally {
      this.#running = false;
    }
    this.#noteProgress(now);
  }

  #isReading(): boolean {
    if (this.state === 'awaiting') return true;
    return this.state === 'receiving' && this.#exchange!.reading;
  }

  #takeHead(now: number): void {
    const { head, framing } = this.#parser;
    const exchange = this.#exchange!;
    const { handler } = exchange;
    if (head.status === 101 || (exchange.method === 'CONNECT' && isSuccess(head.status))) {
      this.#switch(now);
    } else if (head.status < 200) {
      this.#takeInformational(now);
    } else {
      this.#machine.take('head', now);
      this.#readDeadline = Infinity;
      this.#persists &&= framing !== 'close' && wantsPersistence(head.fields, head.minorVersion);
      handler.response(head, framing);
    }
  }

  #takeInformational(now: number): void {
    // Its end follows at once; the next head is looked for.
    this.#input.next();
    if (++this.#informational > this.#limits.informational) {
      this.gaveUp(
        new NetloomError(
          'HTTP_LIMIT_EXCEEDED',
          `the server sent more than ${this.#limits.informational} interim responses`,
        ),
        now,
      );
      return;
    }
    if (this.#readDeadline !== Infinity) this.requested(now);
    this.#exchange!.handler.informational?.(this.#parser.head);
  }

  #switch(now: number): void {
    const exchange = this.#exchange!;
    const { head } = this.#parser;
    const wasAsked = exchange.method === 'CONNECT' || this.#mayUpgrade;
    if (!wasAsked || exchange.handler.switched === undefined) {
      const message = `the server switched protocols (${head.status}), which was not asked for`;
      this.gaveUp(new NetloomError('HTTP_UNEXPECTED_UPGRADE', message), now);
      return;
    }
    this.#machine.take('switch', now);
    this.#readDeadline = Infinity;
    this.#exchange = undefined;
    exchange.handler.switched(head, this.#input.takeRest());
    exchange.deliverClosed(undefined);
  }

  #takeEnd(now: number): void {
    const exchange = this.#exchange!;
    exchange.handler.end?.(this.#parser.trailers);
    if (this.#exchange === exchange) this.#finish(exchange, now);
  }

  /** The response is whole: the connection is kept, or it has done its duty. */
  #finish(exchange: ClientExchange, now: number): void {
    const isReusable =
      this.#persists && exchange.requested && !this.#peerEnded && this.#input.unreadBytes === 0;
    this.#exchange = undefined;
    this.#readDeadline = this.#writeDeadline = Infinity;
    this.#machine.take('done', now);
    if (!isReusable) this.close(now);
    exchange.deliverClosed(undefined);
    if (this.state === 'idle') this.#handler.idle();
  }

  #noteProgress(now: number): void {
    if (this.state === 'receiving') {
      const bodyTimeout = this.#request!.bodyTimeout ?? this.#limits.bodyTimeout;
      this.#readDeadline = this.#exchange!.reading ? now + bodyTimeout : Infinity;
    }
    if (!this.#peerEnded || this.#input.unreadBytes > 0) return;
    if (this.state === 'idle') this.close(now);
    else if (this.#isReading()) this.#concludeAtEnd(now);
  }

  /** The server has ended and all it sent has been read. */
  #concludeAtEnd(now: number): void {
    if (this.#parser.finish() === 'end') {
      this.#takeEnd(now);
    } else {
      this.#sink.close();
      this.#stop(now, this.#prematureEnd());
    }
  }

  #prematureEnd(): NetloomError {
    if (this.#exchange?.responseBegun) {
      return faultError('truncated', 'the response is not whole');
    }
    return new NetloomError('HTTP_NO_RESPONSE', 'the server closed without a response', {
      remedy: 'Try again, if the request may be sent twice.',
    });
  }

  #stop(now: number, error: NetloomError): void {
    this.#machine.take('stop', now);
    this.#readDeadline = this.#writeDeadline = Infinity;
    this.#input.clear();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.deliverClosed(error);
    this.#handler.closed();
  }

  /** Stops input while the response's body is not wanted. */
  #controlInput(): void {
    if (this.#running || this.state === 'closed' || this.state === 'switched') return;
    const pauses = this.state === 'receiving' && !this.#exchange!.reading;
    if (pauses === this.#inputPaused) return;
    this.#inputPaused = pauses;
    if (pauses) this.#sink.pause();
    else this.#sink.resume();
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Methods whose requests usually have content, so that its absence is said too (RFC 9110, section 8.6). */
function expectsContent(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
