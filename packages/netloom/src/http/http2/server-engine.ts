import { NetloomError, type Engine } from '../../core/index.ts';
import { Fields, listMembers, reasonPhrase } from '../semantics/index.ts';
import type { Http2ConnectionState } from './connection-state.ts';
import { Http2Connection } from './connection.ts';
import { contentLength, type FieldSection, type SectionKind } from './field-section.ts';
import type { Http2ServerLimits } from './limits.ts';
import { PriorityAhead } from './priority-ahead.ts';
import type { ConnectionRole } from './role.ts';
import type { Http2Sink } from './sender.ts';
import { Http2ServerExchange } from './server-exchange.ts';
import type { Http2Stream } from './stream.ts';
import { SettingId, parsePriority, type Http2Fault } from './wire/index.ts';

/** What a {@link Http2Server} tells. */
export interface Http2ServerHandler {
  /** A request's head has come. Call {@link Http2ServerExchange.start} before returning. */
  request(exchange: Http2ServerExchange): void;
  /** A request, a frame or the connection was refused by the engine: for counting. */
  refused(fault: Http2Fault | 'expectation-unknown'): void;
}

/** What a {@link Http2Server} is made from. */
export interface Http2ServerOptions {
  readonly sink: Http2Sink;
  readonly handler: Http2ServerHandler;
  readonly limits: Http2ServerLimits;
  /** The value of the Date field. */
  readonly date: () => string;
  /** Takes extended CONNECT requests, as WebSocket's (RFC 8441). */
  readonly connectProtocol?: boolean;
  readonly now: number;
}

/** Faults that are answered by a status, as long as nothing else was. */
const STATUSES: ReadonlyMap<Http2Fault, number> = new Map<Http2Fault, number>([
  ['fields-too-large', 431],
  ['body-too-large', 413],
  ['timeout', 408],
]);

/**
 * The server's side of one HTTP/2 connection (RFC 9113): no I/O, no clock.
 *
 * Each request is an exchange of its own, served as they come. What is no HTTP/2 ends its stream or the connection; what is a
 * request, and too large, is answered with its status.
 */
export class Http2Server implements Engine, ConnectionRole {
  readonly side = 'server';
  readonly peerStreams: number;
  readonly #handler: Http2ServerHandler;
  readonly #limits: Http2ServerLimits;
  readonly #date: () => string;
  readonly #connectProtocol: boolean;
  readonly #connection: Http2Connection;
  readonly #priorities: PriorityAhead;

