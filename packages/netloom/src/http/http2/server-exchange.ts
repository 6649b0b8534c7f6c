import { NetloomError } from '../../core/index.ts';
import { isWithoutContent, type Fields } from '../semantics/index.ts';
import { BodyLength } from './body-length.ts';
import type { Http2Connection } from './connection.ts';
import type { Http2BodyLength, Http2RequestHead } from './message.ts';
import { outgoingFields, outgoingTrailers } from './outgoing-fields.ts';
import type { Http2Stream, StreamUser } from './stream.ts';
import { ErrorCode } from './wire/index.ts';

/** What a {@link Http2ServerExchange} calls. Every method is optional, and each may call anything of the exchange's. */
export interface Http2ServerExchangeHandler {
  /** Part of the request's body: borrowed, valid until this returns. */
  data?(chunk: Uint8Array): void;
  /** The request's body has ended. Not called for a request that has none. */
  end?(trailers: Fields | undefined): void;
  /** `write` answered false before; there is room again. */
  drain?(): void;
  /** The last call, made exactly once. No error: the response was sent whole. */
  closed?(error: NetloomError | undefined): void;
}

/**
 * One request and its response, on a server: a stream.
 *
 * The request's body stays where it is until {@link read}; then it comes to the handler, which may {@link pause}.
 * Once the exchange is closed (the peer has reset it, say), what is written is dropped and `write` answers false.
 */
export class Http2ServerExchange implements StreamUser {
  readonly request: Http2RequestHead;
  /** How the request's body ends; 0: there is none. */
  readonly framing: Http2BodyLength;
  readonly stream: Http2Stream;
  readonly #connection: Http2Connection;
  readonly #date: () => string;
  #handler: Http2ServerExchangeHandler | undefined;
  #length: BodyLength | undefined;
  /** The last DATA frame, or the head, has said that nothing follows. */
  #endWritten = false;
  /** The handler has ended the response. */
  #ended = false;
  #sent = false;
  /** A `100 Continue` is owed before the client sends its body. */
  #continueOwed: boolean;
  #bodyComplete: boolean;
  #closed = false;

  constructor(
    request: Http2RequestHead,
    framing: Http2BodyLength,
    stream: Http2Stream,
    connection: Http2Connection,
    date: () => string,
  ) {
    this.request = request;
    this.framing = framing;
    this.stream = stream;
    this.#connection = connection;
    this.#date = date;
    this.#bodyComplete = framing === 0;
    this.#continueOwed = framing !== 0 && request.fields.has('expect');
  }

  /** Hands over the handler. */
  start(handler: Http2ServerExchangeHandler): void {
    this.#handler = handler;
  }

  /** The response's head has been written. */
  get responded(): boolean {
    return this.#length !== undefined;
  }

  /** The response has been written whole. */
  get answered(): boolean {
    return this.#ended;
  }

  /** The request's body has been handed over whole. */
  get bodyComplete(): boolean {
    return this.#bodyComplete;
  }

  /** The request's body is wanted, and not whole. */
  get wantsBody(): boolean {
    return this.stream.reading && !this.#bodyComplete && !this.#closed;
  }

  /** Nothing happens to it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets the request's body come, for the first time or again. Sends `100 Continue` if the client waits for that. */
  read(now: number): void {
    if (this.stream.reading || this.#closed) return;
    this.stream.reading = true;
    this.#connection.perform(now, () => {
      if (this.#continueOwed && !this.responded) this.#sendInterim(100, [], now);
      this.#continueOwed = false;
      this.#connection.readingChanged(this.stream, now);
    });
  }

  /** Stops the coming of the request's body, until {@link read}. In the end the client's sending stops too. */
  pause(now: number): void {
    if (!this.stream.reading) return;
    this.stream.reading = false;
    this.#connection.readingChanged(this.stream, now);
  }

