/** Each rule of RFC 9113 that a client can break, with what it is told: its stream is reset, or the connection ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  END_HEADERS,
  END_STREAM,
  Frames,
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
import { CLIENT_PREFACE, FrameFlag, FrameType, type Http2Fault } from './index.ts';
import type { Http2ServerLimits } from './limits.ts';

type Expected = `stream ${number} ${string}` | `connection ${string}`;

/** A rule, the frames that break it (after the preface), and what follows. */
interface Case {
  readonly section: string;
  readonly name: string;
  readonly expected: Expected;
  readonly fault: Http2Fault;
  readonly limits?: Partial<Http2ServerLimits>;
  /** The frames, in steps: what comes later is sent when the answer to what was before has gone out. */
  readonly steps: (frames: Frames) => readonly (readonly Uint8Array[])[];
}

const cases: Case[] = [];
let section = '';

function rule(
  name: string,
  expected: Expected,
  fault: Http2Fault,
  send: (frames: Frames) => readonly Uint8Array[],
  limits: Partial<Http2ServerLimits> = {},
): void {
  cases.push({ section, name, expected, fault, limits, steps: (frames) => [send(frames)] });
}

function ruleInSteps(
  name: string,
  expected: Expected,
  fault: Http2Fault,
  ...steps: readonly ((frames: Frames) => readonly Uint8Array[])[]
): void {
  const run = (frames: Frames) => steps.map((step) => step(frames));
  cases.push({ section, name, expected, fault, steps: run });
}

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE } = FrameType;
const { PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE } = FrameType;
const PROTOCOL = 'connection PROTOCOL_ERROR';
const SIZE = 'connection FRAME_SIZE_ERROR';
const eight = new Uint8Array(8);
/** Fields of a request with others behind. */
const also = (...fields: [string, string][]) => [...GET, ...fields];
/** A request's fields without those of these names. */
const without = (...names: string[]) => GET.filter(([name]) => !names.includes(name));
const reset = (id: number) => frame(RST_STREAM, 0, id, words(8));

section = '4.2';
rule('a DATA frame above SETTINGS_MAX_FRAME_SIZE', SIZE, 'frame-too-large', (f) => [
  f.headers(1, POST, END_HEADERS),
  frame(DATA, 0, 1, new Uint8Array(16_385)),
]);
rule('a HEADERS frame above SETTINGS_MAX_FRAME_SIZE', SIZE, 'frame-too-large', () => [
  frame(HEADERS, WHOLE, 1, new Uint8Array(16_385)),
]);
rule('a SETTINGS frame above SETTINGS_MAX_FRAME_SIZE', SIZE, 'frame-too-large', () => [
  frame(SETTINGS, 0, 0, new Uint8Array(16_386)),
]);

section = '4.3';
rule('a block that is no HPACK', 'connection COMPRESSION_ERROR', 'header-block-invalid', () => [
  frame(HEADERS, WHOLE, 1, [0x80]),
]);
rule(
  'a block that ends within a field',
  'connection COMPRESSION_ERROR',
  'header-block-invalid',
  () => [frame(HEADERS, WHOLE, 1, [0x40, 0x05, 0x61])],
);
rule('PRIORITY within a block', PROTOCOL, 'continuation-expected', (f) => [
  f.headers(1, GET, END_STREAM),
  frame(PRIORITY, 0, 1, [...words(0), 1]),
]);
rule('HEADERS of another stream within a block', PROTOCOL, 'continuation-expected', (f) => [
  f.headers(1, GET, END_STREAM),
  f.headers(3),
]);
rule('a frame of an unknown type within a block', PROTOCOL, 'continuation-expected', (f) => [
  f.headers(1, GET, END_STREAM),
  frame(0x16, 0, 0, eight),
]);