  constructor(options: Http2ServerOptions) {
    const { sink, handler, limits, date, now } = options;
    this.#handler = handler;
    this.#limits = limits;
    this.#date = date;
    this.#connectProtocol = options.connectProtocol ?? false;
    this.#priorities = new PriorityAhead(limits.concurrentStreams);
    this.peerStreams = limits.concurrentStreams;
    this.#connection = new Http2Connection({
      role: this,
      sink,
      limits,
      settings: [
        [SettingId.MAX_CONCURRENT_STREAMS, limits.concurrentStreams],
        [SettingId.NO_RFC7540_PRIORITIES, 1],
        ...(this.#connectProtocol ? ([[SettingId.ENABLE_CONNECT_PROTOCOL, 1]] as const) : []),
      ],
      prefaceTimeout: limits.headTimeout,
      headTimeout: limits.headTimeout,
      idleTimeout: limits.idleTimeout,
      now,
    });
  }

  get state(): Http2ConnectionState {
    return this.#connection.state;
  }

  /** Requests being served. */
  get exchanges(): number {
    return this.#connection.streams.size;
  }

  deadline(): number {
    return this.#connection.deadline();
  }

  advance(now: number): void {
    this.#connection.advance(now);
  }

  /** Takes input, borrowed. */
  receive(chunk: Uint8Array, now: number): void {
    this.#connection.receive(chunk, now);
  }

  /** The client sends no more. It may still wait for answers. */
  receiveEnd(now: number): void {
    this.#connection.receiveEnd(now);
  }

  /** The sink has room again. */
  drained(now: number): void {
    this.#connection.drained(now);
  }

  /** The connection is gone. */
  gone(error: NetloomError | undefined, now: number): void {
    this.#connection.gone(error, now);
  }

  /** Takes no further request: closes as soon as those that are being served, or are under way, are answered. */
  shutdown(now: number): void {
    this.#connection.shutdown(now, this.#limits.goawayGrace);
  }

  sectionKind(): SectionKind {
    return 'trailers';
  }

  head(
    stream: Http2Stream,
    section: FieldSection,
    isEnd: boolean,
    now: number,
  ): Http2Fault | undefined {
    const request = section.request(this.#connectProtocol);
    if (section.fault !== undefined) return section.fault;
    const isConnect = request.method === 'CONNECT';
    const length = isConnect ? undefined : contentLength(request.fields);
    if (Number.isNaN(length)) return 'content-length-invalid';
    if (isEnd && (length ?? 0) > 0) return 'content-length-mismatch';
    if ((length ?? 0) > this.#limits.body) return 'body-too-large';
    stream.headReceived = true;
    stream.expectedLength = length;
    const priority = this.#priorities.take(stream.id) ?? request.fields.get('priority');
    if (priority !== undefined) stream.priority = parsePriority(priority);
    const framing = isEnd ? 0 : (length ?? 'stream');
    const exchange = new Http2ServerExchange(
      request,
      framing,
      stream,
      this.#connection,
      this.#date,
    );
    stream.user = exchange;
    if (hasUnknownExpectation(request.fields)) {
      this.#handler.refused('expectation-unknown');
      this.#answer(exchange, 417, now);
    } else {
      this.#handler.request(exchange);
    }
    return undefined;
  }

  answerFault(stream: Http2Stream, fault: Http2Fault, now: number): boolean {
    const status = STATUSES.get(fault);
    const { user } = stream;
    if (status === undefined || !stream.isLocalOpen) return false;
    if (user === undefined) this.#answerUnread(stream, status, now);
    else if (user instanceof Http2ServerExchange && !user.responded)
      this.#answer(user, status, now);
    else return false;
    return true;
  }

  priorityUpdate(streamId: number, value: string): void {
    const { streams, sender } = this.#connection;
    const stream = streams.get(streamId);
    if (stream !== undefined) sender.reprioritise(stream, parsePriority(value));
    else if (streams.isPeers(streamId) && streams.isIdle(streamId)) {
      this.#priorities.set(streamId, value);
    }
  }

  settingsChanged(): void {}

  goaway(): void {}

  lost(): NetloomError {
    return new NetloomError('HTTP_CLIENT_GONE', 'the client went before it was answered', {
      remedy: 'Nothing to mend here: stop working for it.',
    });
  }

  streamClosed(): void {}

  refused(fault: Http2Fault): void {
    this.#handler.refused(fault);
  }

  closed(): void {}

  /** Answers for the handler. */
  #answer(exchange: Http2ServerExchange, status: number, now: number): void {
    const text = new TextEncoder().encode(`${status} ${reasonPhrase(status)}\n`);
    const fields = Fields.from([['content-type', 'text/plain']]);
    this.#connection.perform(now, () => {
      exchange.respond(status, fields, text.length, now);
      if (exchange.request.method !== 'HEAD') exchange.write(text, now);
      exchange.end(now);
    });
  }

  /** Answers a request of which not even the head could be taken. */
  #answerUnread(stream: Http2Stream, status: number, now: number): void {
    this.#connection.perform(now, () => {
      const head: [string, string][] = [
        [':status', `${status}`],
        ['date', this.#date()],
        ['content-length', '0'],
      ];
      this.#connection.sendHeaders(stream, true, now, head);
      if (stream.isPeerOpen) this.#connection.linger(stream, now);
    });
  }
}

/** Whether the request expects something other than `100-continue`, the only expectation there is (RFC 9110, section 10.1.1). */
function hasUnknownExpectation(fields: Fields): boolean {
  return listMembers(fields.get('expect')).some((member) => member !== '100-continue');
}
