/** What the tests of the HTTP/1.1 parsers share. */
import {
  RequestParser,
  ResponseParser,
  type Http1WireLimits,
} from '../../src/http/http1/wire/index.ts';

/** Text as bytes, a character each. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The text of bytes, a character each. */
export function fromLatin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

/** A message as a parser has seen it, and whether all of it was there. */
export interface Parsed {
  /** `GET /path 1.1` or `200 OK 1.1`. */
  start: string;
  fields: [string, string][];
  body: string;
  trailers: [string, string][];
  complete: boolean;
}

/** What a parser makes of some input. */
export interface Outcome {
  messages: Parsed[];
  fault: string | undefined;
}

/** Feeds the pieces to the parser, each from an array of its own that is overwritten afterwards, as a borrowed one may be. */
export function parsePieces(
  parser: RequestParser | ResponseParser,
  pieces: Iterable<Uint8Array>,
  finish = false,
): Outcome {
  const outcome: Outcome = { messages: [], fault: undefined };
  for (const piece of pieces) {
    const borrowed = piece.slice();
    parser.feed(borrowed);
    drain(parser, outcome);
    borrowed.fill(0xee);
  }
  if (finish && outcome.fault === undefined) {
    const last = parser.finish();
    if (last === 'end') outcome.messages.at(-1)!.complete = true;
    if (last === 'fault') outcome.fault = parser.fault;
  }
  return outcome;
}

function drain(parser: RequestParser | ResponseParser, outcome: Outcome): void {
  for (;;) {
    const event = parser.next();
    const current = outcome.messages.at(-1);
    if (event === 'more') return;
    if (event === 'head') {
      outcome.messages.push(begun(parser));
    } else if (event === 'data') {
      if (parser.data.length === 0) throw new Error('empty data');
      current!.body += fromLatin1(parser.data);
    } else if (event === 'end') {
      current!.complete = true;
      if (parser.trailers !== undefined) current!.trailers = [...parser.trailers];
    } else {
      outcome.fault = parser.fault;
      return;
    }
  }
}

function begun(parser: RequestParser | ResponseParser): Parsed {
  const { head } = parser;
  const line = 'method' in head ? `${head.method} ${head.target}` : `${head.status} ${head.reason}`;
  return {
    start: `${line} 1.${head.minorVersion}`,
    fields: [...head.fields],
    body: '',
    trailers: [],
    complete: false,
  };
}

/** What a request parser makes of a text. */
export function parseRequests(text: string, limits?: Http1WireLimits): Outcome {
  return parsePieces(new RequestParser(limits), [latin1(text)]);
}

/** What a response parser makes of a text, and of the connection's end after it. */
export function parseResponses(text: string, method = 'GET', limits?: Http1WireLimits): Outcome {
  const parser = new ResponseParser(limits);
  parser.requestMethod = method;
  return parsePieces(parser, [latin1(text)], true);
}

/** The bytes in pieces of one byte each. */
export function* byteByByte(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** The bytes in pieces, cut at the positions given. */
export function* cutAt(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    const to = Math.min(cut, bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}
