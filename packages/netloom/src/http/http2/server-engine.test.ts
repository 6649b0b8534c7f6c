import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError, concatBytes } from '../../core/index.ts';
import {
  END_HEADERS,
  END_STREAM,
  GET,
  POST,
  RawClient,
  WHOLE,
  frame,
  initialWindow,
  settings,
  words,
} from '../../../test/http/http2/raw-peer.ts';
import { latin1 } from '../../../test/http/messages.ts';
import { Fields } from '../semantics/index.ts';
import { FrameFlag, FrameType, SettingId, type Http2ServerExchange } from './index.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS } = FrameType;
const { PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE } = FrameType;
const NO_FIELDS = new Fields();
const eight = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const ANSWER_ONE = ['HEADERS 1 :status=200', 'DATA 1 2 END'];

const data = (id: number, length: number) => frame(DATA, 0, id, new Uint8Array(length));

/** Answers at once, with a text. */
const answer =
  (text = 'ok') =>
  (exchange: Http2ServerExchange): void => {
    exchange.respond(200, NO_FIELDS, text.length, 0);
    if (exchange.request.method !== 'HEAD') exchange.write(latin1(text), 0);
    exchange.end(0);
  };

/** Answers when the request has come whole, which it reads. */
const answerWhole = (exchange: Http2ServerExchange): void => {
  if (exchange.framing === 0) answer()(exchange);
  else exchange.read(0);
};

test('the server begins with SETTINGS, and acknowledges the client’s', () => {
  const client = new RawClient();
  assert.deepEqual(client.heard(), ['SETTINGS', 'WINDOW_UPDATE 0 983041']);
  assert.deepEqual(client.send(client.frames.preface()), ['SETTINGS ACK']);
  assert.equal(client.server.state, 'open');
});

test('a request is answered, and its stream is gone', () => {
  const client = new RawClient({}, answer()).begin();
  assert.deepEqual(client.send(client.frames.headers(1)), ANSWER_ONE);
  assert.deepEqual(client.log, ['1 closed -']);
  assert.equal(client.server.exchanges, 0);
  const { request, framing } = client.exchanges[0]!;
  assert.deepEqual(
    [request.method, request.target, request.scheme, framing],
    ['GET', '/', 'http', 0],
  );
  assert.deepEqual([...request.fields], [['host', 'h']]);
});

test('a response to HEAD says what GET would have had, and has no body', () => {
  const client = new RawClient({}, answer()).begin();
  const head = [[':method', 'HEAD'], ...GET.slice(1)] as [string, string][];
  assert.deepEqual(client.send(client.frames.headers(1, head)), ['HEADERS 1 :status=200 END']);
});

test('a body comes as it is read, with its trailers', () => {
  const client = new RawClient({}, (exchange) => exchange.read(0)).begin();
  client.send(
    client.frames.headers(1, POST, END_HEADERS),
    client.frames.data(1, 'abc'),
    client.frames.data(1, 'de'),
    client.frames.headers(1, [['x-check', 'yes']]),
  );
  assert.deepEqual(client.log, ['1 data 3', '1 data 2', '1 end x-check,yes']);
  answer()(client.exchanges[0]!);
  assert.deepEqual(client.heard(), ANSWER_ONE);
  assert.equal(client.server.exchanges, 0);
});

