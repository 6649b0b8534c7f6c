import { NetloomError, hostError, type Engine } from '../../core/index.ts';
import { isWithoutContent } from '../semantics/index.ts';
import {
  Http2ClientExchange,
  type ClientExchangeOwner,
  type Http2ClientExchangeHandler,
} from './client-exchange.ts';
import type { Http2ConnectionState } from './connection-state.ts';
import { Http2Connection } from './connection.ts';
import { unprocessedError } from './errors.ts';
import { contentLength, type FieldSection, type SectionKind } from './field-section.ts';
import type { Http2ClientLimits } from './limits.ts';
import type { Http2ClientRequest } from './message.ts';
import { requestFields } from './outgoing-fields.ts';
import type { ConnectionRole } from './role.ts';
import type { Http2Sink } from './sender.ts';
import type { Http2Stream } from './stream.ts';
import {
  ErrorCode,
  MAX_STREAM_ID,
  SettingId,
  errorCodeName,
  type Http2ErrorCode,
  type Http2Fault,
} from './wire/index.ts';

/** What a {@link Http2Client} tells its owner. */
export interface Http2ClientHandler {
  /** An exchange is over: there is room for another, and perhaps none is left. */
  available(): void;
  /** The server goes away: the connection takes no more requests, and ends with those it has. */
  draining(): void;
  /** The connection is over. */
  closed(error: NetloomError | undefined): void;
  /** Something the server has sent was refused: for counting. */
  refused?(fault: Http2Fault): void;
}

/** What a {@link Http2Client} is made from. */
export interface Http2ClientOptions {
  readonly sink: Http2Sink;
  readonly handler: Http2ClientHandler;
  readonly limits: Http2ClientLimits;
  readonly now: number;
}

/** The client's side of one HTTP/2 connection (RFC 9113), many exchanges at once: no I/O, no clock. */
export class Http2Client implements Engine, ConnectionRole, ClientExchangeOwner {
  readonly side = 'client';
  /** Nothing is pushed: RFC 9113, section 8.4. */
  readonly peerStreams = 0;
  readonly connection: Http2Connection;
  readonly #handler: Http2ClientHandler;
  readonly #limits: Http2ClientLimits;
  /** Requests whose turn has not come. */
  readonly #waiting = new Set<Http2ClientExchange>();
  #goneAway = false;

  constructor(options: Http2ClientOptions) {
    const { sink, handler, limits, now } = options;
    this.#handler = handler;
    this.#limits = limits;
    this.connection = new Http2Connection({
      role: this,
      sink,
      limits,
      settings: [[SettingId.ENABLE_PUSH, 0]],
      prefaceTimeout: limits.settingsTimeout,
      headTimeout: limits.responseTimeout,
      idleTimeout: Infinity,
      now,
    });
  }

  get state(): Http2ConnectionState {
    return this.connection.state;
  }