section = '5.1';
rule('DATA on an idle stream', PROTOCOL, 'frame-on-idle-stream', (f) => [f.data(1, 'a')]);
rule('RST_STREAM on an idle stream', PROTOCOL, 'frame-on-idle-stream', () => [reset(1)]);
rule('WINDOW_UPDATE on an idle stream', PROTOCOL, 'frame-on-idle-stream', () => [
  frame(WINDOW_UPDATE, 0, 1, words(100)),
]);
rule('CONTINUATION on an idle stream', PROTOCOL, 'continuation-unexpected', (f) => [
  frame(CONTINUATION, END_HEADERS, 1, f.block(GET)),
]);
rule(
  'DATA on a half-closed stream',
  'stream 1 STREAM_CLOSED',
  'frame-on-half-closed-stream',
  (f) => [f.headers(1), f.data(1, 'a', END_STREAM)],
);
rule(
  'HEADERS on a half-closed stream',
  'stream 1 STREAM_CLOSED',
  'frame-on-half-closed-stream',
  (f) => [f.headers(1), f.headers(1)],
);
rule('CONTINUATION on a half-closed stream', PROTOCOL, 'continuation-unexpected', (f) => [
  f.headers(1),
  frame(CONTINUATION, END_HEADERS, 1, f.block(GET)),
]);
rule(
  'DATA after its sender’s RST_STREAM',
  'stream 1 STREAM_CLOSED',
  'frame-on-reset-stream',
  (f) => [f.headers(1, POST, END_HEADERS), reset(1), f.data(1, 'a', END_STREAM)],
);
rule(
  'HEADERS after their sender’s RST_STREAM',
  'stream 1 STREAM_CLOSED',
  'frame-on-reset-stream',
  (f) => [f.headers(1, POST, END_HEADERS), reset(1), f.headers(1)],
);
rule('CONTINUATION after RST_STREAM', PROTOCOL, 'continuation-unexpected', (f) => [
  f.headers(1, POST, END_HEADERS),
  reset(1),
  frame(CONTINUATION, END_HEADERS, 1, f.block(GET)),
]);
ruleInSteps(
  'DATA after the stream was ended by both',
  'connection STREAM_CLOSED',
  'frame-on-ended-stream',
  (f) => [f.headers(1, also(['x-answer', 'yes']))],
  (f) => [f.data(1, 'a', END_STREAM)],
);
ruleInSteps(
  'HEADERS after the stream was ended by both',
  'connection STREAM_CLOSED',
  'frame-on-ended-stream',
  (f) => [f.headers(1, also(['x-answer', 'yes']))],
  (f) => [f.headers(1)],
);

section = '5.1.1';
rule('a stream of an even number', PROTOCOL, 'stream-id-of-wrong-side', (f) => [f.headers(2)]);
rule('a number below one that was used', PROTOCOL, 'stream-id-not-greater', (f) => [
  f.headers(5),
  f.headers(3),
]);

section = '5.1.2';
rule(
  'more streams than were allowed',
  'stream 5 REFUSED_STREAM',
  'too-many-streams',
  (f) => [f.headers(1), f.headers(3), f.headers(5)],
  { concurrentStreams: 2 },
);

section = '5.3';
rule('HEADERS that depend on themselves', 'stream 1 PROTOCOL_ERROR', 'priority-of-itself', (f) => [
  frame(HEADERS, WHOLE | FrameFlag.PRIORITY, 1, [...words(1), 255, ...f.block(GET)]),
]);
rule('PRIORITY that depends on itself', 'stream 1 PROTOCOL_ERROR', 'priority-of-itself', (f) => [
  f.headers(1),
  frame(PRIORITY, 0, 1, [...words(1), 255]),
]);
rule('PRIORITY of an idle stream that depends on itself', PROTOCOL, 'priority-of-itself', () => [
  frame(PRIORITY, 0, 1, [...words(1), 255]),
]);

section = '6.1';
rule('DATA without a stream', PROTOCOL, 'stream-id-missing', (f) => [f.data(0, 'a')]);
rule('padding as long as its frame', PROTOCOL, 'padding-too-long', (f) => [
  f.headers(1, POST, END_HEADERS),
  frame(DATA, FrameFlag.PADDED, 1, [4, 0, 0, 0]),
]);
rule('a padded frame without room for the padding’s length', SIZE, 'frame-length-invalid', (f) => [
  f.headers(1, POST, END_HEADERS),
  frame(DATA, FrameFlag.PADDED, 1),
]);

