import { NetloomError } from '../../core/index.ts';
import { Fields, isWithoutContent, listMembers } from '../semantics/index.ts';
import { BodyWriter } from './body-writer.ts';
import { wantsPersistence, withoutConnectionFields } from './persistence.ts';
import { serialiseResponseHead, type BodyFraming, type RequestHead } from './wire/index.ts';

/** What a {@link ServerExchange} calls. Every method is optional, and each may call anything of the exchange's. */
export interface ServerExchangeHandler {
  /** Part of the request's body: borrowed, valid until this returns. */
  data?(chunk: Uint8Array): void;
  /** The request's body has ended. Not called for a request that has none. */
  end?(trailers: Fields | undefined): void;
  /** `write` answered false before; there is room again. */
  drain?(): void;
  /** The last call, made exactly once. No error: the response was sent whole. */
  closed?(error: NetloomError | undefined): void;
}

/** What an exchange needs of its connection's engine. */
export interface ExchangeOwner {
  write(bytes: Uint8Array, now: number): boolean;
  /** Whether the connection may go on after this exchange, for all that the engine knows. */
  mayPersist(exchange: ServerExchange): boolean;
  /** The value of the Date field. */
  date(): string;
  /** The body is wanted now, or no more. */
  readingChanged(now: number): void;
  /** The response has been written whole. */
  answered(exchange: ServerExchange, now: number): void;
  /** The handler gives the exchange up. */
  gaveUp(error: NetloomError, now: number): void;
}

/**
 * One request and its response, on a server.
 *
 * The request's body stays where it is until {@link read}; then it comes to the handler, which may {@link pause}.
 * Once the exchange is closed (the peer has gone, say), what is written is dropped and `write` answers false.
 */
export class ServerExchange {
  readonly request: RequestHead;
  /** How the request's body ends; 0: there is none. */
  readonly framing: BodyFraming;
  readonly #owner: ExchangeOwner;
  #handler: ServerExchangeHandler | undefined;
  #body: BodyWriter | undefined;
  /** The `now` of the call that writes. */
  #writingAt = 0;
  /** The body is wanted. */
  #reading = false;
  #bodyComplete = false;
  /** A `100 Continue` is owed before the client sends its body. */
  #continueOwed: boolean;
  #persists = false;
  #closed = false;

  constructor(request: RequestHead, framing: BodyFraming, owner: ExchangeOwner) {
    this.request = request;
    this.framing = framing;
    this.#owner = owner;
    // RFC 9110, section 10.1.1: not for HTTP/1.0, and not when there is no body to wait for.
    this.#continueOwed =
      request.minorVersion === 1 && framing !== 0 && request.fields.has('expect');
  }

  /** Hands over the handler. */
  start(handler: ServerExchangeHandler): void {
    this.#handler = handler;
  }

  /** The response's head has been written. */
  get responded(): boolean {
    return this.#body !== undefined;
  }

  /** The response has been written whole. */
  get answered(): boolean {
    return this.#body?.complete ?? false;
  }

  /** The request's body has been handed over whole. */
  get bodyComplete(): boolean {
    return this.#bodyComplete;
  }

  /** The request's body is wanted, and not whole. */
  get wantsBody(): boolean {
    return this.#reading && !this.#bodyComplete && !this.#closed;
  }

  /** The client waits for a `100 Continue`, and may never send its body without. */
  get withholdsBody(): boolean {
    return this.#continueOwed && !this.#bodyComplete;
  }

  /** After {@link respond}: the connection is to be kept. */
  get persists(): boolean {
    return this.#persists;
  }

