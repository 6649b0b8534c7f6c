import { EMPTY } from '../../../core/index.ts';
import { Fields } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';
import { parseFieldLine } from './field-line.ts';
import { decodeLatin1 } from '../../latin1.ts';
import {
  StartLine,
  mayBeginStartLine,
  overlongStartLine,
  parseRequestLine,
  parseStatusLine,
} from './start-line.ts';

const CR = 0x0d;
const LF = 0x0a;

/** What a section begins with. */
export type SectionKind = 'request' | 'response' | 'trailers';

/** The limits of one section; see {@link Http1WireLimits}. */
export interface SectionLimits {
  readonly startLine: number;
  readonly bytes: number;
  readonly count: number;
}

/**
 * Reads the lines up to an empty one: a message's head, or its trailers.
 *
 * Lines are taken where they stand in the input; only a section that is spread over several inputs is copied together.
 * Of each line only positions are kept; text is made once, when the section is whole. What is found
 * wrong depends on the bytes alone, never on how they were cut.
 */
export class SectionReader {
  readonly #kind: SectionKind;
  readonly #limits: SectionLimits;
  readonly startLine: StartLine = new StartLine();
  fault: Http1Fault | undefined;
  /** The section is whole, and {@link text} and {@link fields} may be called. */
  complete = false;
  /** Positions of the fields, four for each: name from and to, value from and to. */
  #marks: number[] = [];
  /** What has come of a section whose end has not. */
  #kept: Uint8Array = EMPTY;
  #keptLength = 0;
  /** Where the line being read begins, and up to where its end has been looked for. */
  #lineStart = 0;
  #searched = 0;
  #startLineRead: boolean;
  /** Where the request or status line begins, after empty lines before it. */
  #startLineStart = 0;
  /** Where the first field line begins. */
  #fieldsStart = 0;
  #text = '';

  constructor(kind: SectionKind, limits: SectionLimits) {
    this.#kind = kind;
    this.#limits = limits;
    this.#startLineRead = kind === 'trailers';
  }

  /** Whether any byte of the section has come, empty lines before a request aside. */
  get begun(): boolean {
    return this.complete || this.#keptLength > this.#startLineStart;
  }

  /** Starts on the next section. */
  reset(): void {
    this.fault = undefined;
    this.complete = false;
    this.#marks = [];
    this.#kept = EMPTY;
    this.#keptLength = 0;
    this.#lineStart = this.#searched = this.#startLineStart = this.#fieldsStart = 0;
    this.#startLineRead = this.#kind === 'trailers';
  }

  /** Reads on in `input` from `at`. Answers where the section ends in it, or its length when it does not end there. */
  read(input: Uint8Array, at: number): number {
    if (this.#keptLength === 0) {
      const section = input.subarray(at);
      const end = this.#scan(section);
      if (end < 0 && this.fault === undefined) this.#keep(section);
      return end < 0 ? input.length : at + end;
    }
    const before = this.#keptLength;
    // One more than may ever be needed, so that going beyond a limit is seen.
    const most = this.#limits.startLine + this.#limits.bytes + 1;
    const taken = input.subarray(at, Math.min(input.length, at + Math.max(1, most - before)));
    this.#keep(taken);
    const end = this.#scan(this.#kept.subarray(0, this.#keptLength));
    return end < 0 ? at + taken.length : at + end - before;
  }

  /** The start line's text from one position to another. */
  text(from: number, to: number): string {
    return this.#text.slice(from, to);
  }

  /** Where the start line begins. */
  get startLineStart(): number {
    return this.#startLineStart;
  }

  /** The fields, in order. */
  fields(): Fields {
    const fields = new Fields();
    const marks = this.#marks;
    const text = this.#text;
    for (let i = 0; i < marks.length; i += 4) {
      fields.appendParsed(
        text.slice(marks[i], marks[i + 1]).toLowerCase(),
        text.slice(marks[i + 2], marks[i + 3]),
      );
    }
    return fields;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#keptLength + bytes.length;
    if (length > this.#kept.length) {
      // Doubled, so that a head that trickles in is not copied once for each byte.
      const larger = new Uint8Array(Math.max(512, 2 * this.#kept.length, length));
      larger.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = length;
  }

  /** Takes the lines that are whole. Answers the index after the section, or -1 if it is not whole or has a fault. */
  #scan(bytes: Uint8Array): number {
    for (;;) {
      const lineFeed = bytes.indexOf(LF, this.#searched);
      this.fault =
        this.#firstByteFault(bytes) ?? this.#sizeFault(bytes, lineFeed < 0 ? undefined : lineFeed);
      if (this.fault !== undefined) return -1;
      if (lineFeed < 0) {
        this.#searched = bytes.length;
        return -1;
      }
      this.fault = this.#takeLine(bytes, lineFeed);
      if (this.fault !== undefined) return -1;
      this.#lineStart = this.#searched = lineFeed + 1;
      if (this.complete) {
        this.#text = decodeLatin1(bytes.subarray(0, lineFeed + 1));
        return lineFeed + 1;
      }
    }
  }

  #firstByteFault(bytes: Uint8Array): Http1Fault | undefined {
    if (this.#startLineRead || this.#lineStart >= bytes.length) return undefined;
    const isRequest = this.#kind === 'request';
    const first = bytes[this.#lineStart]!;
    if (first === CR || first === LF || mayBeginStartLine(first, isRequest)) return undefined;
    return isRequest ? 'method-invalid' : 'version-invalid';
  }

  /** Whether what has come of the line, or all of it, makes the section longer than it may be. */
  #sizeFault(bytes: Uint8Array, lineFeed: number | undefined): Http1Fault | undefined {
    const length = lineFeed === undefined ? bytes.length : lineFeed + 1;
    if (!this.#startLineRead) {
      const { startLine } = this.#limits;
      if (length <= startLine) return undefined;
      return overlongStartLine(bytes, this.#lineStart, startLine, this.#kind === 'request');
    }
    if (length - this.#fieldsStart <= this.#limits.bytes) return undefined;
    return this.#kind === 'trailers' ? 'trailers-too-large' : 'fields-too-large';
  }

  /** Takes the line that ends in the LF at `lineFeed`. */
  #takeLine(bytes: Uint8Array, lineFeed: number): Http1Fault | undefined {
    const start = this.#lineStart;
    const end = lineFeed - 1;
    // RFC 9112, section 2.2 lets a recipient take LF alone; two recipients that differ in it see different messages.
    if (end < start || bytes[end] !== CR) return 'bare-line-feed';
    if (!this.#startLineRead) return this.#takeStartLine(bytes, start, end);
    if (end === start) {
      this.complete = true;
      return undefined;
    }
    if (this.#marks.length >= 4 * this.#limits.count) {
      return this.#kind === 'trailers' ? 'trailers-too-large' : 'too-many-fields';
    }
    return parseFieldLine(bytes, start, end, this.#marks);
  }

  #takeStartLine(bytes: Uint8Array, start: number, end: number): Http1Fault | undefined {
    if (this.#kind === 'request' && end === start) {
      // RFC 9112, section 2.2: empty lines before a request are passed over.
      this.#startLineStart = end + 2;
      return undefined;
    }
    this.#startLineStart = start;
    this.#startLineRead = true;
    this.#fieldsStart = end + 2;
    return this.#kind === 'request'
      ? parseRequestLine(bytes, start, end, this.startLine)
      : parseStatusLine(bytes, start, end, this.startLine);
  }
}