section = '6.2';
rule('HEADERS without a stream', PROTOCOL, 'stream-id-missing', (f) => [f.headers(0)]);
rule('HEADERS whose padding is as long', PROTOCOL, 'padding-too-long', (f) => {
  const block = f.block(GET);
  return [frame(HEADERS, WHOLE | FrameFlag.PADDED, 1, [block.length + 1, ...block])];
});
rule('HEADERS without room for their priority', SIZE, 'frame-length-invalid', () => [
  frame(HEADERS, WHOLE | FrameFlag.PRIORITY, 1, [0, 0, 0, 0]),
]);

section = '6.3';
rule('PRIORITY without a stream', PROTOCOL, 'stream-id-missing', () => [
  frame(PRIORITY, 0, 0, [...words(0), 1]),
]);
rule(
  'PRIORITY of another length than 5',
  'stream 1 FRAME_SIZE_ERROR',
  'priority-length-invalid',
  (f) => [f.headers(1), frame(PRIORITY, 0, 1, words(0))],
);

section = '6.4';
rule('RST_STREAM without a stream', PROTOCOL, 'stream-id-missing', () => [reset(0)]);
rule('RST_STREAM of another length than 4', SIZE, 'frame-length-invalid', (f) => [
  f.headers(1),
  frame(RST_STREAM, 0, 1, [0, 0, 8]),
]);

section = '6.5';
rule('SETTINGS of a stream', PROTOCOL, 'stream-id-unexpected', () => [frame(SETTINGS, 0, 1)]);
rule('SETTINGS of a length that is no multiple of 6', SIZE, 'frame-length-invalid', () => [
  frame(SETTINGS, 0, 0, [0, 3, 0]),
]);
rule('an acknowledgement with settings', SIZE, 'frame-length-invalid', () => [
  frame(SETTINGS, FrameFlag.ACK, 0, settings([3, 1])),
]);
const bad = (name: string, id: number, value: number, expected: Expected, fault: Http2Fault) =>
  rule(name, expected, fault, () => [frame(SETTINGS, 0, 0, settings([id, value]))]);
bad('ENABLE_PUSH above 1', 2, 2, PROTOCOL, 'setting-invalid');
bad(
  'INITIAL_WINDOW_SIZE of 2^31',
  4,
  2 ** 31,
  'connection FLOW_CONTROL_ERROR',
  'window-size-invalid',
);
bad('MAX_FRAME_SIZE below 2^14', 5, 16_383, PROTOCOL, 'setting-invalid');
bad('MAX_FRAME_SIZE of 2^24', 5, 2 ** 24, PROTOCOL, 'setting-invalid');
bad('ENABLE_CONNECT_PROTOCOL above 1', 8, 2, PROTOCOL, 'setting-invalid');
rule('ENABLE_CONNECT_PROTOCOL taken back', PROTOCOL, 'setting-invalid', () => [
  frame(SETTINGS, 0, 0, settings([8, 1])),
  frame(SETTINGS, 0, 0, settings([8, 0])),
]);
bad('NO_RFC7540_PRIORITIES above 1', 9, 2, PROTOCOL, 'setting-invalid');

section = '6.6';
rule('PUSH_PROMISE from a client', PROTOCOL, 'push-refused', (f) => [
  f.headers(1, POST, END_HEADERS),
  frame(PUSH_PROMISE, END_HEADERS, 1, [...words(2), ...f.block(GET)]),
]);

section = '6.7';
rule('PING of a stream', PROTOCOL, 'stream-id-unexpected', () => [frame(PING, 0, 1, eight)]);
rule('PING of another length than 8', SIZE, 'frame-length-invalid', () => [
  frame(PING, 0, 0, words(1)),
]);

section = '6.8';
rule('GOAWAY of a stream', PROTOCOL, 'stream-id-unexpected', () => [frame(GOAWAY, 0, 1, eight)]);
rule('GOAWAY shorter than 8', SIZE, 'frame-length-invalid', () => [frame(GOAWAY, 0, 0, words(0))]);

