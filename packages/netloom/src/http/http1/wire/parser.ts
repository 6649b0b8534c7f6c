import { EMPTY } from '../../../core/index.ts';
import { isTargetOfForm, type Fields } from '../../semantics/index.ts';
import { ChunkedReader } from './chunked-reader.ts';
import type { Http1Fault } from './fault.ts';
import { requestFraming, responseFraming } from './framing.ts';
import { HTTP1_WIRE_LIMITS, type Http1WireLimits } from './limits.ts';
import type { BodyFraming, RequestHead, ResponseHead } from './message.ts';
import { SectionReader } from './section-reader.ts';
import { hostFault } from './target.ts';

/**
 * What a parser has found: `more` (nothing: the input is used up), `head`, `data` (of the body), `end` (of the message), or
 * `fault` (and it finds nothing any more).
 */
export type ParserEvent = 'more' | 'head' | 'data' | 'end' | 'fault';

type Phase = 'head' | 'length' | 'chunked' | 'trailers' | 'close' | 'end' | 'failed';

/**
 * Reads messages out of bytes that come in any cut: {@link feed} input, then call {@link next} until it answers `more`.
 *
 * The input is borrowed until then; {@link data} is a view of it. A caller that wants to stop earlier takes {@link unread}.
 * It is total: any bytes give messages or a fault.
 */
abstract class MessageParser<Head> {
  /** After `head`: what was found. */
  head!: Head;
  /** After `head`: how the body ends. */
  framing: BodyFraming = 0;
  /** After `data`: a view of the input, never empty. */
  data: Uint8Array = EMPTY;
  /** After `end`: the trailer fields, if there are any. */
  trailers: Fields | undefined;
  /** After `fault`. */
  fault: Http1Fault | undefined;
  protected readonly limits: Http1WireLimits;
  protected readonly section: SectionReader;
  readonly #chunks: ChunkedReader;
  readonly #trailerSection: SectionReader;
  #input = EMPTY;
  #at = 0;
  #phase: Phase = 'head';
  /** Bytes of the body still to come, when its length is known. */
  #remaining = 0;
  /** Bytes of the body that have come, when its length is not known. */
  #received = 0;

