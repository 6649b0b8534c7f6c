import type { NetloomError } from '../../core/index.ts';
import type { Fields } from '../semantics/index.ts';
import { BodyLength } from './body-length.ts';
import type { Http2Connection } from './connection.ts';
import { answeredError } from './errors.ts';
import type { Http2BodyLength, Http2ClientRequest, Http2ResponseHead } from './message.ts';
import { outgoingTrailers } from './outgoing-fields.ts';
import type { Http2Stream, StreamUser } from './stream.ts';
import { ErrorCode } from './wire/index.ts';

/** What a {@link Http2ClientExchange} calls. Each may call anything of the exchange's. */
export interface Http2ClientExchangeHandler {
  /** An interim response (1xx). */
  informational?(head: Http2ResponseHead): void;
  /** The final response's head. `framing` says how its body ends; 0: there is none. */
  response(head: Http2ResponseHead, framing: Http2BodyLength): void;
  /** Part of the response's body: borrowed, valid until this returns. */
  data?(chunk: Uint8Array): void;
  /** The response has ended. */
  end?(trailers: Fields | undefined): void;
  /** `write` answered false before; there is room again. */
  drain?(): void;
  /** The last call, made exactly once. No error: the response came whole. */
  closed(error: NetloomError | undefined): void;
}

/** What an exchange needs of its client. */
export interface ClientExchangeOwner {
  readonly connection: Http2Connection;
  /** The request has been written whole. */
  requested(exchange: Http2ClientExchange, now: number): void;
  /** An exchange that waits for its turn is given up. */
  withdrawn(exchange: Http2ClientExchange): void;
}

/**
 * One request and its response, on a client: a stream, once it is its turn. The response comes until {@link pause}, and from
 * {@link read} on again.
 */
export class Http2ClientExchange implements StreamUser {
  readonly request: Http2ClientRequest;
  readonly handler: Http2ClientExchangeHandler;
  readonly #owner: ClientExchangeOwner;
  readonly #length: BodyLength;
  #stream: Http2Stream | undefined;
  #reading = true;
  #requested = false;
  /** The head, or the last DATA frame, has said that nothing follows. */
  #endWritten: boolean;
  /** `write` was called before it was the exchange's turn, and is to be called again. */
  #wantsDrain = false;
  readonly #early: Uint8Array[] = [];
  #earlyTrailers: [string, string][] | undefined;
  #closed = false;
  /** Interim responses that have come. */
  informational = 0;
  /** Something of the response has come, so the server has seen the request. */
  responseBegun = false;

  constructor(
    request: Http2ClientRequest,
    handler: Http2ClientExchangeHandler,
    owner: ClientExchangeOwner,
  ) {
    this.request = request;
    this.handler = handler;
    this.#owner = owner;
    this.#length = new BodyLength(request.method === 'CONNECT' ? undefined : request.length);
    this.#endWritten = this.#length.isComplete;
  }

  /** Undefined: its turn has not come. */
  get stream(): Http2Stream | undefined {
    return this.#stream;
  }

  get method(): string {
    return this.request.method;
  }

  /** The request has no body, so that its head ends it. */
  get isWithoutBody(): boolean {
    return this.request.method !== 'CONNECT' && this.request.length === 0;
  }

  /** The response is wanted. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The request has been written whole. */
  get requested(): boolean {
    return this.#requested;
  }

  /** Nothing happens to it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends part of the request's body; it is given away. False: wait for `drain`. */
  write(chunk: Uint8Array, now: number): boolean {
    if (this.#closed) return false;
    this.#length.add(chunk.length);
    const stream = this.#stream;
    if (stream === undefined) {
      if (chunk.length > 0) this.#early.push(chunk);
      this.#wantsDrain = true;
      return false;
    }
    if (this.#length.isComplete && !this.#endWritten) {
      this.#endWritten = true;
      stream.ending = true;
    }
    return this.#owner.connection.write(stream, chunk, now);
  }

  /** Ends the request. To be called for one without a body too. */
  end(now: number, trailers?: Fields): void {
    if (this.#closed || this.#requested) return;
    this.#length.end();
    this.#requested = true;
    if (this.#stream === undefined) {
      if (!this.#length.isComplete) this.#earlyTrailers = outgoingTrailers(trailers);
      return;
    }
    if (!this.#endWritten)
      this.#owner.connection.end(this.#stream, outgoingTrailers(trailers), now);
    this.#owner.requested(this, now);
  }

  /** Lets the response come again. */
  read(now: number): void {
    this.#setReading(true, now);
  }

  /** Stops the coming of the response. In the end the server's sending stops too. */
  pause(now: number): void {
    this.#setReading(false, now);
  }

  /** Gives the exchange up; the stream is reset, the connection goes on. */
  abort(error: NetloomError, now: number): void {
    if (this.#closed) return;
    const stream = this.#stream;
    if (stream === undefined) this.#owner.withdrawn(this);
    else if (stream.state === 'closed') this.#owner.connection.discard(stream);
    else this.#owner.connection.reset(stream, ErrorCode.CANCEL, error, now);
    this.cut(error);
  }

  /** For the client: it is its turn, and its head has been sent. */
  begin(stream: Http2Stream, now: number): void {
    const { sender } = this.#owner.connection;
    this.#stream = stream;
    stream.user = this;
    stream.reading = this.#reading;
    for (const chunk of this.#early.splice(0)) sender.enqueue(stream, chunk);
    if (!this.#endWritten && (this.#requested || this.#length.isComplete)) {
      this.#endWritten = stream.ending = true;
      stream.trailers = this.#earlyTrailers;
      sender.wake(stream);
    }
    if (this.#requested) this.#owner.requested(this, now);
    else if (this.#wantsDrain) this.handler.drain?.();
  }

  data(chunk: Uint8Array): void {
    this.handler.data?.(chunk);
  }

  ended(trailers: Fields | undefined, now: number): void {
    if (this.#closed) return;
    this.handler.end?.(trailers);
    if (this.#stream!.isTunnel) this.sent();
    else this.#finish(now);
  }

  sent(): void {
    const stream = this.#stream!;
    if (stream.isTunnel && stream.endDelivered && !stream.isLocalOpen) this.#close(undefined);
  }

  drain(): void {
    if (!this.#closed) this.handler.drain?.();
  }

  cut(error: NetloomError): void {
    this.#close(error);
  }

  /** The response has come whole, and was read. What is left of the request is of no use then. */
  #finish(now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    const stream = this.#stream!;
    if (stream.isLocalOpen) {
      const needless = answeredError('the response came before the request was sent');
      this.#owner.connection.reset(stream, ErrorCode.CANCEL, needless, now);
    }
    this.handler.closed(undefined);
  }

  #setReading(reading: boolean, now: number): void {
    if (this.#reading === reading || this.#closed) return;
    this.#reading = reading;
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.reading = reading;
    this.#owner.connection.readingChanged(stream, now);
  }

  #close(error: NetloomError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.handler.closed(error);
  }
}