/** What has to be taken, and an answer has to follow: each with the frames of a request that stream 1 is. */
const takes: Record<string, (client: RawClient) => readonly Uint8Array[]> = {
  'a CONTINUATION frame': ({ frames }) => [
    frames.headers(1, GET, END_STREAM),
    frame(CONTINUATION, END_HEADERS, 1, frames.block([['a', 'b']])),
  ],
  'many CONTINUATION frames': ({ frames }) => [
    frames.headers(1, GET, END_STREAM),
    frame(CONTINUATION, 0, 1, frames.block([['a', 'b']])),
    frame(CONTINUATION, 0, 1, frames.block([['c', 'd']])),
    frame(CONTINUATION, END_HEADERS, 1, frames.block([['e', 'f']])),
  ],
  'a block cut into single bytes': ({ frames }) => {
    const block = frames.block(GET);
    const last = block.length - 1;
    return [...block].map((byte, at) =>
      frame(
        at === 0 ? HEADERS : CONTINUATION,
        at === 0 ? END_STREAM : at === last ? END_HEADERS : 0,
        1,
        [byte],
      ),
    );
  },
  'padded HEADERS': ({ frames }) => [
    frame(HEADERS, WHOLE | FrameFlag.PADDED, 1, [3, ...frames.block(GET), 0, 0, 0]),
  ],
  'HEADERS with a priority': ({ frames }) => [
    frame(HEADERS, WHOLE | FrameFlag.PRIORITY, 1, [...words(0), 255, ...frames.block(GET)]),
  ],
  'padded HEADERS with an exclusive priority': ({ frames }) => [
    frame(HEADERS, WHOLE | FrameFlag.PRIORITY | FrameFlag.PADDED, 1, [
      2,
      ...words(2 ** 31 + 3),
      7,
      ...frames.block(GET),
      0,
      0,
    ]),
  ],
  'padded DATA': ({ frames }) => [
    frames.headers(1, POST, END_HEADERS),
    frame(DATA, END_STREAM | FrameFlag.PADDED, 1, [2, 0x61, 0, 0]),
  ],
  'DATA that is nothing but padding': ({ frames }) => [
    frames.headers(1, POST, END_HEADERS),
    frame(DATA, END_STREAM | FrameFlag.PADDED, 1, [1, 0]),
  ],
  'DATA of 16,384 bytes': ({ frames }) => [
    frames.headers(1, POST, END_HEADERS),
    frame(DATA, END_STREAM, 1, new Uint8Array(16_384)),
  ],
  'PRIORITY of an idle stream, and a request of a lower number': ({ frames }) => [
    frame(PRIORITY, 0, 7, [...words(0), 0]),
    frame(PRIORITY, 0, 9, [...words(2 ** 31 + 7), 255]),
    frames.headers(1),
  ],
  'frames of unknown types, of ALTSVC and of ORIGIN': ({ frames }) => [
    frame(0x16, 0xff, 0, eight),
    frame(FrameType.ALTSVC, 0, 0, eight),
    frame(FrameType.ORIGIN, 0, 0, eight),
    frame(0xfe, 0xff, 0),
    frames.headers(1),
  ],
  'flags that are not defined': ({ frames }) => [
    frame(PING, 0x16, 0, eight),
    frame(HEADERS, WHOLE | 0x52, 1, frames.block(GET)),
  ],
  'the reserved bit of stream identifiers': ({ frames }) => [
    frame(PING, 0, 2 ** 31, eight),
    frame(HEADERS, WHOLE, 2 ** 31 + 1, frames.block(GET)),
  ],
  'unknown settings': ({ frames }) => [
    frame(SETTINGS, 0, 0, settings([0xff, 1], [0x0a0a, 2 ** 32 - 1])),
    frames.headers(1),
  ],
  'an acknowledgement of a PING that was never sent': ({ frames }) => [
    frame(PING, FrameFlag.ACK, 0, eight),
    frames.headers(1),
  ],
  'WINDOW_UPDATE of the connection': ({ frames }) => [
    frame(WINDOW_UPDATE, 0, 0, words(100)),
    frames.headers(1),
  ],
  'a content-length that is right, in two frames': ({ frames }) => [
    frames.headers(1, [...POST, ['content-length', '4']], END_HEADERS),
    frames.data(1, 'ab'),
    frames.data(1, 'cd', END_STREAM),
  ],
  'the size of the table changed twice': ({ frames }) => [
    frame(HEADERS, WHOLE, 1, [0x20, 0x3f, 0xe1, 0x1f, ...frames.block(GET)]),
  ],
  'te: trailers': ({ frames }) => [frames.headers(1, [...GET, ['te', 'trailers']])],
  'Host in place of :authority': ({ frames }) => [
    frames.headers(1, [...GET.slice(0, 3), ['host', 'h:8080']]),
  ],
  'OPTIONS *': ({ frames }) => [
    frames.headers(1, [
      [':method', 'OPTIONS'],
      [':scheme', 'http'],
      [':path', '*'],
      [':authority', 'h'],
    ]),
  ],
};

for (const [name, send] of Object.entries(takes)) {
  test(`it is taken: ${name}`, () => {
    const client = new RawClient({}, answerWhole).begin();
    const heard = client.send(...send(client));
    if (client.log.includes('1 end')) answer()(client.exchanges[0]!);
    const said = [...heard, ...client.heard()].filter((line) => !line.endsWith('ACK'));
    assert.deepEqual(said, ANSWER_ONE);
    assert.deepEqual(client.refused, []);
  });
}

