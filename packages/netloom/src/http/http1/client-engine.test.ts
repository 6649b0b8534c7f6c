import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError, withLimits } from '../../core/index.ts';
import { fromLatin1, latin1 } from '../../../test/http/messages.ts';
import { RecordingSink } from '../../../test/http/sink.ts';
import { Fields } from '../semantics/index.ts';
import {
  HTTP1_CLIENT_LIMITS,
  Http1Client,
  type ClientExchangeHandler,
  type ClientRequest,
  type Http1ClientLimits,
} from './index.ts';

const hostOnly = (): Fields => Fields.from([['host', 'h']]);
const GET = 'GET /a HTTP/1.1\r\nhost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** An engine in virtual time. */
function engine(limits: Partial<Http1ClientLimits> = {}) {
  const sink = new RecordingSink();
  const pool: string[] = [];
  const client = new Http1Client({
    sink,
    limits: withLimits(HTTP1_CLIENT_LIMITS, limits),
    handler: { idle: () => pool.push('idle'), closed: () => pool.push('closed') },
  });
  const receive = (text: string, now = 0): void => {
    const borrowed = latin1(text);
    client.receive(borrowed, now);
    borrowed.fill(0xee);
  };
  /** Begins an exchange, and logs what its handler is told. */
  const request = (
    given: Partial<ClientRequest> = {},
    more: Partial<ClientExchangeHandler> = {},
    now = 0,
  ) => {
    const log: string[] = [];
    const exchange = client.request(
      { method: 'GET', target: '/a', fields: hostOnly(), length: 0, ...given },
      {
        informational: ({ status }) => log.push(`informational ${status}`),
        response: ({ status }, framing) => log.push(`response ${status} ${framing}`),
        data: (chunk) => log.push(`data ${fromLatin1(chunk)}`),
        end: (trailers) => log.push(`end ${trailers === undefined ? '-' : [...trailers]}`),
        drain: () => log.push('drain'),
        closed: (error) => log.push(`closed ${error?.code ?? '-'}`),
        ...more,
      },
      now,
    );
    return { exchange, log };
  };
  /** As {@link request}, and ends it. */
  const get = (
    given: Partial<ClientRequest> = {},
    more: Partial<ClientExchangeHandler> = {},
    now = 0,
  ) => {
    const begun = request(given, more, now);
    begun.exchange.end(now);
    return begun;
  };
  return { client, sink, pool, receive, request, get };
}

test('one exchange after the other, on one connection', () => {
  const { client, sink, pool, receive, get } = engine();
  for (let i = 1; i <= 3; i++) {
    const { log } = get();
    assert.equal(sink.take(), GET);
    receive(OK.slice(0, 20));
    receive(OK.slice(20));
    assert.deepEqual(log, ['response 200 2', 'data ok', 'end -', 'closed -']);
    assert.equal(pool.length, i);
  }
  assert.deepEqual(pool, ['idle', 'idle', 'idle']);
  assert.equal(client.state, 'idle');
  assert.equal(client.deadline(), Infinity);
});

test('bodies go out by length or in chunks', () => {
  const { sink, receive, request } = engine();
  const sized = request({ method: 'PUT', length: 5 }).exchange;
  sized.write(latin1('hello'), 0);
  sized.end(0);
  assert.equal(sink.take(), 'PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello');
  receive(OK);
  const chunked = request({ method: 'POST', length: undefined }).exchange;
  chunked.write(latin1('hello'), 0);
  chunked.end(0, Fields.from([['t', 'x']]));
  assert.equal(
    sink.take(),
    'POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nt: x\r\n\r\n',
  );
  receive(OK);
  request({ method: 'POST' }).exchange.end(0);
  assert.match(sink.take(), /\r\ncontent-length: 0\r\n/);
});

test('a request that cannot be sent throws and leaves the connection as it was', () => {
  const { client, sink, request } = engine();
  for (const given of [{ target: '/a b' }, { target: '' }, { method: 'G T' }]) {
    assert.throws(() => request(given), { code: 'HTTP_REQUEST_INVALID' });
  }
  assert.throws(() => Fields.from([['x', 'a\r\nb: c']]), { code: 'HTTP_FIELD_INVALID' });
  assert.equal(sink.take(), '');
  assert.equal(client.state, 'idle');
});

