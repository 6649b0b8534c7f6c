import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError, withLimits } from '../../core/index.ts';
import { fromLatin1, latin1 } from '../../../test/http/messages.ts';
import { RecordingSink } from '../../../test/http/sink.ts';
import { Fields } from '../semantics/index.ts';
import {
  HTTP1_SERVER_LIMITS,
  Http1Server,
  type Http1ServerLimits,
  type ServerExchange,
} from './index.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const NO_FIELDS = () => new Fields();

/** One exchange, with all that its handler was told. */
interface Seen {
  readonly exchange: ServerExchange;
  readonly log: string[];
}

/** An engine in virtual time; `serve` is called with each exchange after it was started. */
function engine(
  limits: Partial<Http1ServerLimits> = {},
  serve: (seen: Seen) => void = () => undefined,
) {
  const sink = new RecordingSink();
  const exchanges: Seen[] = [];
  const refused: string[] = [];
  const server = new Http1Server({
    sink,
    limits: withLimits(HTTP1_SERVER_LIMITS, limits),
    date: () => DATE,
    now: 0,
    handler: {
      request: (exchange) => {
        const seen: Seen = { exchange, log: [] };
        exchanges.push(seen);
        exchange.start({
          data: (chunk) => seen.log.push(`data ${fromLatin1(chunk)}`),
          end: (trailers) => seen.log.push(`end ${trailers === undefined ? '-' : [...trailers]}`),
          drain: () => seen.log.push('drain'),
          closed: (error) => seen.log.push(`closed ${error?.code ?? '-'}`),
        });
        serve(seen);
      },
      refused: (reason) => refused.push(reason),
    },
  });
  const receive = (text: string, now = 0): void => {
    const borrowed = latin1(text);
    server.receive(borrowed, now);
    borrowed.fill(0xee);
  };
  return { server, sink, exchanges, refused, receive };
}

/** Answers with a text at once. */
const answer =
  (text: string, now = 0) =>
  ({ exchange }: Seen): void => {
    exchange.respond(200, new Fields(), text.length, now);
    if (exchange.request.method !== 'HEAD') exchange.write(latin1(text), now);
    exchange.end(now);
  };

const ok = (text: string, connection = ''): string =>
  `HTTP/1.1 200 OK\r\ndate: ${DATE}\r\ncontent-length: ${text.length}\r\n${connection}\r\n${text}`;
const CLOSE = 'connection: close\r\n';

test('requests on one connection are answered one after the other, pipelined or not', () => {
  const { sink, receive, exchanges, server } = engine({ readAhead: 1 }, ({ exchange, log }) =>
    answer(exchange.request.target)({ exchange, log }),
  );
  receive(GET);
  assert.equal(sink.take(), ok('/a'));
  receive(`${GET}${GET.replace('/a', '/b')}${GET.replace('/a', '/c')}`);
  assert.equal(sink.pauses, 0);
  assert.equal(sink.take(), ok('/a') + ok('/b') + ok('/c'));
  assert.deepEqual(
    exchanges.map(({ log }) => log),
    Array(4).fill(['closed -']),
  );
  assert.equal(server.state, 'idle');
});

test('a pipelined request waits until the one before is answered', () => {
  const { sink, receive, exchanges } = engine();
  receive(GET + GET.replace('/a', '/b'));
  assert.equal(exchanges.length, 1);
  answer('1')(exchanges[0]!);
  assert.equal(exchanges.length, 2);
  answer('2')(exchanges[1]!);
  assert.equal(sink.take(), ok('1') + ok('2'));
});

test('what waits is bounded: then no more is read until it is served', () => {
  const { sink, receive, exchanges } = engine({ readAhead: 4 * GET.length });
  receive(GET);
  receive(GET + GET + GET);
  assert.equal(sink.pauses, 0);
  receive(GET);
  assert.equal(sink.paused, true);
  answer('')(exchanges[0]!);
  assert.equal(sink.paused, false);
  for (let i = 1; i < 5; i++) answer('')(exchanges[i]!);
  assert.equal(exchanges.length, 5);
});