test('on a half-closed and on a closed stream, what may still come is passed over', () => {
  const client = new RawClient().begin();
  const late = [
    frame(WINDOW_UPDATE, 0, 1, words(1)),
    frame(PRIORITY, 0, 1, [...words(0), 1]),
    frame(PING, 0, 0, eight),
  ];
  assert.deepEqual(client.send(client.frames.headers(1), ...late), ['PING ACK']);
  answer()(client.exchanges[0]!);
  client.heard();
  const reset = frame(RST_STREAM, 0, 1, words(8));
  assert.deepEqual(client.send(reset, ...late, reset), ['PING ACK']);
  assert.deepEqual(client.refused, []);
});

test('what is under way when we reset a stream is passed over, and opens the connection’s window again', () => {
  const client = new RawClient({ connectionWindow: 65_535 }).begin();
  client.send(client.frames.headers(1, POST, END_HEADERS));
  client.exchanges[0]!.abort(new NetloomError('ABORTED', 'enough'), 0);
  assert.deepEqual(client.heard(), ['RST_STREAM 1 INTERNAL_ERROR']);
  const data = frame(DATA, 0, 1, new Uint8Array(16_384));
  assert.deepEqual(client.send(data, data, data), ['WINDOW_UPDATE 0 32768']);
  assert.deepEqual(client.send(client.frames.headers(1, [['x', 'y']])), []);
  assert.deepEqual(client.log, ['1 closed ABORTED']);
  assert.deepEqual(client.refused, []);
});

test('a PING is answered by its own bytes', () => {
  const client = new RawClient().begin();
  client.heard();
  client.server.receive(frame(PING, 0, 0, eight), 0);
  assert.deepEqual(client.pipe.take(), frame(PING, FrameFlag.ACK, 0, eight));
});

test('error codes that nobody knows are taken as any other', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1), frame(RST_STREAM, 0, 1, words(0xff)));
  assert.deepEqual(client.log, ['1 closed HTTP_RESET']);
  client.send(client.frames.headers(3), frame(GOAWAY, 0, 0, words(0, 0xff)));
  answer()(client.exchanges[1]!);
  assert.deepEqual(client.heard(), ['HEADERS 3 :status=200', 'DATA 3 2 END', 'GOAWAY 3 NO_ERROR']);
  assert.ok(client.pipe.closed);
});

test('a response waits for the stream’s window, byte by byte', () => {
  const client = new RawClient({}, answer('abc')).begin(initialWindow(1));
  assert.deepEqual(client.send(client.frames.headers(1)), ['HEADERS 1 :status=200', 'DATA 1 1']);
  assert.deepEqual(client.send(frame(WINDOW_UPDATE, 0, 1, words(1))), ['DATA 1 1']);
  assert.deepEqual(client.send(frame(WINDOW_UPDATE, 0, 1, words(1))), ['DATA 1 1 END']);
});

test('a window that is changed by a setting counts what was sent, and may be negative', () => {
  const client = new RawClient({}, answer('abcdef')).begin(initialWindow(3));
  assert.equal(client.send(client.frames.headers(1)).at(-1), 'DATA 1 3');
  const set = (size: number) => client.send(frame(SETTINGS, 0, 0, settings(initialWindow(size))));
  assert.deepEqual(set(2), ['SETTINGS ACK']);
  assert.deepEqual(client.send(frame(WINDOW_UPDATE, 0, 1, words(2))), ['DATA 1 1']);
  assert.deepEqual(set(0), ['SETTINGS ACK']);
  assert.deepEqual(client.send(frame(WINDOW_UPDATE, 0, 1, words(2))), []);
  assert.deepEqual(set(2), ['SETTINGS ACK', 'DATA 1 2 END']);
});

test('several values of one setting in a frame are taken in their order', () => {
  const client = new RawClient({}, answer()).begin(initialWindow(100), initialWindow(1));
  assert.equal(client.send(client.frames.headers(1)).at(-1), 'DATA 1 1');
});

test('responses wait for the connection’s window, and share it', () => {
  const client = new RawClient({}, answer('x'.repeat(50_000))).begin();
  const heard = client.send(client.frames.headers(1), client.frames.headers(3));
  assert.deepEqual(heard, [
    'HEADERS 1 :status=200',
    'HEADERS 3 :status=200',
    'DATA 1 16384',
    'DATA 3 16384',
    'DATA 1 16384',
    'DATA 3 16383',
  ]);
  assert.deepEqual(client.send(frame(WINDOW_UPDATE, 0, 0, words(100_000))), [
    'DATA 1 16384',
    'DATA 3 16384',
    'DATA 1 848 END',
    'DATA 3 849 END',
  ]);
});