  /** Requests that could begin at once. */
  get capacity(): number {
    const { state, streams, sender } = this.connection;
    if (this.#goneAway || (state !== 'open' && state !== 'preface')) return 0;
    // Each request takes an odd number, and numbers are not used again (RFC 9113, section 5.1.1).
    if (streams.lastOwnId >= MAX_STREAM_ID - 1) return 0;
    const allowed =
      state === 'preface' ? this.#limits.assumedStreams : sender.peer.maxConcurrentStreams;
    return Math.max(0, Math.min(allowed, this.#limits.concurrentStreams) - streams.size);
  }

  /** Requests under way or waiting. */
  get exchanges(): number {
    return this.connection.streams.size + this.#waiting.size;
  }

  /** The server takes extended CONNECT requests (RFC 8441). */
  get allowsConnectProtocol(): boolean {
    return this.connection.sender.peer.enableConnectProtocol;
  }

  deadline(): number {
    return this.connection.deadline();
  }

  advance(now: number): void {
    this.connection.advance(now);
  }

  /**
   * Begins a request, or puts it behind others if there are as many as the server allows; its body and end are the exchange's to
   * send. Throws `HTTP_UNPROCESSED` when the connection takes no more, `HTTP_POOL_EXHAUSTED` when too many wait.
   */
  request(
    request: Http2ClientRequest,
    handler: Http2ClientExchangeHandler,
    now: number,
  ): Http2ClientExchange {
    if (this.#goneAway || (this.state !== 'open' && this.state !== 'preface')) {
      throw unprocessedError('the connection takes no more requests');
    }
    const exchange = new Http2ClientExchange(request, handler, this);
    if (this.#waiting.size === 0 && this.capacity > 0) {
      this.connection.perform(now, () => this.#begin(exchange, now));
    } else if (this.#waiting.size < this.#limits.waiting) {
      this.#waiting.add(exchange);
    } else {
      throw new NetloomError('HTTP_POOL_EXHAUSTED', 'too many requests wait on the connection', {
        remedy: 'Ask for less at once, or raise the limits.',
      });
    }
    return exchange;
  }

  /** Sends a PING; `answered` is called when its answer has come. False: too many are under way. */
  ping(answered: (now: number) => void, now: number): boolean {
    return this.connection.sendPing(answered, now);
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    this.connection.receive(chunk, now);
  }

  /** The server sends no more. */
  receiveEnd(now: number): void {
    this.connection.receiveEnd(now);
  }

  /** The sink has room again. */
  drained(now: number): void {
    this.connection.drained(now);
  }

  /** The connection is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    this.connection.gone(error, now);
  }

  /** Ends the connection; what is under way is given up. */
  close(now: number): void {
    this.connection.close(ErrorCode.NO_ERROR, now);
  }

  /** Cuts the connection off. */
  abort(error: NetloomError, now: number): void {
    this.connection.abort(error, now);
  }

  requested(exchange: Http2ClientExchange, now: number): void {
    const { stream, request } = exchange;
    if (stream === undefined || stream.headReceived || !stream.isPeerOpen) return;
    this.connection.watch(stream, now + (request.responseTimeout ?? this.#limits.responseTimeout));
  }

  withdrawn(exchange: Http2ClientExchange): void {
    this.#waiting.delete(exchange);
  }

  sectionKind(stream: Http2Stream): SectionKind {
    return stream.headReceived ? 'trailers' : 'response';
  }

  head(
    stream: Http2Stream,
    section: FieldSection,
    isEnd: boolean,
    now: number,
  ): Http2Fault | undefined {
    const exchange = exchangeOf(stream);
    const head = section.response();
    if (section.fault !== undefined) return section.fault;
    exchange.responseBegun = true;
    if (head.status < 200) {
      // RFC 9113, section 8.1: an interim response does not end the stream.
      if (isEnd) return 'status-invalid';
      if (++exchange.informational > this.#limits.informational) return 'too-many-informational';
      if (exchange.requested) this.requested(exchange, now);
      exchange.handler.informational?.(head);
      return undefined;
    }
    const isTunnel = exchange.method === 'CONNECT' && head.status < 300;
    const declared = isTunnel ? undefined : contentLength(head.fields);
    if (Number.isNaN(declared)) return 'content-length-invalid';
    const hasContent = exchange.method !== 'HEAD' && !isWithoutContent(head.status);
    const length = hasContent ? declared : 0;
    if (isEnd && (length ?? 0) > 0) return 'content-length-mismatch';
    stream.isTunnel = isTunnel;
    stream.headReceived = true;
    stream.expectedLength = length;
    this.connection.progressed(stream, now);
    exchange.handler.response(head, isEnd ? 0 : (length ?? 'stream'));
    return undefined;
  }

  answerFault(): boolean {
    return false;
  }

  priorityUpdate(): void {}

  settingsChanged(now: number): void {
    this.#beginWaiting(now);
  }

  goaway(lastStreamId: number, code: Http2ErrorCode, now: number): void {
    const isNews = !this.#goneAway;
    this.#goneAway = true;
    const error = unprocessedError(`the server has gone away (${errorCodeName(code)})`);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const stream of this.connection.streams.list()) {
      // RFC 9113, section 6.8: the server has not looked at these, and will not.
      if (stream.id > lastStreamId) this.connection.forget(stream, error, now);
    }
    for (const exchange of waiting) exchange.cut(error);
    if (isNews) this.#handler.draining();
  }

  lost(stream: Http2Stream): NetloomError {
    if (exchangeOf(stream).responseBegun) {
      return new NetloomError('HTTP_TRUNCATED', 'the connection ended before the response did', {
        remedy: 'Try again; a download can go on from what has come.',
      });
    }
    return new NetloomError('HTTP_NO_RESPONSE', 'the server closed without a response', {
      remedy: 'Try again, if the request may be sent twice.',
    });
  }

  streamClosed(now: number): void {
    this.#beginWaiting(now);
    this.#handler.available();
  }

  refused(fault: Http2Fault): void {
    this.#handler.refused?.(fault);
  }

  closed(error: NetloomError | undefined): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    const reason = error ?? hostError('ABORTED', 'the connection was closed');
    for (const exchange of waiting) exchange.cut(reason);
    this.#handler.closed(error);
  }

  #beginWaiting(now: number): void {
    while (this.#waiting.size > 0 && this.capacity > 0) {
      const [exchange] = this.#waiting;
      this.#waiting.delete(exchange!);
      this.#begin(exchange!, now);
    }
  }

  #begin(exchange: Http2ClientExchange, now: number): void {
    const { streams, sender } = this.connection;
    const { request } = exchange;
    const id = streams.lastOwnId === 0 ? 1 : streams.lastOwnId + 2;
    streams.lastOwnId = id;
    const stream = this.connection.openStream(id, now);
    stream.bodyTimeout = request.bodyTimeout ?? this.#limits.bodyTimeout;
    sender.headers(stream, exchange.isWithoutBody, ...requestFields(request));
    if (exchange.isWithoutBody) stream.take('send-end', now);
    exchange.begin(stream, now);
  }
}

/** What a stream of ours is for: each is opened for an exchange. */
function exchangeOf({ user }: Http2Stream): Http2ClientExchange {
  return user as Http2ClientExchange;
}
