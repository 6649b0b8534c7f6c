import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostError } from '../../core/index.ts';
import {
  END_HEADERS,
  RawServer,
  WHOLE,
  frame,
  initialWindow,
  settings,
  words,
} from '../../../test/http/http2/raw-peer.ts';
import { latin1 } from '../../../test/http/messages.ts';
import { Fields } from '../semantics/index.ts';
import {
  FrameFlag,
  FrameType,
  SettingId,
  type Http2ClientExchange,
  type Http2ClientRequest,
  type Http2Fault,
} from './index.ts';

const { DATA, HEADERS, PUSH_PROMISE, GOAWAY, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE } =
  FrameType;
const eight = new Uint8Array(8);
const OK: [string, string][] = [[':status', '200']];
const HINTS: [string, string][] = [[':status', '103']];

/** Begins a request, and writes down what is told of it. */
function ask(
  server: RawServer,
  request: Partial<Http2ClientRequest> = {},
): { exchange: Http2ClientExchange; log: string[] } {
  const log: string[] = [];
  const fields = Fields.from([['host', 'h']]);
  const exchange = server.client.request(
    { method: 'GET', target: '/', fields, length: 0, ...request },
    {
      informational: ({ status }) => log.push(`informational ${status}`),
      response: ({ status }, framing) => log.push(`response ${status} ${framing}`),
      data: (chunk) => log.push(`data ${chunk.length}`),
      end: (trailers) => log.push(`end${[...(trailers ?? [])].map((t) => ` ${t}`)}`),
      drain: () => log.push('drain'),
      closed: (error) => log.push(`closed ${error?.code ?? '-'}`),
    },
    server.now,
  );
  return { exchange, log };
}

/** The same for a request without a body. */
function get(server: RawServer): string[] {
  const { exchange, log } = ask(server);
  exchange.end(server.now);
  return log;
}

test('the client begins with the preface, refuses pushes, and may ask at once', () => {
  const server = new RawServer();
  get(server);
  assert.deepEqual(server.heard(), [
    'SETTINGS',
    `WINDOW_UPDATE 0 ${4 * 1024 * 1024 - 65_535}`,
    'HEADERS 1 :method=GET END',
  ]);
  assert.deepEqual(server.send(frame(SETTINGS, 0, 0)), ['SETTINGS ACK']);
});

test('a response comes with its interim ones, its body and its trailers', () => {
  const server = new RawServer().begin();
  const log = get(server);
  const { frames } = server;
  server.send(
    frames.headers(1, HINTS, END_HEADERS),
    frames.headers(1, OK, END_HEADERS),
    frames.data(1, 'abc'),
    frames.headers(1, [['x-t', 'y']]),
  );
  assert.deepEqual(log, [
    'informational 103',
    'response 200 stream',
    'data 3',
    'end x-t,y',
    'closed -',
  ]);
  assert.equal(server.client.exchanges, 0);
});

test('many requests are under way at once, and their responses come in any order', () => {
  const server = new RawServer().begin();
  const [one, three] = [get(server), get(server)];
  const { frames } = server;
  server.send(
    frames.headers(3, OK),
    frames.headers(1, [...OK, ['content-length', '2']], END_HEADERS),
  );
  assert.deepEqual(three, ['response 200 0', 'end', 'closed -']);
  server.send(frames.data(1, 'ab', 1));
  assert.deepEqual(one, ['response 200 2', 'data 2', 'end', 'closed -']);
});