test('a request that nobody reads closes the window; reading opens it', () => {
  const client = new RawClient({ streamWindow: 65_535 }).begin();
  const data = frame(DATA, 0, 1, new Uint8Array(16_384));
  client.send(client.frames.headers(1, POST, END_HEADERS));
  assert.deepEqual(client.send(data, data, data), []);
  const [exchange] = client.exchanges;
  exchange!.read(0);
  assert.deepEqual(client.log, ['1 data 16384', '1 data 16384', '1 data 16384']);
  assert.deepEqual(client.heard(), ['WINDOW_UPDATE 1 32768']);
  exchange!.pause(0);
  assert.deepEqual(client.send(data, data), []);
  assert.equal(client.log.length, 3);
  exchange!.read(0);
  assert.deepEqual(client.heard(), ['WINDOW_UPDATE 1 32768']);
});

test('`write` asks to wait when the client does, and `drain` says when to go on', () => {
  const client = new RawClient({ sendBuffer: 1000 }).begin(initialWindow(100));
  client.send(client.frames.headers(1));
  const [exchange] = client.exchanges;
  exchange!.respond(200, NO_FIELDS, undefined, 0);
  assert.equal(exchange!.write(new Uint8Array(1099), 0), true);
  assert.equal(exchange!.write(new Uint8Array(1), 0), false);
  client.send(frame(WINDOW_UPDATE, 0, 1, words(499)));
  assert.deepEqual(client.log, []);
  client.send(frame(WINDOW_UPDATE, 0, 1, words(1)));
  assert.deepEqual(client.log, ['1 drain']);
});

test('a sink that has no room is given no more data, and control frames all the same', () => {
  const client = new RawClient({}, answer('x'.repeat(40_000))).begin(initialWindow(100_000));
  client.pipe.capacity = 1;
  client.server.receive(concatBytes([client.frames.headers(1), frame(PING, 0, 0, eight)]), 0);
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=200', 'PING ACK', 'DATA 1 16384']);
  assert.deepEqual(client.send(frame(PING, 0, 0, eight)), ['PING ACK']);
  client.pipe.capacity = Infinity;
  client.server.drained(0);
  assert.deepEqual(client.heard(), ['DATA 1 16384', 'DATA 1 7232 END']);
});

test('100 Continue is sent when the body is read, and only if the client waits for it', () => {
  const client = new RawClient().begin();
  const expecting = [...POST, ['expect', '100-continue']] as [string, string][];
  client.send(
    client.frames.headers(1, expecting, END_HEADERS),
    client.frames.headers(3, POST, END_HEADERS),
    client.frames.headers(5, expecting, END_HEADERS),
  );
  for (const exchange of client.exchanges.slice(0, 2)) exchange.read(0);
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=100']);
  answer()(client.exchanges[2]!);
  assert.deepEqual(client.heard(), ['HEADERS 5 :status=200', 'DATA 5 2 END']);
  assert.deepEqual(client.wait(1000), ['RST_STREAM 5 NO_ERROR']);
});

test('the rest of a request that was answered early is dropped, and bounded by its window', () => {
  const limits = { streamWindow: 65_535, connectionWindow: 65_535, lingerTimeout: 500 };
  const client = new RawClient(limits, answer()).begin();
  assert.deepEqual(client.send(client.frames.headers(1, POST, END_HEADERS)), ANSWER_ONE);
  assert.deepEqual(client.log, ['1 closed -']);
  const data = frame(DATA, 0, 1, new Uint8Array(16_384));
  assert.deepEqual(client.send(data, data, data), ['WINDOW_UPDATE 0 32768']);
  const heard = client.send(data);
  assert.deepEqual(heard, ['RST_STREAM 1 FLOW_CONTROL_ERROR', 'WINDOW_UPDATE 0 32768']);
  // One that ends in time is not reset.
  client.send(client.frames.headers(3, POST, END_HEADERS), client.frames.data(3, 'abc'));
  client.wait(499);
  assert.equal(client.server.exchanges, 1);
  assert.deepEqual(client.send(client.frames.data(3, 'd', END_STREAM)), []);
  assert.equal(client.server.exchanges, 0);
  client.send(client.frames.headers(5, POST, END_HEADERS));
  assert.deepEqual(client.wait(500), ['RST_STREAM 5 NO_ERROR']);
  assert.deepEqual(client.log, ['1 closed -', '3 closed -', '5 closed -']);
});