section = '6.9';
rule('the connection’s window opened by 0', PROTOCOL, 'window-increment-zero', () => [
  frame(WINDOW_UPDATE, 0, 0, words(0)),
]);
rule(
  'a stream’s window opened by 0',
  'stream 1 PROTOCOL_ERROR',
  'window-increment-zero-on-stream',
  (f) => [f.headers(1), frame(WINDOW_UPDATE, 0, 1, words(0))],
);
rule('WINDOW_UPDATE of another length than 4', SIZE, 'frame-length-invalid', () => [
  frame(WINDOW_UPDATE, 0, 0, [0, 0, 1]),
]);
rule(
  'the connection’s window above 2^31-1',
  'connection FLOW_CONTROL_ERROR',
  'connection-window-overflow',
  () => [frame(WINDOW_UPDATE, 0, 0, words(2 ** 31 - 1))],
);
rule(
  'a stream’s window above 2^31-1',
  'stream 1 FLOW_CONTROL_ERROR',
  'stream-window-overflow',
  (f) => [f.headers(1), frame(WINDOW_UPDATE, 0, 1, words(2 ** 31 - 1))],
);
rule(
  'a setting that makes a stream’s window larger than 2^31-1',
  'connection FLOW_CONTROL_ERROR',
  'window-size-invalid',
  (f) => [
    f.headers(1),
    frame(WINDOW_UPDATE, 0, 1, words(2 ** 31 - 1 - 65_535)),
    frame(SETTINGS, 0, 0, settings(initialWindow(65_536))),
  ],
);
rule(
  'more data than the stream’s window',
  'stream 1 FLOW_CONTROL_ERROR',
  'stream-window-exceeded',
  (f) => [
    f.headers(1, POST, END_HEADERS),
    ...Array.from({ length: 5 }, () => frame(DATA, 0, 1, new Uint8Array(16_384))),
  ],
  { streamWindow: 65_536 },
);
rule(
  'more data than the connection’s window',
  'connection FLOW_CONTROL_ERROR',
  'connection-window-exceeded',
  (f) => [
    f.headers(1, POST, END_HEADERS),
    ...Array.from({ length: 5 }, () => frame(DATA, 0, 1, new Uint8Array(16_384))),
  ],
  { connectionWindow: 70_000 },
);

section = '6.10';
rule('CONTINUATION without a stream', PROTOCOL, 'continuation-expected', (f) => [
  f.headers(1, GET, END_STREAM),
  frame(CONTINUATION, END_HEADERS, 0, f.block([['a', 'b']])),
]);
rule('CONTINUATION after END_HEADERS', PROTOCOL, 'continuation-unexpected', (f) => [
  f.headers(1, GET, END_STREAM),
  frame(CONTINUATION, END_HEADERS, 1, f.block([['a', 'b']])),
  frame(CONTINUATION, END_HEADERS, 1, f.block([['a', 'b']])),
]);
rule('CONTINUATION after DATA', PROTOCOL, 'continuation-unexpected', (f) => [
  f.headers(1, POST, END_HEADERS),
  f.data(1, 'a'),
  frame(CONTINUATION, END_HEADERS, 1, f.block([['a', 'b']])),
]);
rule('DATA where CONTINUATION is due', PROTOCOL, 'continuation-expected', (f) => [
  f.headers(1, GET, 0),
  frame(CONTINUATION, 0, 1, f.block([['a', 'b']])),
  f.data(1, 'a'),
]);

section = '9218, 7.1';
rule('PRIORITY_UPDATE of a stream', PROTOCOL, 'stream-id-unexpected', () => [
  frame(PRIORITY_UPDATE, 0, 1, [...words(1), 0x75]),
]);
rule('PRIORITY_UPDATE for no stream', PROTOCOL, 'priority-update-unexpected', () => [
  frame(PRIORITY_UPDATE, 0, 0, words(0)),
]);
rule('PRIORITY_UPDATE shorter than 4', SIZE, 'frame-length-invalid', () => [
  frame(PRIORITY_UPDATE, 0, 0, [0]),
]);

const malformed = (name: string, fault: Http2Fault, fields: Iterable<readonly [string, string]>) =>
  rule(name, 'stream 1 PROTOCOL_ERROR', fault, (f) => [f.headers(1, fields)]);