test('a response to HEAD, a 204 and a 304 have no body, whatever they say', () => {
  for (const [method, status] of [
    ['HEAD', '200'],
    ['GET', '204'],
    ['GET', '304'],
  ] as const) {
    const server = new RawServer().begin();
    const { exchange, log } = ask(server, { method });
    exchange.end(0);
    const head: [string, string][] = [
      [':status', status],
      ['content-length', '5'],
    ];
    server.send(server.frames.headers(1, head));
    assert.deepEqual(log, [`response ${status} 0`, 'end', 'closed -']);
    const body = ask(server, { method });
    body.exchange.end(0);
    const heard = server.send(
      server.frames.headers(3, head, END_HEADERS),
      server.frames.data(3, 'a'),
    );
    assert.equal(heard.at(-1), 'RST_STREAM 3 PROTOCOL_ERROR');
    assert.deepEqual(body.log, [`response ${status} 0`, 'closed HTTP_MALFORMED']);
  }
});

test('a body goes out as the windows allow, and `drain` says when there is room', () => {
  const server = new RawServer({ sendBuffer: 100 }).begin(initialWindow(10));
  const { exchange, log } = ask(server, { method: 'POST', length: undefined });
  server.heard();
  assert.equal(exchange.write(new Uint8Array(50), 0), true);
  assert.equal(exchange.write(new Uint8Array(100), 0), false);
  assert.deepEqual(server.heard(), ['DATA 1 10']);
  assert.deepEqual(server.send(frame(WINDOW_UPDATE, 0, 1, words(100))), ['DATA 1 40', 'DATA 1 60']);
  assert.deepEqual(log, ['drain']);
  exchange.end(0, Fields.from([['x-t', 'y']]));
  const heard = server.send(frame(WINDOW_UPDATE, 0, 1, words(100)));
  assert.deepEqual(heard, ['DATA 1 40', 'HEADERS 1 x-t=y END']);
});

test('a body whose length is known ends with its last byte', () => {
  const server = new RawServer().begin();
  const { exchange } = ask(server, { method: 'POST', length: 2 });
  exchange.write(latin1('ab'), 0);
  exchange.end(0);
  assert.deepEqual(server.heard().slice(-2), ['HEADERS 1 :method=POST', 'DATA 1 2 END']);
  assert.throws(() => ask(server, { length: 2 }).exchange.write(latin1('abc'), 0), {
    code: 'HTTP_BODY_TOO_LONG',
  });
});

test('requests beyond what the server allows wait for their turn, body and all', () => {
  const server = new RawServer().begin([SettingId.MAX_CONCURRENT_STREAMS, 1]);
  get(server);
  const two = ask(server, { method: 'POST', length: undefined });
  assert.equal(two.exchange.write(latin1('ab'), 0), false);
  two.exchange.end(0, Fields.from([['x-t', 'y']]));
  const three = ask(server, { method: 'POST', length: undefined });
  three.exchange.write(latin1('c'), 0);
  assert.equal(server.client.capacity, 0);
  server.heard();
  assert.deepEqual(server.send(server.frames.headers(1, OK)), [
    'HEADERS 3 :method=POST',
    'DATA 3 2',
    'HEADERS 3 x-t=y END',
  ]);
  assert.deepEqual(server.send(server.frames.headers(3, OK)), [
    'HEADERS 5 :method=POST',
    'DATA 5 1',
  ]);
  assert.deepEqual(three.log, ['drain']);
  // More is allowed: those that wait begin.
  get(server);
  const more = frame(SETTINGS, 0, 0, settings([SettingId.MAX_CONCURRENT_STREAMS, 2]));
  assert.deepEqual(server.send(more), ['SETTINGS ACK', 'HEADERS 7 :method=GET END']);
});

test('so many may wait, and no more; one that waits can be given up', () => {
  const server = new RawServer({ waiting: 1 }).begin([SettingId.MAX_CONCURRENT_STREAMS, 0]);
  const { exchange, log } = ask(server);
  assert.throws(() => ask(server), { code: 'HTTP_POOL_EXHAUSTED' });
  exchange.abort(hostError('ABORTED', 'enough'), 0);
  assert.deepEqual(log, ['closed ABORTED']);
  assert.equal(server.client.exchanges, 0);
  ask(server);
});