  /** Nothing happens to it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets the request's body come, for the first time or again. Sends `100 Continue` if the client waits for that. */
  read(now: number): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    if (this.withholdsBody && !this.responded) {
      this.#continueOwed = false;
      this.#owner.write(serialiseResponseHead(100, new Fields()), now);
    }
    this.#owner.readingChanged(now);
  }

  /** Stops the coming of the request's body, until {@link read}. In the end the client's sending stops too. */
  pause(now: number): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#owner.readingChanged(now);
  }

  /** Sends an interim response (1xx), as 103 Early Hints; not 100, which is sent where it is due, nor 101. */
  informational(status: number, fields: Fields, now: number): void {
    if (status < 102 || status > 199 || this.responded) {
      throw new NetloomError(
        'HTTP_RESPONSE_INVALID',
        `${status} cannot be sent as an interim response${this.responded ? ' after the final one' : ''}`,
      );
    }
    // RFC 9110, section 15.2: an HTTP/1.0 client does not know them.
    if (this.#closed || this.request.minorVersion === 0) return;
    this.#owner.write(serialiseResponseHead(status, withoutConnectionFields(fields)), now);
  }

  /**
   * Sends the response's head. `length` is that of the body; undefined: not known, so the body is chunked or ends with the
   * connection. What `fields` say about framing is left out, except a wish to close the connection.
   */
  respond(
    status: number,
    fields: Fields,
    length: number | undefined,
    now: number,
    reason?: string,
  ): void {
    if (status < 200 || this.responded) {
      throw new NetloomError(
        'HTTP_RESPONSE_INVALID',
        this.responded ? 'the request has been answered' : `${status} is no final status`,
      );
    }
    const framing = this.#responseFraming(status, length);
    this.#persists =
      framing !== 'close' &&
      wantsPersistence(fields, 1) &&
      wantsPersistence(this.request.fields, this.request.minorVersion) &&
      this.#owner.mayPersist(this);
    const out = withoutConnectionFields(fields);
    if (!out.has('date')) out.append('date', this.#owner.date());
    // RFC 9110, section 8.6: not in a 204. A response to HEAD says what GET would have had.
    if (length !== undefined && !isWithoutContent(status))
      out.append('content-length', `${length}`);
    if (framing === 'chunked') out.append('transfer-encoding', 'chunked');
    if (!this.#persists) out.append('connection', 'close');
    else if (this.request.minorVersion === 0) out.append('connection', 'keep-alive');
    const head = serialiseResponseHead(status, out, reason);
    this.#body = new BodyWriter(framing, (bytes) => this.#owner.write(bytes, this.#writingAt));
    if (!this.#closed) this.#owner.write(head, now);
  }

  /** Sends part of the response's body; it is given away. False: wait for `drain`. */
  write(chunk: Uint8Array, now: number): boolean {
    const body = this.#begunBody();
    if (this.#closed) return false;
    this.#writingAt = now;
    return body.write(chunk);
  }

  /** Ends the response. */
  end(now: number, trailers?: Fields): void {
    const body = this.#begunBody();
    if (this.#closed) return;
    this.#writingAt = now;
    body.end(trailers);
    this.#owner.answered(this, now);
  }

  /** Gives the exchange up: the peer sees its connection cut off. */
  abort(error: NetloomError, now: number): void {
    if (!this.#closed) this.#owner.gaveUp(error, now);
  }

  /** For the engine: part of the body has come. */
  deliver(chunk: Uint8Array): void {
    this.#continueOwed = false;
    this.#handler?.data?.(chunk);
  }

  /** For the engine: the body has ended. */
  deliverEnd(trailers: Fields | undefined): void {
    this.#bodyComplete = true;
    if (!this.#closed) this.#handler?.end?.(trailers);
  }

  /** For the engine: there is room again. */
  deliverDrain(): void {
    if (!this.#closed) this.#handler?.drain?.();
  }

  /** For the engine: it is over. */
  deliverClosed(error: NetloomError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.closed?.(error);
  }

  #begunBody(): BodyWriter {
    if (this.#body === undefined) {
      throw new NetloomError('HTTP_RESPONSE_INVALID', 'the body was written before the head', {
        remedy: 'Call respond() first.',
      });
    }
    return this.#body;
  }

  #responseFraming(status: number, length: number | undefined): BodyFraming {
    if (this.request.method === 'HEAD' || isWithoutContent(status)) return 0;
    if (length !== undefined) return length;
    return this.request.minorVersion === 1 ? 'chunked' : 'close';
  }
}

/** Whether the request expects something other than `100-continue`, the only expectation there is (RFC 9110, section 10.1.1). */
export function hasUnknownExpectation(request: RequestHead): boolean {
  return listMembers(request.fields.get('expect')).some((member) => member !== '100-continue');
}
