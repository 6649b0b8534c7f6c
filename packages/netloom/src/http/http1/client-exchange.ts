import type { NetloomError } from '../../core/index.ts';
import type { Fields } from '../semantics/index.ts';
import { BodyWriter } from './body-writer.ts';
import type { BodyFraming, ResponseHead } from './wire/index.ts';

/** What a {@link ClientExchange} calls. Each may call anything of the exchange's. */
export interface ClientExchangeHandler {
  /** An interim response (1xx). */
  informational?(head: ResponseHead): void;
  /** The final response's head. `framing` says how its body ends; 0: there is none. */
  response(head: ResponseHead, framing: BodyFraming): void;
  /** Part of the response's body: borrowed, valid until this returns. */
  data?(chunk: Uint8Array): void;
  /** The response has ended. */
  end?(trailers: Fields | undefined): void;
  /** `write` answered false before; there is room again. */
  drain?(): void;
  /**
   * The connection is no longer HTTP's: it answered 101, or 2xx to CONNECT. `rest` has come after the head already. Whoever
   * asked for that takes the connection over; where this is not there, such an answer is an error.
   */
  switched?(head: ResponseHead, rest: Uint8Array): void;
  /** The last call, made exactly once. No error: the response came whole. */
  closed(error: NetloomError | undefined): void;
}

/** What an exchange needs of its connection's engine. */
export interface ClientExchangeOwner {
  write(bytes: Uint8Array, now: number): boolean;
  /** The request has been written whole. */
  requested(now: number): void;
  /** The response is wanted now, or no more. */
  readingChanged(now: number): void;
  /** The exchange is given up, its connection with it. */
  gaveUp(error: NetloomError, now: number): void;
}

/** One request and its response, on a client. The response comes until {@link pause}, and from {@link read} on again. */
export class ClientExchange {
  readonly method: string;
  readonly handler: ClientExchangeHandler;
  readonly #owner: ClientExchangeOwner;
  readonly #body: BodyWriter;
  /** The `now` of the call that writes. */
  #writingAt = 0;
  #reading = true;
  #requested = false;
  #closed = false;
  /** Set by the engine: a byte of the response has come, so the server has seen the request. */
  responseBegun = false;

  constructor(
    method: string,
    framing: BodyFraming,
    handler: ClientExchangeHandler,
    owner: ClientExchangeOwner,
  ) {
    this.method = method;
    this.handler = handler;
    this.#owner = owner;
    this.#body = new BodyWriter(framing, (bytes) => owner.write(bytes, this.#writingAt));
  }

  /** The response is wanted. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The request has been written whole. */
  get requested(): boolean {
    return this.#requested;
  }

  /** Sends part of the request's body; it is given away. False: wait for `drain`. */
  write(chunk: Uint8Array, now: number): boolean {
    if (this.#closed) return false;
    this.#writingAt = now;
    return this.#body.write(chunk);
  }

  /** Ends the request. To be called for one without a body too. */
  end(now: number, trailers?: Fields): void {
    if (this.#closed || this.#requested) return;
    this.#writingAt = now;
    this.#body.end(trailers);
    this.#requested = true;
    this.#owner.requested(now);
  }

  /** Lets the response come again. */
  read(now: number): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#owner.readingChanged(now);
  }

  /** Stops the coming of the response. In the end the server's sending stops too. */
  pause(now: number): void {
    if (!this.#reading || this.#closed) return;
    this.#reading = false;
    this.#owner.readingChanged(now);
  }

  /** Gives the exchange up; the connection is cut off, since nothing else says so to the server. */
  abort(error: NetloomError, now: number): void {
    if (!this.#closed) this.#owner.gaveUp(error, now);
  }

  /** For the engine: it is over. */
  deliverClosed(error: NetloomError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.handler.closed(error);
  }
}