test('giving an exchange up resets its stream only, and what still comes is passed over', () => {
  const server = new RawServer().begin();
  const { exchange, log } = ask(server);
  exchange.end(0);
  const other = get(server);
  server.heard();
  exchange.abort(hostError('ABORTED', 'enough'), 0);
  assert.deepEqual(server.heard(), ['RST_STREAM 1 CANCEL']);
  const { frames } = server;
  const late = [frames.headers(1, OK, END_HEADERS), frames.data(1, 'abc', 1)];
  assert.deepEqual(server.send(...late, frames.headers(3, OK)), []);
  assert.deepEqual(log, ['closed ABORTED']);
  assert.deepEqual(other, ['response 200 0', 'end', 'closed -']);
});

test('a reader that pauses closes the window, and what has come is there when it goes on', () => {
  const server = new RawServer({ streamWindow: 65_535 }).begin();
  const { exchange, log } = ask(server);
  exchange.end(0);
  server.heard();
  exchange.pause(0);
  const data = frame(DATA, 0, 1, new Uint8Array(16_384));
  const end = frame(DATA, 1, 1, new Uint8Array(16_383));
  assert.deepEqual(
    server.send(server.frames.headers(1, OK, END_HEADERS), data, data, data, end),
    [],
  );
  assert.deepEqual(log, ['response 200 stream']);
  // The stream is over for the server, and another takes its place; its rest is read all the same.
  exchange.read(0);
  assert.deepEqual(log.slice(1), [
    'data 16384',
    'data 16384',
    'data 16384',
    'data 16383',
    'end',
    'closed -',
  ]);
  assert.deepEqual(server.heard(), []);
});

test('a response before the request’s end makes the rest of it needless', () => {
  const server = new RawServer().begin();
  const { exchange, log } = ask(server, { method: 'POST', length: 1000 });
  server.heard();
  assert.deepEqual(server.send(server.frames.headers(1, OK)), ['RST_STREAM 1 CANCEL']);
  assert.deepEqual(log, ['response 200 0', 'end', 'closed -']);
  assert.equal(exchange.write(new Uint8Array(1000), 0), false);
  // What servers do after it: RFC 9113, section 8.1.
  assert.deepEqual(server.send(frame(RST_STREAM, 0, 1, words(0))), []);
});

test('what the server has not looked at is told apart from what it gave up', () => {
  const server = new RawServer().begin();
  const [one, three] = [get(server), get(server)];
  server.send(frame(RST_STREAM, 0, 1, words(7)), frame(RST_STREAM, 0, 3, words(2)));
  assert.deepEqual([...one, ...three], ['closed HTTP_UNPROCESSED', 'closed HTTP_RESET']);
});

test('GOAWAY: later requests were not looked at, earlier ones are finished, then the connection ends', () => {
  const server = new RawServer({ concurrentStreams: 2 }).begin();
  const [one, three, five] = [get(server), get(server), get(server)];
  server.send(frame(GOAWAY, 0, 0, words(1, 0)));
  assert.deepEqual(
    [one, three, five],
    [[], ['closed HTTP_UNPROCESSED'], ['closed HTTP_UNPROCESSED']],
  );
  assert.throws(() => ask(server), { code: 'HTTP_UNPROCESSED' });
  assert.equal(server.client.state, 'draining');
  const heard = server.send(server.frames.headers(1, OK));
  assert.deepEqual(heard, ['GOAWAY 0 NO_ERROR']);
  assert.deepEqual(one.at(-1), 'closed -');
  assert.deepEqual(server.log, ['draining', 'closed -']);
});

test('when the connection goes, requests are told whether anything came', () => {
  const server = new RawServer().begin();
  const [one, three] = [get(server), get(server)];
  server.send(server.frames.headers(1, OK, END_HEADERS));
  server.client.receiveEnd(0);
  assert.deepEqual(one, ['response 200 stream', 'closed HTTP_TRUNCATED']);
  assert.deepEqual(three, ['closed HTTP_NO_RESPONSE']);
  assert.ok(server.pipe.closed);
  assert.equal(server.client.deadline(), Infinity);
});

