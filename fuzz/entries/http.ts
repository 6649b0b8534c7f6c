/** HTTP/1.1: the parsers, and the server's engine. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { withLimits, type Random } from 'netloom/core';
import {
  Fields,
  HTTP1_SERVER_LIMITS,
  Http1Server,
  RequestParser,
  ResponseParser,
  type ServerExchange,
} from 'netloom/http';
import { latin1, parsePieces } from '../../packages/netloom/test/http/messages.ts';
import { RecordingSink } from '../../packages/netloom/test/http/sink.ts';
import { cut } from '../cut.ts';
import type { FuzzEntry } from '../entry.ts';

const REQUESTS: readonly Uint8Array[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b?c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET http://a/b HTTP/1.0\r\nConnection: keep-alive\r\nX: \xe9\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\nhelloOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\nhello\r\na ;b="c"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n',
].map(latin1);

const RESPONSES: readonly Uint8Array[] = [
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: x\r\n\r\n',
  'HTTP/1.0 404 Not Found\r\n\r\nuntil the end',
].map(latin1);

/** An entry for a parser: what it finds must not depend on how the input was cut. */
function cutEntry(
  name: string,
  seeds: readonly Uint8Array[],
  make: () => RequestParser | ResponseParser,
): FuzzEntry {
  return {
    name,
    seeds,
    run(input, random) {
      const whole = parsePieces(make(), [input], true);
      const pieces = parsePieces(make(), cut(input, random), true);
      // Comparing by assert at once would make a message for each equal pair as well.
      if (!isDeepStrictEqual(pieces, whole)) assert.deepEqual(pieces, whole);
    },
  };
}

/** Does to an exchange what a handler may do, in any order. */
function handle(exchange: ServerExchange, random: Random): void {
  let closed = 0;
  exchange.start({
    data: () => {
      if (random.below(4) === 0) exchange.pause(0);
    },
    closed: () => assert.equal(++closed, 1),
  });
  if (random.below(3) > 0) exchange.read(0);
  if (random.below(3) === 0) return;
  exchange.respond(200, new Fields(), random.below(2) === 0 ? 0 : undefined, 0);
  exchange.end(0);
}

/** A server that is fed the input and then the time: whatever it was, the connection ends and what was sent is responses. */
function serveInput(input: Uint8Array, random: Random): void {
  const sink = new RecordingSink();
  const exchanges: ServerExchange[] = [];
  const server = new Http1Server({
    sink,
    limits: withLimits(HTTP1_SERVER_LIMITS, { readAhead: 64, drainBytes: 8 }),
    date: () => 'Sun, 06 Nov 1994 08:49:37 GMT',
    now: 0,
    handler: {
      request: (exchange) => {
        exchanges.push(exchange);
        handle(exchange, random);
      },
      refused: () => undefined,
    },
  });
  for (const piece of cut(input, random)) server.receive(piece, 0);
  if (random.below(2) === 0) server.receiveEnd(0);
  // What the handlers have left undone they do now, the last first: each may lead to another exchange.
  for (let exchange = exchanges.pop(); exchange !== undefined; exchange = exchanges.pop()) {
    exchange.read(0);
    if (!exchange.responded) exchange.respond(204, new Fields(), 0, 0);
    exchange.end(0);
  }
  for (let turns = 0; server.deadline() !== Infinity; turns++) {
    assert.ok(turns < 10, 'its deadlines never end');
    server.advance(server.deadline());
  }
  assert.ok(sink.closed, `it was left in state '${server.state}' without a deadline`);
  const sent = parsePieces(new ResponseParser(), [latin1(sink.take())], true);
  // One that was being sent when the connection was cut off is not whole, and is seen not to be.
  if (sink.aborted === undefined) assert.equal(sent.fault, undefined);
}

/** The entries. */
export const HTTP_ENTRIES: readonly FuzzEntry[] = [
  cutEntry('http1-request', REQUESTS, () => new RequestParser()),
  cutEntry('http1-response', RESPONSES, () => new ResponseParser()),
  { name: 'http1-server', seeds: REQUESTS, run: serveInput },
];