test('a body comes when it is asked for, stops on pause, and holds the input up', () => {
  const { sink, receive, exchanges } = engine();
  receive('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  const { exchange, log } = exchanges[0]!;
  assert.deepEqual(log, []);
  assert.equal(sink.paused, true);
  exchange.read(0);
  assert.deepEqual(log, ['data abc']);
  assert.equal(sink.paused, false);
  exchange.pause(0);
  receive('2\r\nde\r\n');
  assert.equal(sink.paused, true);
  receive('0\r\nT: x\r\n\r\n');
  assert.deepEqual(log, ['data abc']);
  exchange.read(0);
  assert.deepEqual(log, ['data abc', 'data de', 'end t,x']);
  assert.equal(sink.paused, false);
  answer('')(exchanges[0]!);
  assert.deepEqual(log.at(-1), 'closed -');
});

test('a handler may pause within data: what was not read is kept, though the input was borrowed', () => {
  const { receive, exchanges } = engine({}, ({ exchange }) => {
    const got: string[] = [];
    exchange.start({
      data: (chunk) => {
        got.push(fromLatin1(chunk));
        exchange.pause(0);
      },
      end: () => got.push('end'),
    });
    Object.assign(exchange, { got });
    exchange.read(0);
  });
  receive(
    'PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
  );
  const { exchange } = exchanges[0]!;
  const { got } = exchange as unknown as { got: string[] };
  assert.deepEqual(got, ['a']);
  exchange.read(0);
  assert.deepEqual(got, ['a', 'b']);
  exchange.read(0);
  assert.deepEqual(got, ['a', 'b', 'end']);
});

const EXPECT = 'PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n';

test('100 Continue is sent when the body is asked for, once', () => {
  const { sink, receive, exchanges, server } = engine();
  receive(EXPECT);
  assert.equal(sink.take(), '');
  exchanges[0]!.exchange.read(0);
  exchanges[0]!.exchange.pause(0);
  exchanges[0]!.exchange.read(0);
  assert.equal(sink.take(), 'HTTP/1.1 100 Continue\r\n\r\n');
  receive('hi');
  answer('')(exchanges[0]!);
  assert.equal(sink.take(), ok(''));
  assert.equal(server.state, 'idle');
});

test('who answers without asking for an expected body closes: nobody knows whether it will come', () => {
  const { sink, receive } = engine({}, answer('no'));
  receive(EXPECT);
  assert.equal(sink.take(), ok('no', CLOSE));
  assert.equal(sink.closed, true);
});

test('an expectation other than 100-continue is answered 417; HTTP/1.0 has none', () => {
  const unknown = engine();
  unknown.receive('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: more\r\n\r\n');
  assert.match(unknown.sink.take(), /^HTTP\/1.1 417 Expectation Failed\r\n/);
  assert.deepEqual(unknown.refused, ['expectation-unknown']);
  const old = engine();
  old.receive('PUT / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  old.exchanges[0]!.exchange.read(0);
  assert.equal(old.sink.take(), '');
});

test('HTTP/1.0 is closed unless it asks to be kept, and has no chunks', () => {
  const closing = engine({}, answer('x'));
  closing.receive('GET / HTTP/1.0\r\n\r\n');
  assert.equal(closing.sink.take(), ok('x', CLOSE));
  assert.equal(closing.sink.closed, true);
  const kept = engine({}, answer('x'));
  kept.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.equal(kept.sink.take(), ok('x', 'connection: keep-alive\r\n'));
  assert.equal(kept.sink.closed, false);
  const endless = engine();
  endless.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const { exchange } = endless.exchanges[0]!;
  exchange.respond(200, new Fields(), undefined, 0);
  exchange.write(latin1('abc'), 0);
  exchange.end(0);
  assert.equal(endless.sink.take(), `HTTP/1.1 200 OK\r\ndate: ${DATE}\r\n${CLOSE}\r\nabc`);
  assert.equal(endless.sink.closed, true);
});

test('a body of unknown length is chunked, with trailers', () => {
  const { sink, receive, exchanges } = engine();
  receive(GET);
  const { exchange } = exchanges[0]!;
  exchange.respond(200, new Fields(), undefined, 0);
  exchange.write(latin1('0123456789abcdef'), 0);
  exchange.write(new Uint8Array(0), 0);
  exchange.end(0, Fields.from([['t', 'x']]));
  const head = `HTTP/1.1 200 OK\r\ndate: ${DATE}\r\ntransfer-encoding: chunked\r\n\r\n`;
  assert.equal(sink.take(), `${head}10\r\n0123456789abcdef\r\n0\r\nt: x\r\n\r\n`);
});

test('answers without content have none: HEAD keeps the length it would have had', () => {
  const head = engine({}, answer('abc'));
  head.receive(GET.replace('GET', 'HEAD') + GET);
  assert.equal(head.sink.take(), ok('abc').slice(0, -3) + ok('abc'));
  for (const status of [204, 304]) {
    const { sink, receive, exchanges } = engine();
    receive(GET);
    exchanges[0]!.exchange.respond(status, new Fields(), 0, 0);
    exchanges[0]!.exchange.end(0);
    assert.doesNotMatch(sink.take(), /content-length|chunked/);
  }
});

test('fields about framing are the engine’s own; a wish to close is heard', () => {
  const { sink, receive, exchanges } = engine();
  receive(GET);
  const fields = Fields.from([
    ['Connection', 'close, x'],
    ['Transfer-Encoding', 'gzip'],
    ['Content-Length', '99'],
    ['Date', 'mine'],
    ['X', 'y'],
  ]);
  exchanges[0]!.exchange.respond(404, fields, 0, 0, 'Gone Fishing');
  exchanges[0]!.exchange.end(0);
  assert.equal(
    sink.take(),
    `HTTP/1.1 404 Gone Fishing\r\ndate: mine\r\nx: y\r\ncontent-length: 0\r\n${CLOSE}\r\n`,
  );
  assert.equal(sink.closed, true);
});

test('interim responses go before the final one, and not to HTTP/1.0', () => {
  const { sink, receive, exchanges } = engine();
  receive(GET);
  const { exchange } = exchanges[0]!;
  exchange.informational(103, Fields.from([['link', '</x>']]), 0);
  assert.equal(sink.take(), 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
  assert.throws(() => exchange.informational(200, NO_FIELDS(), 0), {
    code: 'HTTP_RESPONSE_INVALID',
  });
  answer('')(exchanges[0]!);
  assert.throws(() => exchange.informational(103, NO_FIELDS(), 0), {
    code: 'HTTP_RESPONSE_INVALID',
  });
  const old = engine();
  old.receive('GET / HTTP/1.0\r\n\r\n');
  old.exchanges[0]!.exchange.informational(103, new Fields(), 0);
  assert.equal(old.sink.take(), '');
});

test('a response keeps to the length it announced', () => {
  const { receive, exchanges } = engine();
  receive(GET);
  const { exchange } = exchanges[0]!;
  assert.throws(() => exchange.write(latin1('a'), 0), { code: 'HTTP_RESPONSE_INVALID' });
  exchange.respond(200, new Fields(), 2, 0);
  assert.throws(() => exchange.respond(200, NO_FIELDS(), 2, 0), { code: 'HTTP_RESPONSE_INVALID' });
  exchange.write(latin1('a'), 0);
  assert.throws(() => exchange.end(0), { code: 'HTTP_BODY_TOO_SHORT' });
  assert.throws(() => exchange.write(latin1('bc'), 0), { code: 'HTTP_BODY_TOO_LONG' });
});

test('a refused request is answered with its status, then the connection closed', () => {
  const { sink, receive, refused, exchanges } = engine({}, answer('x'));
  receive(`${GET}GET / HTTP/3.0\r\n\r\n${GET}`);
  const sent = sink.take();
  assert.ok(sent.startsWith(ok('x')));
  const text = '505 HTTP Version Not Supported\n';
  assert.equal(
    sent.slice(ok('x').length),
    `HTTP/1.1 ${text.trim()}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\n` +
      `date: ${DATE}\r\n${CLOSE}\r\n${text}`,
  );
  assert.equal(sink.closed, true);
  assert.deepEqual(refused, ['version-unsupported']);
  assert.equal(exchanges.length, 1);
  receive(GET);
  assert.equal(exchanges.length, 1);
});

test('a fault within a body is answered if nothing was, and cuts the answer short if it was', () => {
  const bad = 'PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx';
  const before = engine({}, ({ exchange }) => exchange.read(0));
  before.receive(bad);
  assert.match(before.sink.take(), /^HTTP\/1.1 400 Bad Request\r\n/);
  assert.deepEqual(before.exchanges[0]!.log, ['closed HTTP_MALFORMED']);
  assert.equal(before.sink.aborted, undefined);
  const after = engine({}, ({ exchange }) => {
    exchange.respond(200, new Fields(), undefined, 0);
    exchange.read(0);
  });
  after.receive(bad);
  assert.equal(after.sink.aborted?.code, 'HTTP_MALFORMED');
  assert.deepEqual(after.exchanges[0]!.log, ['closed HTTP_MALFORMED']);
});

test('an early answer: the rest of a small body is read past, and the connection kept', () => {
  const { sink, receive, server, exchanges } = engine({ drainBytes: 10 }, answer('early'));
  receive('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234');
  assert.equal(sink.take(), ok('early'));
  assert.equal(server.state, 'draining');
  receive(`56789${GET}`);
  assert.equal(sink.take(), ok('early'));
  assert.equal(server.state, 'idle');
  assert.deepEqual(exchanges[0]!.log, ['closed -']);
});

test('an early answer: a large body, one without end, or a slow one ends the connection', () => {
  const large = engine({ drainBytes: 10 }, answer('early'));
  large.receive('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n');
  assert.equal(large.sink.take(), ok('early', CLOSE));
  assert.equal(large.sink.closed, true);

  const head = 'PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
  const endless = engine({ drainBytes: 10 }, answer('early'));
  endless.receive(`${head}6\r\n012345\r\n`);
  assert.equal(endless.sink.closed, false);
  endless.receive('6\r\n012345\r\n');
  assert.equal(endless.sink.closed, true);

  const slow = engine({ drainTimeout: 100 }, answer('early', 50));
  slow.receive(head, 50);
  assert.equal(slow.server.deadline(), 150);
  slow.server.advance(150);
  assert.equal(slow.sink.closed, true);
  assert.equal(slow.server.deadline(), Infinity);
});

test('times: an idle connection is closed, a slow head answered 408, a slow body too', () => {
  const limits = { idleTimeout: 1000, headTimeout: 100, bodyTimeout: 10 };
  const idle = engine(limits, answer('', 50));
  assert.equal(idle.server.deadline(), 100);
  idle.receive(GET, 50);
  idle.sink.take();
  assert.equal(idle.server.deadline(), 1050);
  idle.server.advance(1049);
  assert.equal(idle.sink.closed, false);
  idle.server.advance(1050);
  assert.equal(idle.sink.closed, true);
  assert.equal(idle.sink.take(), '');

  const head = engine(limits);
  head.receive('GET', 20);
  head.receive(' /', 90);
  assert.equal(head.server.deadline(), 120);
  head.server.advance(120);
  assert.match(head.sink.take(), /^HTTP\/1.1 408 /);
  assert.deepEqual(head.refused, ['timeout']);

  const body = engine(limits, ({ exchange }) => exchange.read(0));
  body.receive('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na');
  body.receive('b', 9);
  assert.equal(body.server.deadline(), 19);
  body.exchanges[0]!.exchange.pause(10);
  assert.equal(body.server.deadline(), Infinity);
  body.exchanges[0]!.exchange.read(30);
  body.server.advance(40);
  assert.match(body.sink.take(), /^HTTP\/1.1 408 /);
  assert.deepEqual(body.exchanges[0]!.log, ['data a', 'data b', 'closed TIMEOUT']);
});

test('a client that takes nothing is given up; one that takes something is waited for', () => {
  const { sink, receive, server, exchanges } = engine({ writeTimeout: 100 });
  receive(GET);
  const { exchange, log } = exchanges[0]!;
  exchange.respond(200, new Fields(), undefined, 0);
  sink.hasRoom = false;
  assert.equal(exchange.write(latin1('a'), 10), false);
  assert.equal(server.deadline(), 110);
  server.drained();
  assert.equal(server.deadline(), Infinity);
  assert.deepEqual(log, ['drain']);
  assert.equal(exchange.write(latin1('b'), 200), false);
  server.advance(300);
  assert.equal(sink.aborted?.code, 'TIMEOUT');
  assert.deepEqual(log, ['drain', 'closed TIMEOUT']);
  assert.equal(exchange.write(latin1('c'), 300), false);
  exchange.end(300);
});

test('a client that has ended its side is still answered, then closed', () => {
  const { sink, receive, server, exchanges } = engine();
  receive(GET + GET);
  server.receiveEnd(0);
  assert.equal(sink.closed, false);
  answer('1')(exchanges[0]!);
  assert.equal(sink.take(), ok('1'));
  answer('2')(exchanges[1]!);
  assert.equal(sink.take(), ok('2', CLOSE));
  assert.equal(sink.closed, true);
});

test('a client that ends between requests is closed, within one it is refused', () => {
  const idle = engine();
  idle.server.receiveEnd(0);
  assert.equal(idle.sink.closed, true);
  assert.equal(idle.sink.take(), '');
  const head = engine();
  head.receive('GET / HT');
  head.server.receiveEnd(0);
  assert.match(head.sink.take(), /^HTTP\/1.1 400 /);
  assert.deepEqual(head.refused, ['truncated']);
  const body = engine({}, ({ exchange }) => exchange.read(0));
  body.receive('PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na');
  body.server.receiveEnd(0);
  assert.deepEqual(body.exchanges[0]!.log, ['data a', 'closed HTTP_TRUNCATED']);
  assert.match(body.sink.take(), /^HTTP\/1.1 400 /);
});

test('when the connection goes, the exchange is told once and what it does is dropped', () => {
  const { sink, receive, server, exchanges } = engine();
  receive(GET);
  const { exchange, log } = exchanges[0]!;
  server.gone(new NetloomError('CONNECTION_RESET', 'reset'), 0);
  server.gone(undefined, 0);
  exchange.respond(200, new Fields(), 5, 0);
  assert.equal(exchange.write(latin1('hello'), 0), false);
  exchange.end(0);
  exchange.abort(new NetloomError('X', 'x'), 0);
  assert.deepEqual(log, ['closed CONNECTION_RESET']);
  assert.equal(sink.take(), '');
  assert.equal(server.state, 'closed');
  const quiet = engine();
  quiet.receive(GET);
  quiet.server.gone(undefined, 0);
  assert.deepEqual(quiet.exchanges[0]!.log, ['closed HTTP_CLIENT_GONE']);
});

test('shutting down closes an idle connection at once and a busy one after its answer', () => {
  const idle = engine();
  idle.server.shutdown(0);
  assert.equal(idle.sink.closed, true);
  const busy = engine();
  busy.receive(GET + GET);
  busy.server.shutdown(0);
  assert.equal(busy.sink.closed, false);
  answer('1')(busy.exchanges[0]!);
  assert.equal(busy.sink.take(), ok('1', CLOSE));
  assert.equal(busy.sink.closed, true);
  assert.equal(busy.exchanges.length, 1);
});