  /** Sends an interim response (1xx), as 103 Early Hints; not 100, which is sent where it is due, nor 101. */
  informational(status: number, fields: Fields, now: number): void {
    if (status < 102 || status > 199 || this.responded) {
      throw new NetloomError(
        'HTTP_RESPONSE_INVALID',
        `${status} cannot be sent as an interim response${this.responded ? ' after the final one' : ''}`,
      );
    }
    if (!this.#closed) this.#sendInterim(status, outgoingFields(fields), now);
  }

  /**
   * Sends the response's head. `length` is that of the body; undefined: not known. What `fields` say about the connection is left
   * out. A response whose length is known ends with its last byte, so it has no trailers.
   */
  respond(status: number, fields: Fields, length: number | undefined, now: number): void {
    if (status < 200 || status > 599 || this.responded) {
      throw new NetloomError(
        'HTTP_RESPONSE_INVALID',
        this.responded ? 'the request has been answered' : `${status} is no final status`,
      );
    }
    const { method } = this.request;
    const isTunnel = method === 'CONNECT' && status < 300;
    const hasContent = method !== 'HEAD' && !isWithoutContent(status);
    this.#length = new BodyLength(hasContent ? length : 0);
    this.stream.isTunnel = isTunnel;
    if (this.#closed) return;
    const head: [string, string][] = [[':status', `${status}`]];
    if (!fields.has('date')) head.push(['date', this.#date()]);
    // RFC 9110, section 8.6: not in a 204, nor for a tunnel. A response to HEAD says what GET would have had.
    if (length !== undefined && !isWithoutContent(status) && !isTunnel) {
      head.push(['content-length', `${length}`]);
    }
    this.#endWritten = this.#length.isComplete;
    this.#connection.sendHeaders(this.stream, this.#endWritten, now, head, outgoingFields(fields));
  }

  /** Sends part of the response's body; it is given away. False: wait for `drain`. */
  write(chunk: Uint8Array, now: number): boolean {
    const length = this.#begun();
    if (this.#closed) return false;
    length.add(chunk.length);
    if (length.isComplete && !this.#endWritten) {
      this.#endWritten = true;
      this.stream.ending = true;
    }
    return this.#connection.write(this.stream, chunk, now);
  }

  /** Ends the response. */
  end(now: number, trailers?: Fields): void {
    const length = this.#begun();
    if (this.#closed || this.#ended) return;
    length.end();
    this.#ended = true;
    this.#connection.perform(now, () => {
      if (!this.#endWritten) this.#connection.end(this.stream, outgoingTrailers(trailers), now);
      this.#conclude(now);
    });
  }

  /** Gives the exchange up: the peer sees its stream reset. */
  abort(error: NetloomError, now: number): void {
    if (this.#closed) return;
    this.#connection.reset(this.stream, ErrorCode.INTERNAL_ERROR, error, now);
    // The stream may have ended before its handler knew.
    this.#close(error);
  }

  data(chunk: Uint8Array): void {
    this.#continueOwed = false;
    if (!this.#closed) this.#handler?.data?.(chunk);
  }

  ended(trailers: Fields | undefined, now: number): void {
    if (this.#bodyComplete) return;
    this.#bodyComplete = true;
    if (!this.#closed) this.#handler?.end?.(trailers);
    this.#conclude(now);
  }

  sent(now: number): void {
    this.#sent = true;
    this.#conclude(now);
  }

  drain(): void {
    if (!this.#closed) this.#handler?.drain?.();
  }

  cut(error: NetloomError): void {
    // A tunnel or an answered request that is cut short after our end: the response is whole all the same.
    this.#close(this.#sent && this.#ended && !this.stream.isTunnel ? undefined : error);
  }

  /** The response is whole when its handler has ended it and it has gone out. */
  #conclude(now: number): void {
    if (!this.#sent || !this.#ended || this.#closed) return;
    const { stream } = this;
    if (stream.isTunnel && stream.isPeerOpen) return;
    this.#close(undefined);
    if (stream.endDelivered) return;
    if (stream.isPeerOpen && !stream.endArriving) this.#connection.linger(stream, now);
    else this.#connection.discard(stream);
  }

  #close(error: NetloomError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.closed?.(error);
  }

  #sendInterim(status: number, fields: [string, string][], now: number): void {
    this.#connection.sendHeaders(this.stream, false, now, [[':status', `${status}`]], fields);
  }

  #begun(): BodyLength {
    if (this.#length !== undefined) return this.#length;
    throw new NetloomError('HTTP_RESPONSE_INVALID', 'the body was written before the head', {
      remedy: 'Call respond() first.',
    });
  }
}