test('interim responses are passed on, a bounded number', () => {
  const { sink, receive, get } = engine({ informational: 2 });
  const { log } = get();
  receive(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}`);
  assert.deepEqual(log.slice(0, 3), ['informational 103', 'informational 100', 'response 200 2']);
  const endless = get();
  receive('HTTP/1.1 102 Processing\r\n\r\n'.repeat(3));
  assert.equal(endless.log.at(-1), 'closed HTTP_LIMIT_EXCEEDED');
  assert.equal(sink.closed, true);
});

test('the connection is kept only if both sides are willing and nothing is left over', () => {
  const cases: readonly (readonly [why: string, response: string, fields?: Fields])[] = [
    ['the server closes', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['left over', `${OK}HTTP/1.1 200`],
    [
      'the client closes',
      OK,
      Fields.from([
        ['host', 'h'],
        ['connection', 'close'],
      ]),
    ],
  ];
  for (const [why, response, fields] of cases) {
    const { sink, pool, receive, get } = engine();
    const { log } = get(fields === undefined ? {} : { fields });
    receive(response);
    assert.equal(log.at(-1), 'closed -', why);
    assert.equal(sink.closed, true, why);
    assert.deepEqual(pool, ['closed'], why);
  }
  const kept = engine();
  kept.get();
  kept.receive('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(kept.pool, ['idle']);
});

test('an early answer to a request not sent whole is whole; the connection is not kept', () => {
  const { sink, receive, request } = engine();
  const { exchange, log } = request({ method: 'PUT', length: 5 });
  exchange.write(latin1('he'), 0);
  receive('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n');
  assert.deepEqual(log, ['response 413 0', 'end -', 'closed -']);
  assert.equal(sink.closed, true);
  assert.equal(exchange.write(latin1('llo'), 0), false);
  exchange.end(0);
});

test('a connection that ends too early: before an answer, within one; at the end of one it is the end', () => {
  const none = engine();
  const first = none.get();
  none.client.receiveEnd(0);
  assert.deepEqual(first.log, ['closed HTTP_NO_RESPONSE']);
  assert.equal(first.exchange.responseBegun, false);
  for (const part of [OK.slice(0, 5), OK.slice(0, -1), 'HTTP/1.1 100 Continue\r\n\r\n']) {
    const { client, receive, get } = engine();
    const { exchange, log } = get();
    receive(part);
    client.receiveEnd(0);
    assert.equal(log.at(-1), 'closed HTTP_TRUNCATED', part);
    assert.equal(exchange.responseBegun, true);
  }
  const open = engine();
  const { log } = open.get();
  open.receive('HTTP/1.1 200 OK\r\n\r\nall');
  open.client.receiveEnd(0);
  assert.deepEqual(log, ['response 200 close', 'data all', 'end -', 'closed -']);
  assert.deepEqual(open.pool, ['closed']);
});

test('a reset is told as it is, wherever it happens', () => {
  const { client, receive, get } = engine();
  const { log } = get();
  receive('HTTP/1.1 200 OK\r\n\r\nso far');
  client.gone(new NetloomError('CONNECTION_RESET', 'reset'), 0);
  assert.deepEqual(log, ['response 200 close', 'data so far', 'closed CONNECTION_RESET']);
});

test('a refused response is a named error, and the connection cut off', () => {
  const { sink, receive, get } = engine();
  const { log } = get();
  receive('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
  assert.deepEqual(log, ['closed HTTP_MALFORMED']);
  assert.match(sink.aborted!.message, /content-length-duplicated/);
});

test('what an idle connection sends closes it: it answers nothing', () => {
  const { client, sink, pool, receive } = engine();
  receive('HTTP/1.1 408 Request Timeout\r\n\r\n');
  assert.equal(sink.closed, true);
  assert.deepEqual(pool, ['closed']);
  client.receiveEnd(0);
  const ended = engine();
  ended.client.receiveEnd(0);
  assert.deepEqual(ended.pool, ['closed']);
});

test('a paused response holds the input up, and goes on where it stopped', () => {
  const { client, sink, receive, get } = engine();
  const { exchange, log } = get();
  receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
  exchange.pause(0);
  assert.equal(sink.paused, true);
  receive('1\r\nb\r\n0\r\nT: x\r\n\r\n');
  client.receiveEnd(0);
  assert.deepEqual(log, ['response 200 chunked', 'data a']);
  exchange.read(0);
  assert.deepEqual(log.slice(2), ['data b', 'end t,x', 'closed -']);
  assert.equal(sink.closed, true);
});

test('times: no response, a body that stops, a request nobody takes', () => {
  const limits = { responseTimeout: 100, bodyTimeout: 10, writeTimeout: 50 };
  const silent = engine(limits);
  const { log } = silent.get({}, {}, 7);
  assert.equal(silent.client.deadline(), 107);
  silent.receive('HTTP/1.1 102 Processing\r\n\r\n', 50);
  assert.equal(silent.client.deadline(), 150);
  silent.client.advance(149);
  silent.client.advance(150);
  assert.deepEqual(log, ['informational 102', 'closed TIMEOUT']);

  const stalling = engine(limits);
  const second = stalling.get();
  stalling.receive(OK.slice(0, -1), 20);
  assert.equal(stalling.client.deadline(), 30);
  second.exchange.pause(25);
  assert.equal(stalling.client.deadline(), Infinity);
  second.exchange.read(60);
  stalling.client.advance(70);
  assert.equal(second.log.at(-1), 'closed TIMEOUT');

  const stuck = engine(limits);
  stuck.sink.hasRoom = false;
  const third = stuck.request({ method: 'PUT', length: 9 });
  assert.equal(third.exchange.write(latin1('abc'), 0), false);
  stuck.client.drained();
  assert.deepEqual(third.log, ['drain']);
  assert.equal(third.exchange.write(latin1('abc'), 30), false);
  stuck.client.advance(80);
  assert.deepEqual(third.log, ['drain', 'closed TIMEOUT']);

  const own = engine(limits);
  own.get({ responseTimeout: 5, bodyTimeout: 6 });
  assert.equal(own.client.deadline(), 5);
  own.receive(OK.slice(0, -1), 1);
  assert.equal(own.client.deadline(), 7);
});

test('a switch of protocols that was asked for hands the connection over, with what came already', () => {
  const upgrade = Fields.from([
    ['host', 'h'],
    ['upgrade', 'x'],
  ]);
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n';
  const asked = engine();
  const got: string[] = [];
  const { log } = asked.get(
    { fields: upgrade },
    { switched: ({ status }, rest) => got.push(`${status} ${fromLatin1(rest)}`) },
  );
  assert.match(asked.sink.take(), /\r\nconnection: upgrade\r\n/);
  asked.receive(`${head}rest`);
  assert.deepEqual(got, ['101 rest']);
  assert.deepEqual(log, ['closed -']);
  assert.equal(asked.client.state, 'switched');
  assert.equal(asked.sink.closed, false);

  const tunnel = engine();
  tunnel.get(
    { method: 'CONNECT', target: 'a:443' },
    { switched: (_, rest) => got.push(fromLatin1(rest)) },
  );
  tunnel.receive('HTTP/1.1 200 OK\r\n\r\ntunnelled');
  assert.deepEqual(got.at(-1), 'tunnelled');

  for (const given of [{}, { fields: upgrade }]) {
    const other = engine();
    const { log } = other.get(given);
    other.receive(head);
    assert.deepEqual(log, ['closed HTTP_UNEXPECTED_UPGRADE']);
  }
});

test('giving up cuts the connection off and tells the handler once; handlers may do it at any point', () => {
  const error = new NetloomError('ABORTED', 'enough');
  for (const at of ['informational', 'response', 'data', 'end'] as const) {
    const { client, sink, receive, get } = engine();
    const log: string[] = [];
    const { exchange } = get(
      {},
      {
        [at]: () => exchange.abort(error, 0),
        closed: (reason) => log.push(`closed ${reason?.code ?? '-'}`),
      },
    );
    receive(`HTTP/1.1 103 x\r\n\r\n${OK}`);
    assert.deepEqual(log, ['closed ABORTED'], at);
    assert.equal(sink.aborted, error);
    assert.equal(client.state, 'closed');
    client.gone(error, 0);
  }
});