test('an expectation that nobody knows is answered by 417', () => {
  const client = new RawClient().begin();
  const heard = client.send(client.frames.headers(1, [...GET, ['expect', 'miracles']]));
  assert.deepEqual(heard, ['HEADERS 1 :status=417', 'DATA 1 23 END']);
  assert.deepEqual(client.refused, ['expectation-unknown']);
  assert.equal(client.exchanges.length, 0);
});

test('interim responses go before the final one, and none after', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1));
  const [exchange] = client.exchanges;
  exchange!.informational(103, Fields.from([['link', '</a>']]), 0);
  answer()(exchange!);
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=103', ...ANSWER_ONE]);
  const late = () => exchange!.informational(103, NO_FIELDS, 0);
  assert.throws(late, { code: 'HTTP_RESPONSE_INVALID' });
});

test('a response of unknown length ends by itself, or by its trailers', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1), client.frames.headers(3), client.frames.headers(5));
  const [one, three, five] = client.exchanges;
  for (const exchange of client.exchanges) exchange.respond(200, NO_FIELDS, undefined, 0);
  one!.write(latin1('a'), 0);
  one!.end(0);
  three!.write(latin1('b'), 0);
  three!.end(0, Fields.from([['x-t', 'y']]));
  five!.end(0);
  assert.deepEqual(client.heard().slice(3), [
    'DATA 1 1',
    'DATA 1 0 END',
    'DATA 3 1',
    'HEADERS 3 x-t=y END',
    'DATA 5 0 END',
  ]);
  assert.deepEqual(client.log, ['1 closed -', '3 closed -', '5 closed -']);
});

test('trailers wait behind the body that waits for its window', () => {
  const client = new RawClient().begin(initialWindow(1));
  client.send(client.frames.headers(1));
  const [exchange] = client.exchanges;
  exchange!.respond(200, NO_FIELDS, undefined, 0);
  exchange!.write(latin1('ab'), 0);
  exchange!.end(0, Fields.from([['x-t', 'y']]));
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=200', 'DATA 1 1']);
  assert.deepEqual(client.log, []);
  const heard = client.send(frame(WINDOW_UPDATE, 0, 1, words(1)));
  assert.deepEqual(heard, ['DATA 1 1', 'HEADERS 1 x-t=y END']);
  assert.deepEqual(client.log, ['1 closed -']);
});

test('a body that is not as long as was announced is the handler’s error', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1));
  const [exchange] = client.exchanges;
  assert.throws(() => exchange!.write(latin1('a'), 0), { code: 'HTTP_RESPONSE_INVALID' });
  exchange!.respond(200, NO_FIELDS, 2, 0);
  assert.throws(() => exchange!.respond(200, NO_FIELDS, 2, 0), { code: 'HTTP_RESPONSE_INVALID' });
  assert.throws(() => exchange!.write(latin1('abc'), 0), { code: 'HTTP_BODY_TOO_LONG' });
  assert.throws(() => exchange!.end(0), { code: 'HTTP_BODY_TOO_SHORT' });
});

test('a head that is too large is answered by 431, and the connection goes on', () => {
  const client = new RawClient({ headerBytes: 1000 }, answer()).begin();
  const large = [...GET, ['x', 'a'.repeat(1000)]] as [string, string][];
  assert.deepEqual(client.send(client.frames.headers(1, large)), ['HEADERS 1 :status=431 END']);
  assert.deepEqual(client.refused, ['fields-too-large']);
  assert.equal(client.server.exchanges, 0);
  assert.deepEqual(client.send(client.frames.headers(3)).length, 2);
});

test('a body that is too large is answered by 413, whether it was announced or not', () => {
  const client = new RawClient({ body: 3 }, (exchange) => exchange.read(0)).begin();
  const announced = [...POST, ['content-length', '4']] as [string, string][];
  client.send(client.frames.headers(1, announced, END_HEADERS));
  const heard = client.send(
    client.frames.headers(3, POST, END_HEADERS),
    client.frames.data(3, 'abcd', END_STREAM),
  );
  assert.deepEqual(heard, ['HEADERS 3 :status=413', 'DATA 3 22 END']);
  assert.deepEqual(client.refused, ['body-too-large', 'body-too-large']);
  assert.equal(client.server.exchanges, 1);
  assert.deepEqual(client.wait(1000), ['RST_STREAM 1 NO_ERROR']);
  assert.equal(client.server.exchanges, 0);
});