test('a response that does not come, or stops coming, is given up', () => {
  const server = new RawServer({ responseTimeout: 1000, bodyTimeout: 500 }).begin();
  const one = get(server);
  const { exchange, log } = ask(server, { responseTimeout: 3000, bodyTimeout: 100 });
  exchange.end(0);
  server.heard();
  assert.deepEqual(server.wait(999), []);
  assert.deepEqual(server.wait(1), ['RST_STREAM 1 CANCEL']);
  assert.deepEqual(one, ['closed TIMEOUT']);
  server.send(server.frames.headers(3, OK, END_HEADERS));
  assert.deepEqual(server.wait(99), []);
  assert.deepEqual(server.wait(1), ['RST_STREAM 3 CANCEL']);
  assert.deepEqual(log, ['response 200 stream', 'closed TIMEOUT']);
});

test('a request whose body is still being sent may take its time', () => {
  const server = new RawServer({ responseTimeout: 1000 }).begin();
  ask(server, { method: 'POST', length: undefined });
  server.heard();
  assert.deepEqual(server.wait(100_000), []);
});

test('a server that never says anything is given up', () => {
  const server = new RawServer({ settingsTimeout: 1000 });
  const log = get(server);
  server.heard();
  assert.deepEqual(server.wait(1000), ['GOAWAY 0 NO_ERROR']);
  assert.deepEqual(log, ['closed TIMEOUT']);
});

test('a PING is answered to who has sent it', () => {
  const server = new RawServer().begin();
  server.heard();
  const times: number[] = [];
  assert.ok(server.client.ping((now) => times.push(now), 0));
  assert.deepEqual(server.heard(), ['PING']);
  server.now = 7;
  server.send(
    frame(PING, FrameFlag.ACK, 0, words(0, 2)),
    frame(PING, FrameFlag.ACK, 0, words(0, 1)),
  );
  assert.deepEqual(times, [7]);
  for (let i = 0; i < 16; i++) assert.ok(server.client.ping(() => undefined, 7));
  assert.ok(!server.client.ping(() => undefined, 7));
});

test('CONNECT opens a tunnel, whose two ways end each by itself', () => {
  const server = new RawServer().begin();
  const { exchange, log } = ask(server, { method: 'CONNECT', target: 'h:443' });
  server.send(server.frames.headers(1, OK, END_HEADERS), server.frames.data(1, 'hello', 1));
  assert.deepEqual(log, ['response 200 stream', 'data 5', 'end']);
  server.heard();
  exchange.write(latin1('bye'), 0);
  exchange.end(0);
  assert.deepEqual(server.heard(), ['DATA 1 3', 'DATA 1 0 END']);
  assert.equal(log.at(-1), 'closed -');
  assert.equal(server.client.exchanges, 0);
});

test('a tunnel that is refused is a response as any other', () => {
  const server = new RawServer().begin([SettingId.ENABLE_CONNECT_PROTOCOL, 1]);
  assert.ok(server.client.allowsConnectProtocol);
  const { log } = ask(server, { method: 'CONNECT', target: '/chat', protocol: 'websocket' });
  server.heard();
  assert.deepEqual(server.send(server.frames.headers(1, [[':status', '403']])), [
    'RST_STREAM 1 CANCEL',
  ]);
  assert.deepEqual(log, ['response 403 0', 'end', 'closed -']);
});