  constructor(kind: 'request' | 'response', limits: Http1WireLimits) {
    this.limits = limits;
    this.section = new SectionReader(kind, {
      startLine: limits.startLine,
      bytes: limits.headerBytes,
      count: limits.headerCount,
    });
    this.#chunks = new ChunkedReader(limits.chunkExtension);
    this.#trailerSection = new SectionReader('trailers', {
      startLine: 0,
      bytes: limits.trailerBytes,
      count: limits.trailerCount,
    });
  }

  /** Whether the parser stands between two messages: no byte of the next has come. */
  get isBetweenMessages(): boolean {
    return this.#phase === 'head' && !this.section.begun && this.#at === this.#input.length;
  }

  /** Whether the head of a message has begun to come and is not whole. */
  get isWithinHead(): boolean {
    return this.#phase === 'head' && this.section.begun;
  }

  /** Bytes of the input that have not been read. */
  get unreadLength(): number {
    return this.#input.length - this.#at;
  }

  /** Gives bytes to read, borrowed until {@link next} answers `more`. The input before must be used up. */
  feed(input: Uint8Array): void {
    this.#input = input;
    this.#at = 0;
  }

  /** The part of the input that has not been read, a view; the parser lets go of it. */
  unread(): Uint8Array {
    const rest = this.#input.subarray(this.#at);
    this.feed(EMPTY);
    return rest;
  }

  /** Reads on, and answers what was found. */
  next(): ParserEvent {
    switch (this.#phase) {
      case 'head':
        return this.#readHead();
      case 'length':
        return this.#readLength();
      case 'chunked':
        return this.#readChunked();
      case 'trailers':
        return this.#readTrailers();
      case 'close':
        return this.#readUntilClose();
      case 'end':
        return this.#end();
      case 'failed':
        return 'fault';
    }
  }

  /** Says that no more input comes. Answers `end` if that ends a message, `more` between messages, or `fault` (`truncated`). */
  finish(): 'end' | 'more' | 'fault' {
    if (this.#phase === 'failed') return 'fault';
    if (this.#phase === 'close') {
      this.#phase = 'head';
      this.section.reset();
      return 'end';
    }
    return this.isBetweenMessages ? 'more' : this.#fail('truncated');
  }

  /** Makes the head of the section that is whole, with {@link framing} set; or answers a fault. */
  protected abstract takeHead(): Http1Fault | undefined;

  #readHead(): ParserEvent {
    if (this.#at === this.#input.length) return 'more';
    const section = this.section;
    this.#at = section.read(this.#input, this.#at);
    if (section.fault !== undefined) return this.#fail(section.fault);
    if (!section.complete) return 'more';
    const fault = this.takeHead();
    section.reset();
    if (fault !== undefined) return this.#fail(fault);
    this.#beginBody();
    return this.fault === undefined ? 'head' : 'fault';
  }

  #beginBody(): void {
    const { framing } = this;
    this.trailers = undefined;
    this.#received = 0;
    if (typeof framing === 'number') {
      this.#remaining = framing;
      this.#phase = framing === 0 ? 'end' : 'length';
      if (framing > this.limits.body) this.#fail('body-too-large');
    } else {
      this.#phase = framing;
      this.#chunks.reset();
    }
  }

  #readLength(): ParserEvent {
    if (this.#at === this.#input.length) return 'more';
    this.#takeData(this.#remaining);
    this.#remaining -= this.data.length;
    if (this.#remaining === 0) this.#phase = 'end';
    return 'data';
  }

  #readChunked(): ParserEvent {
    const chunks = this.#chunks;
    this.#at = chunks.read(this.#input, this.#at);
    if (chunks.fault !== undefined) return this.#fail(chunks.fault);
    if (chunks.complete) {
      this.#phase = 'trailers';
      return this.#readTrailers();
    }
    if (!chunks.inData) return 'more';
    // Judged by the size, before any of its data: a chunk that goes beyond the limit gives no event, however it is cut.
    if (this.#received + chunks.remaining > this.limits.body) return this.#fail('body-too-large');
    if (this.#at === this.#input.length) return 'more';
    this.#takeData(chunks.remaining);
    chunks.taken(this.data.length);
    this.#received += this.data.length;
    return 'data';
  }

  #readTrailers(): ParserEvent {
    const section = this.#trailerSection;
    if (this.#at === this.#input.length) return 'more';
    this.#at = section.read(this.#input, this.#at);
    if (section.fault !== undefined) return this.#fail(section.fault);
    if (!section.complete) return 'more';
    const fields = section.fields();
    section.reset();
    if (fields.size > 0) this.trailers = fields;
    return this.#end();
  }

  #readUntilClose(): ParserEvent {
    if (this.#at === this.#input.length) return 'more';
    if (this.#received >= this.limits.body) return this.#fail('body-too-large');
    this.#takeData(this.limits.body - this.#received);
    this.#received += this.data.length;
    return 'data';
  }

  #takeData(atMost: number): void {
    const end = Math.min(this.#input.length, this.#at + atMost);
    this.data = this.#input.subarray(this.#at, end);
    this.#at = end;
  }

  #end(): ParserEvent {
    this.#phase = 'head';
    return 'end';
  }

  #fail(fault: Http1Fault): 'fault' {
    this.fault = fault;
    this.#phase = 'failed';
    return 'fault';
  }
}

/** Reads requests, one after the other. */
export class RequestParser extends MessageParser<RequestHead> {
  constructor(limits: Http1WireLimits = HTTP1_WIRE_LIMITS) {
    super('request', limits);
  }

  protected takeHead(): Http1Fault | undefined {
    const { section } = this;
    const { first, second, minorVersion } = section.startLine;
    const method = section.text(section.startLineStart, first);
    const target = section.text(first + 1, second);
    const fields = section.fields();
    if (!isTargetOfForm(method, target)) return 'target-invalid';
    const fault = hostFault(fields, minorVersion);
    if (fault !== undefined) return fault;
    const body = requestFraming(fields, minorVersion);
    if ('fault' in body) return body.fault;
    this.framing = body.framing;
    this.head = { method, target, minorVersion, fields };
    return undefined;
  }
}

/** Reads responses, one after the other. Interim ones (1xx) are heads with an empty body of their own. */
export class ResponseParser extends MessageParser<ResponseHead> {
  /** The method of the request that the next response answers: a response to HEAD has no body, whatever it says. */
  requestMethod = 'GET';

  constructor(limits: Http1WireLimits = HTTP1_WIRE_LIMITS) {
    super('response', limits);
  }

  protected takeHead(): Http1Fault | undefined {
    const { section } = this;
    const { first, second, minorVersion, status } = section.startLine;
    const fields = section.fields();
    const body = responseFraming(this.requestMethod, status, fields, minorVersion);
    if ('fault' in body) return body.fault;
    this.framing = body.framing;
    this.head = { status, reason: section.text(first, second), minorVersion, fields };
    return undefined;
  }
}