section = '8.1';
rule('a second head without END_STREAM', 'stream 1 PROTOCOL_ERROR', 'trailers-without-end', (f) => [
  f.headers(1, POST, END_HEADERS),
  f.headers(1, [['x', 'y']], END_HEADERS),
]);
for (const [name, declared, data] of [
  ['shorter than its content-length', '2', ['a']],
  ['longer than its content-length', '1', ['ab']],
  ['in two frames longer than its content-length', '3', ['ab', 'ab']],
  ['in two frames shorter than its content-length', '5', ['ab', 'ab']],
] as const) {
  rule(`a body ${name}`, 'stream 1 PROTOCOL_ERROR', 'content-length-mismatch', (f) => [
    f.headers(1, [...POST, ['content-length', declared]], END_HEADERS),
    ...data.map((text, at) => f.data(1, text, at === data.length - 1 ? END_STREAM : 0)),
  ]);
}
malformed('no body where one was announced', 'content-length-mismatch', [
  ...POST,
  ['content-length', '1'],
]);
malformed('a content-length that is no number', 'content-length-invalid', [
  ...POST,
  ['content-length', '+0'],
]);
malformed('two content-lengths', 'content-length-invalid', [
  ...POST,
  ['content-length', '0'],
  ['content-length', '0'],
]);

section = '8.2';
malformed('a name in upper case', 'field-name-invalid', also(['X-Test', 'ok']));
malformed('a name that is no token', 'field-name-invalid', also(['x test', 'ok']));
malformed('an empty name', 'field-name-invalid', also(['', 'ok']));
malformed('a value with a line break', 'field-value-invalid', also(['x', 'a\r\nb: c']));
malformed('a value with NUL', 'field-value-invalid', also(['x', 'a\0b']));
malformed('a value that begins with a space', 'field-value-invalid', also(['x', ' a']));
malformed('a value that ends in a tab', 'field-value-invalid', also(['x', 'a\t']));
for (const name of [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]) {
  malformed(`the field ${name}`, 'connection-field', also([name, 'x']));
}
malformed('te other than trailers', 'te-invalid', also(['te', 'trailers, deflate']));

section = '8.3';
malformed('an unknown pseudo-header field', 'pseudo-field-unexpected', [...GET, [':test', 'ok']]);
malformed('a pseudo-header field of responses', 'pseudo-field-unexpected', [
  ...GET,
  [':status', '200'],
]);
rule(
  'a pseudo-header field in trailers',
  'stream 1 PROTOCOL_ERROR',
  'pseudo-field-unexpected',
  (f) => [f.headers(1, POST, END_HEADERS), f.headers(1, [[':method', 'GET']])],
);
malformed('a pseudo-header field after another field', 'pseudo-field-late', [
  ...GET.slice(0, 3),
  ['x-test', 'ok'],
  GET[3]!,
]);
malformed('an empty :path', 'target-invalid', [...without(':path'), [':path', '']]);
malformed('a :path without a slash', 'target-invalid', [...without(':path'), [':path', 'a']]);
malformed('a :path with a space', 'target-invalid', [...without(':path'), [':path', '/a b']]);
malformed('a :path with a fragment', 'target-invalid', [...without(':path'), [':path', '/#a']]);
malformed('a :path of * with GET', 'target-invalid', [...without(':path'), [':path', '*']]);
malformed('a :path that is a URL', 'target-invalid', [...without(':path'), [':path', 'http://h/']]);
for (const name of [':method', ':scheme', ':path']) {
  malformed(`no ${name}`, 'pseudo-field-missing', without(name));
  const twice = GET.find(([other]) => other === name)!;
  malformed(`two of ${name}`, 'pseudo-field-duplicated', [...GET, twice]);
}
malformed('a :method that is no token', 'method-invalid', [
  ...without(':method'),
  [':method', 'GE T'],
]);
malformed('a :scheme that is none', 'scheme-invalid', [...without(':scheme'), [':scheme', '1']]);
malformed('neither :authority nor Host', 'host-missing', without(':authority'));
malformed('two of :authority', 'pseudo-field-duplicated', [...GET, [':authority', 'h']]);
malformed('an :authority with user information', 'host-invalid', [
  ...without(':authority'),
  [':authority', 'me@h'],
]);
malformed('a Host of another host', 'host-mismatch', also(['host', 'other']));
malformed('two Hosts', 'host-invalid', [...without(':authority'), ['host', 'h'], ['host', 'h']]);