/** What a server must not send, and what becomes of it: as the rules of a server, on the client's side. */
const wrong: [string, Http2Fault, string, (server: RawServer) => readonly Uint8Array[]][] = [
  [
    'a push',
    'push-refused',
    'GOAWAY 0 PROTOCOL_ERROR',
    ({ frames }) => [frame(PUSH_PROMISE, END_HEADERS, 1, [...words(2), ...frames.block(OK)])],
  ],
  [
    'a stream of its own',
    'frame-on-idle-stream',
    'GOAWAY 0 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(2, OK)],
  ],
  [
    'a response that nobody asked for',
    'frame-on-idle-stream',
    'GOAWAY 0 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(3, OK)],
  ],
  [
    'data on an idle stream',
    'frame-on-idle-stream',
    'GOAWAY 0 PROTOCOL_ERROR',
    ({ frames }) => [frames.data(3, 'a')],
  ],
  [
    'data before a head',
    'data-before-headers',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.data(1, 'a')],
  ],
  [
    'data after an interim head',
    'data-before-headers',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, HINTS, END_HEADERS), frames.data(1, 'a')],
  ],
  [
    'an interim head that ends the stream',
    'status-invalid',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, HINTS)],
  ],
  [
    'no status',
    'pseudo-field-missing',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [['x', 'y']])],
  ],
  [
    'a status that is no number',
    'status-invalid',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [[':status', '2x0']])],
  ],
  [
    'a status above 599',
    'status-invalid',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [[':status', '600']])],
  ],
  [
    '101',
    'protocol-switched',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [[':status', '101']], END_HEADERS)],
  ],
  [
    'a pseudo-header field of requests',
    'pseudo-field-unexpected',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [...OK, [':path', '/']])],
  ],
  [
    'a field of the connection',
    'connection-field',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [frames.headers(1, [...OK, ['connection', 'close']])],
  ],
  [
    'a body too short',
    'content-length-mismatch',
    'RST_STREAM 1 PROTOCOL_ERROR',
    ({ frames }) => [
      frames.headers(1, [...OK, ['content-length', '2']], END_HEADERS),
      frames.data(1, 'a', 1),
    ],
  ],
  [
    'interim heads without end',
    'too-many-informational',
    'RST_STREAM 1 ENHANCE_YOUR_CALM',
    ({ frames }) => Array.from({ length: 17 }, () => frames.headers(1, HINTS, END_HEADERS)),
  ],
  [
    'a head after the end',
    'frame-on-ended-stream',
    'GOAWAY 0 STREAM_CLOSED',
    ({ frames }) => [frames.headers(1, OK), frames.headers(1, OK)],
  ],
  [
    'ENABLE_PUSH of 1',
    'setting-invalid',
    'GOAWAY 0 PROTOCOL_ERROR',
    () => [frame(SETTINGS, 0, 0, settings([SettingId.ENABLE_PUSH, 1]))],
  ],
  [
    'PRIORITY_UPDATE',
    'priority-update-unexpected',
    'GOAWAY 0 PROTOCOL_ERROR',
    () => [frame(FrameType.PRIORITY_UPDATE, 0, 0, words(1))],
  ],
  [
    'a block that is no HPACK',
    'header-block-invalid',
    'GOAWAY 0 COMPRESSION_ERROR',
    () => [frame(HEADERS, WHOLE, 1, [0x80])],
  ],
  [
    'PING of a stream',
    'stream-id-unexpected',
    'GOAWAY 0 PROTOCOL_ERROR',
    () => [frame(PING, 0, 1, eight)],
  ],
];

for (const [name, fault, end, send] of wrong) {
  test(`a server’s fault: ${name}`, () => {
    const server = new RawServer().begin();
    const log = get(server);
    server.heard();
    const heard = server.send(...send(server));
    assert.deepEqual(
      heard.filter((line) => /^(?:RST|GOAWAY)/.test(line)),
      [end],
    );
    assert.equal(server.log[0], `refused ${fault}`);
    if (fault !== 'frame-on-ended-stream') {
      assert.match(log.at(-1)!, /^closed HTTP_(?:MALFORMED|LIMIT_EXCEEDED)$/);
    }
    assert.equal(log.filter((line) => line.startsWith('closed')).length, 1);
    assert.equal(server.pipe.closed, end.startsWith('GOAWAY'));
  });
}