test('CONNECT is a tunnel, whose two ways end each by itself', () => {
  const client = new RawClient({}, (exchange) => exchange.read(0)).begin();
  const connect = [
    [':method', 'CONNECT'],
    [':authority', 'h:443'],
  ] as const;
  client.send(client.frames.headers(1, connect, END_HEADERS));
  const [exchange] = client.exchanges;
  assert.equal(exchange!.request.target, 'h:443');
  exchange!.respond(200, NO_FIELDS, undefined, 0);
  exchange!.write(latin1('hello'), 0);
  exchange!.end(0);
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=200', 'DATA 1 5', 'DATA 1 0 END']);
  client.send(client.frames.data(1, 'more'));
  assert.deepEqual(client.log, ['1 data 4']);
  client.send(client.frames.data(1, '', END_STREAM));
  assert.deepEqual(client.log, ['1 data 4', '1 end', '1 closed -']);
  assert.equal(client.server.exchanges, 0);
});

test('an extended CONNECT has a protocol and a path', () => {
  const client = new RawClient({}, () => undefined, true).begin();
  const connect = [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'websocket']];
  client.send(client.frames.headers(1, connect as [string, string][], END_HEADERS));
  const { request, framing } = client.exchanges[0]!;
  assert.deepEqual([request.protocol, request.target, framing], ['websocket', '/', 'stream']);
});

test('cookies that came in pieces are one field', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1, [...GET, ['cookie', 'a=b'], ['x', 'y'], ['cookie', 'c=d']]));
  assert.equal(client.exchanges[0]!.request.fields.get('cookie'), 'a=b; c=d');
  assert.equal(client.exchanges[0]!.request.fields.count('cookie'), 1);
});

test('fields about the connection are left out of responses', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1));
  const fields = Fields.from([
    ['connection', 'x-hop, close'],
    ['x-hop', '1'],
    ['transfer-encoding', 'chunked'],
    ['keep-alive', 'timeout=5'],
  ]);
  client.exchanges[0]!.respond(204, fields, undefined, 0);
  client.exchanges[0]!.end(0);
  assert.deepEqual(client.heard(), ['HEADERS 1 :status=204 END']);
});

test('streams are served by urgency, those of one urgency in order, or in turns', () => {
  const client = new RawClient().begin(initialWindow(0));
  const ask = (id: number, priority: string) =>
    client.frames.headers(id, [...GET, ['priority', priority]]);
  client.send(ask(1, 'u=5'), ask(3, 'u=1'), ask(5, 'u=1'), ask(7, 'u=3, i'), ask(9, 'u=3, i'));
  client.send(
    frame(PRIORITY_UPDATE, 0, 0, [...words(11), ...latin1('u=0')]),
    client.frames.headers(11),
  );
  client.send(frame(PRIORITY_UPDATE, 0, 0, [...words(1), ...latin1('u=2')]));
  for (const exchange of client.exchanges) {
    exchange.respond(200, NO_FIELDS, 20_000, 0);
    exchange.write(new Uint8Array(20_000), 0);
  }
  client.heard();
  const heard = client.send(
    frame(WINDOW_UPDATE, 0, 0, words(1_000_000)),
    frame(SETTINGS, 0, 0, settings(initialWindow(50_000))),
  );
  const order = heard.filter((line) => line.startsWith('DATA')).map((line) => line.split(' ')[1]);
  assert.deepEqual(order.join(' '), '11 11 3 3 5 5 1 1 7 9 7 9');
});

test('the end of a request’s side is not the end of its answer', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1), client.frames.headers(3, POST, END_HEADERS));
  client.server.receiveEnd(0);
  assert.deepEqual(client.log, ['3 closed HTTP_CLIENT_GONE']);
  answer()(client.exchanges[0]!);
  assert.deepEqual(client.heard(), [...ANSWER_ONE, 'GOAWAY 3 NO_ERROR']);
  assert.ok(client.pipe.closed);
});

test('when the connection is gone, all that is under way is told', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1), client.frames.headers(3));
  client.server.gone(undefined, 0);
  assert.deepEqual(client.log, ['1 closed HTTP_CLIENT_GONE', '3 closed HTTP_CLIENT_GONE']);
  assert.equal(client.server.deadline(), Infinity);
  client.exchanges[0]!.respond(200, NO_FIELDS, 1, 0);
  assert.equal(client.exchanges[0]!.write(latin1('a'), 0), false);
  assert.equal(client.server.state, 'closed');
});