section = '8.5';
malformed('CONNECT with a path', 'pseudo-field-unexpected', [
  [':method', 'CONNECT'],
  ...without(':method', ':authority'),
  [':authority', 'h:1'],
]);
malformed('CONNECT without an authority', 'pseudo-field-missing', [[':method', 'CONNECT']]);
malformed('CONNECT without a port', 'host-invalid', [
  [':method', 'CONNECT'],
  [':authority', 'h'],
]);
malformed('an extended CONNECT that was not invited', 'connect-protocol-invalid', [
  [':method', 'CONNECT'],
  ...without(':method'),
  [':protocol', 'websocket'],
]);
malformed(':protocol with another method', 'connect-protocol-invalid', [
  ...GET,
  [':protocol', 'websocket'],
]);

/** Answers at once those requests that ask for it. */
function answerIfAsked(client: RawClient): void {
  for (const exchange of client.exchanges) {
    if (!exchange.request.fields.has('x-answer') || exchange.answered) continue;
    exchange.respond(200, exchange.request.fields, 0, client.now);
    exchange.end(client.now);
  }
}

for (const { section, name, expected, fault, limits, steps } of cases) {
  test(`RFC ${section.includes(',') ? section : `9113, ${section}`}: ${name}`, () => {
    const client = new RawClient(limits).begin();
    const heard: string[] = [];
    for (const step of steps(client.frames)) {
      heard.push(...client.send(...step));
      answerIfAsked(client);
    }
    heard.push(...client.heard());
    assert.deepEqual(client.refused, [fault]);
    const ends = heard.filter((line) => /^(?:RST_STREAM|GOAWAY)/.test(line));
    const [scope, ...rest] = expected.split(' ');
    if (scope === 'connection') {
      assert.equal(ends.length, 1);
      assert.match(ends[0]!, new RegExp(`^GOAWAY \\d+ ${rest[0]}$`));
      assert.ok(client.pipe.closed, 'the connection is closed');
      assert.deepEqual(client.send(client.frames.headers(99)), [], 'and nothing is said any more');
      return;
    }
    assert.deepEqual(ends, [`RST_STREAM ${rest.join(' ')}`]);
    assert.ok(!client.pipe.closed);
    // The connection goes on as if nothing had been.
    assert.deepEqual(client.send(frame(PING, 0, 0, eight)), ['PING ACK']);
    client.send(client.frames.headers(101, also(['x-answer', 'yes'])));
    assert.equal(client.exchanges.at(-1)!.request.target, '/');
  });
}

for (const [name, bytes] of [
  ['HTTP/1.1', 'GET / HTTP/1.1\r\n\r\n'],
  ['a preface with one wrong byte', CLIENT_PREFACE.replace('SM', 'SN')],
] as const) {
  test(`RFC 9113, 3.4: ${name} in place of the preface ends the connection`, () => {
    const client = new RawClient();
    const heard = client.send(latin1(bytes));
    assert.deepEqual(heard, ['SETTINGS', 'WINDOW_UPDATE 0 983041', 'GOAWAY 0 PROTOCOL_ERROR']);
    assert.deepEqual(client.refused, ['preface-invalid']);
    assert.ok(client.pipe.closed);
  });
}

test('RFC 9113, 3.4: the first frame has to be SETTINGS, and no acknowledgement', () => {
  const others = [
    frame(PING, 0, 0, eight),
    frame(SETTINGS, FrameFlag.ACK, 0),
    new Frames().headers(1),
  ];
  for (const first of others) {
    const client = new RawClient();
    assert.equal(client.send(latin1(CLIENT_PREFACE), first).at(-1), 'GOAWAY 0 PROTOCOL_ERROR');
    assert.deepEqual(client.refused, ['settings-missing']);
  }
});