test('a shutdown takes what is under way, and what is sent until the client knows', () => {
  const client = new RawClient().begin();
  client.send(client.frames.headers(1));
  client.server.shutdown(0);
  assert.deepEqual(client.heard(), ['GOAWAY 2147483647 NO_ERROR', 'PING']);
  client.send(client.frames.headers(3));
  assert.equal(client.exchanges.length, 2);
  const pong = frame(PING, FrameFlag.ACK, 0, words(0, 1));
  assert.deepEqual(client.send(pong), ['GOAWAY 3 NO_ERROR']);
  // Later requests are not looked at, but their fields are, for the table's sake.
  client.send(client.frames.headers(5, [...GET, ['x-new', 'entry']]));
  assert.equal(client.exchanges.length, 2);
  for (const exchange of client.exchanges) answer()(exchange);
  assert.equal(client.heard().length, 4);
  assert.ok(client.pipe.closed);
  assert.deepEqual(client.refused, []);
});

test('a shutdown does not wait for ever for the client to know', () => {
  const client = new RawClient({ goawayGrace: 500 }).begin();
  client.server.shutdown(0);
  client.heard();
  assert.deepEqual(client.wait(499), []);
  assert.deepEqual(client.wait(1), ['GOAWAY 0 NO_ERROR']);
  assert.ok(client.pipe.closed);
});

test('a settings frame of our own that is not acknowledged ends the connection', () => {
  const client = new RawClient({ settingsTimeout: 1000 });
  client.send(client.frames.preface().subarray(0, 24 + 9));
  assert.deepEqual(client.wait(999), []);
  assert.deepEqual(client.wait(1), ['GOAWAY 0 SETTINGS_TIMEOUT']);
  assert.deepEqual(client.refused, ['settings-timeout']);
});

test('who does not begin, who does not end a head, and who asks for nothing is sent away in time', () => {
  const silent = new RawClient({ headTimeout: 1000 });
  silent.heard();
  assert.deepEqual(silent.wait(1000), ['GOAWAY 0 NO_ERROR']);
  assert.deepEqual(silent.refused, ['preface-timeout']);
  const slow = new RawClient({ headTimeout: 1000 }).begin();
  slow.send(slow.frames.headers(1, GET, END_STREAM));
  assert.deepEqual(slow.wait(1000), ['GOAWAY 1 ENHANCE_YOUR_CALM']);
  assert.deepEqual(slow.refused, ['head-timeout']);
  const idle = new RawClient({ idleTimeout: 5000 }, answer()).begin();
  idle.wait(4000);
  idle.send(idle.frames.headers(1));
  assert.deepEqual(idle.wait(4999), []);
  assert.deepEqual(idle.wait(1), ['GOAWAY 1 NO_ERROR']);
  assert.deepEqual(idle.refused, []);
});

test('a body that stops coming is answered by 408; one that nobody reads may take its time', () => {
  const client = new RawClient({ bodyTimeout: 1000 }).begin();
  client.send(
    client.frames.headers(1, POST, END_HEADERS),
    client.frames.headers(3, POST, END_HEADERS),
  );
  client.exchanges[0]!.read(0);
  client.wait(900);
  client.send(client.frames.data(1, 'a'));
  assert.deepEqual(client.wait(999), []);
  const heard = client.wait(1);
  assert.deepEqual(heard, ['HEADERS 1 :status=408', 'DATA 1 20 END']);
  assert.deepEqual(client.refused, ['timeout']);
  assert.deepEqual(client.wait(1000), ['RST_STREAM 1 NO_ERROR']);
  assert.equal(client.server.exchanges, 1);
});

test('a client that takes nothing of what it is sent is cut off', () => {
  const client = new RawClient({ writeTimeout: 1000 }, answer()).begin();
  client.pipe.capacity = 1;
  client.send(client.frames.headers(1));
  client.wait(1000);
  assert.equal(client.pipe.aborted?.code, 'TIMEOUT');
});

test('a connection in use is asked for a sign of life, and ended without one', () => {
  const client = new RawClient({ pingInterval: 1000, pingTimeout: 500 }).begin();
  assert.deepEqual(client.wait(5000), []);
  client.send(client.frames.headers(1));
  assert.deepEqual(client.wait(1000), ['PING']);
  assert.deepEqual(client.send(frame(PING, FrameFlag.ACK, 0, words(0, 1))), []);
  assert.deepEqual(client.wait(1499), ['PING']);
  assert.deepEqual(client.wait(1), ['GOAWAY 1 NO_ERROR']);
  assert.deepEqual(client.refused, ['ping-unanswered']);
  assert.deepEqual(client.log, ['1 closed TIMEOUT']);
});

test('the table’s size is told to the peer, and the limit on it is kept', () => {
  const client = new RawClient({ headerTableSize: 0 }, answer()).begin([
    SettingId.HEADER_TABLE_SIZE,
    0,
  ]);
  // Our settings were acknowledged by it, so it has to begin with an update.
  assert.deepEqual(client.send(client.frames.headers(1)), ['GOAWAY 1 COMPRESSION_ERROR']);
});

test('a body that stops within its last frame is given up as any other', () => {
  const client = new RawClient({ bodyTimeout: 1000 }, (exchange) => exchange.read(0)).begin();
  const last = client.frames.data(1, 'abcdef', END_STREAM);
  client.send(client.frames.headers(1, POST, END_HEADERS), last.subarray(0, 12));
  assert.deepEqual(client.wait(1000), ['HEADERS 1 :status=408', 'DATA 1 20 END']);
  assert.deepEqual(client.wait(1000), ['RST_STREAM 1 NO_ERROR']);
  assert.deepEqual(client.send(last.subarray(12), frame(PING, 0, 0, eight)), ['PING ACK']);
});

test('what nobody has read of a stream that was reset opens the connection’s window', () => {
  const client = new RawClient({ connectionWindow: 65_535 }).begin();
  const data = frame(DATA, 0, 1, new Uint8Array(16_384));
  client.send(client.frames.headers(1, POST, END_HEADERS), data, data);
  assert.deepEqual(client.send(data, frame(RST_STREAM, 0, 1, words(8))), ['WINDOW_UPDATE 0 49152']);
});

test('a window smaller than the standard’s holds from its acknowledgement on, for open streams too', () => {
  const client = new RawClient({ streamWindow: 1000 });
  const [preface, ack] = [
    client.frames.preface().subarray(0, 33),
    frame(SETTINGS, FrameFlag.ACK, 0),
  ];
  client.send(preface, client.frames.headers(1, POST, END_HEADERS), data(1, 1500));
  client.send(client.frames.headers(3, POST, END_HEADERS), data(3, 500), ack);
  assert.deepEqual(client.send(data(3, 500)), []);
  assert.deepEqual(client.send(data(3, 1)), ['RST_STREAM 3 FLOW_CONTROL_ERROR']);
  // Half of what came before is more than the whole window: reading it does not make up for that at once.
  client.exchanges[0]!.read(0);
  assert.deepEqual(client.heard(), ['WINDOW_UPDATE 1 1500']);
  assert.deepEqual(client.send(data(1, 1000)), ['WINDOW_UPDATE 1 1000']);
  assert.deepEqual(client.send(client.frames.headers(5, POST, END_HEADERS), data(5, 1001)), [
    'RST_STREAM 5 FLOW_CONTROL_ERROR',
  ]);
});

test('how streams ended is remembered of so many, and a frame on one long closed resets it', () => {
  const client = new RawClient({ closedStreams: 2 }, answer()).begin();
  for (const id of [1, 3, 5]) client.send(client.frames.headers(id));
  assert.deepEqual(client.send(client.frames.data(1, 'a')), ['RST_STREAM 1 STREAM_CLOSED']);
  assert.deepEqual(client.refused, ['frame-on-closed-stream']);
  assert.deepEqual(client.send(client.frames.data(5, 'a')), ['GOAWAY 5 STREAM_CLOSED']);
});

/** A server whose handlers give all exchanges up when one is over. */
function panicking(): RawClient {
  const client = new RawClient({}, (exchange) => {
    exchange.start({
      closed: (error) => {
        client.log.push(`${exchange.stream.id} closed ${error?.code}`);
        for (const other of client.exchanges) other.abort(new NetloomError('ABORTED', 'enough'), 0);
      },
    });
  }).begin();
  for (const id of [1, 3, 5]) client.send(client.frames.headers(id, POST, END_HEADERS));
  return client;
}

test('a handler that is told of one end may bring about others', () => {
  const ended = panicking();
  ended.server.receiveEnd(0);
  assert.deepEqual(ended.heard(), [
    'RST_STREAM 3 INTERNAL_ERROR',
    'RST_STREAM 5 INTERNAL_ERROR',
    'GOAWAY 5 NO_ERROR',
  ]);
  assert.ok(ended.pipe.closed);
  const gone = panicking();
  gone.server.gone(undefined, 0);
  for (const { log, server } of [ended, gone]) {
    assert.deepEqual(log, ['1 closed HTTP_CLIENT_GONE', '3 closed ABORTED', '5 closed ABORTED']);
    assert.equal(server.exchanges, 0);
  }
});
