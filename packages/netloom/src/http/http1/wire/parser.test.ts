import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byteByByte,
  latin1,
  parsePieces,
  parseRequests,
  parseResponses,
} from '../../../../test/http/messages.ts';
import { HTTP1_WIRE_LIMITS, RequestParser, ResponseParser } from './index.ts';

const limits = (changed: Partial<typeof HTTP1_WIRE_LIMITS>) => ({
  ...HTTP1_WIRE_LIMITS,
  ...changed,
});

/** Good requests, and what they are: start, body. */
const REQUESTS: readonly (readonly [text: string, start: string, body: string])[] = [
  ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / 1.1', ''],
  ['GET / HTTP/1.0\r\n\r\n', 'GET / 1.0', ''],
  ['\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / 1.1', ''],
  ['GET / HTTP/1.7\r\nHost: a\r\n\r\n', 'GET / 1.1', ''],
  ['GET http://a.b:80/c?d HTTP/1.1\r\nHost: x\r\n\r\n', 'GET http://a.b:80/c?d 1.1', ''],
  ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 'CONNECT a:443 1.1', ''],
  ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * 1.1', ''],
  ['GET /?q={a|b}\\^` HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 'GET /?q={a|b}\\^` 1.1', ''],
  ['M-SEARCH / HTTP/1.1\r\nHost: a\r\nA:\r\nB: \t x\xe9 y \t\r\n\r\n', 'M-SEARCH / 1.1', ''],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello', 'POST / 1.1', 'hello'],
  ['POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n', 'POST / 1.1', ''],
  [
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0A \t;x="y;z"\r\n0123456789\r\n0\r\nT: 1\r\n\r\n',
    'PUT / 1.1',
    'hello0123456789',
  ],
];

test('good requests are what they say, and what follows them is the next request', () => {
  for (const [text, start, body] of REQUESTS) {
    const { messages, fault } = parseRequests(`${text}${text}`);
    assert.equal(fault, undefined, text);
    assert.deepEqual(
      messages.map((message) => [message.start, message.body, message.complete]),
      [
        [start, body, true],
        [start, body, true],
      ],
      text,
    );
  }
});

test('fields keep their order and bytes, lose the case of their names and the space around their values', () => {
  const { messages } = parseRequests(
    'GET / HTTP/1.1\r\nHost: a\r\nX-A:\r\nx-A: \t é \xff\t \r\n\r\n',
  );
  assert.deepEqual(messages[0]!.fields, [
    ['host', 'a'],
    ['x-a', ''],
    ['x-a', 'é \xff'],
  ]);
});

test('trailers are told apart from header fields', () => {
  const { messages } = parseRequests(
    'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\nB: y\r\n\r\n',
  );
  assert.deepEqual(messages[0]!.trailers, [
    ['digest', 'x'],
    ['b', 'y'],
  ]);
});

/** Good responses: method of the request, text, start, body, whether the message is whole before the connection ends. */
const RESPONSES: readonly (readonly [string, string, string, string])[] = [
  ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', '200 OK 1.1', 'hi'],
  ['GET', 'HTTP/1.0 404 Not  Found\r\n\r\nuntil the end', '404 Not  Found 1.0', 'until the end'],
  ['GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', '200  1.1', ''],
  ['GET', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', '200  1.1', ''],
  ['GET', 'HTTP/1.1 200 d\xe9\r\nContent-Length: 0\r\n\r\n', '200 d\xe9 1.1', ''],
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', '200 OK 1.1', ''],
  ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '200 OK 1.1', ''],
  ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '204 No Content 1.1', ''],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '304 Not Modified 1.1', ''],
  ['GET', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', '103 Early Hints 1.1', ''],
  ['CONNECT', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', '200 OK 1.1', ''],
  ['CONNECT', 'HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\n!', '407 No 1.1', '!'],
  [
    'GET',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    '200 OK 1.1',
    'a',
  ],
];

test('good responses are what they say (RFC 9112, section 6.3)', () => {
  for (const [method, text, start, body] of RESPONSES) {
    const { messages, fault } = parseResponses(text, method);
    assert.equal(fault, undefined, text);
    assert.deepEqual(
      messages.map((message) => [message.start, message.body, message.complete]),
      [[start, body, true]],
      text,
    );
  }
});

test('a message that was cut off is truncated, wherever the cut is', () => {
  const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n';
  for (let length = 1; length < text.length; length++) {
    assert.equal(parseResponses(text.slice(0, length)).fault, 'truncated', `after ${length} bytes`);
  }
  assert.equal(parseResponses(text).fault, undefined);
  assert.equal(parseResponses('').fault, undefined);
  assert.equal(parseResponses('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab').fault, 'truncated');
});

test('good messages are the same cut at every byte, and byte by byte', () => {
  for (const [text] of REQUESTS) {
    const bytes = latin1(text);
    const whole = parseRequests(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assert.deepEqual(parsePieces(new RequestParser(), pieces), whole, `${text} cut at ${cut}`);
    }
    assert.deepEqual(parsePieces(new RequestParser(), byteByByte(bytes)), whole, text);
  }
});

test('body data are views of the input, not copies', () => {
  const input = latin1('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
  const parser = new RequestParser();
  parser.feed(input);
  assert.equal(parser.next(), 'head');
  assert.equal(parser.next(), 'data');
  assert.equal(parser.data.buffer, input.buffer);
  assert.equal(parser.next(), 'end');
  assert.equal(parser.next(), 'more');
});

test('a caller may stop at any event and take what is left', () => {
  const parser = new RequestParser();
  parser.feed(latin1('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET'));
  assert.equal(parser.next(), 'head');
  assert.equal(parser.unreadLength, 5);
  const rest = parser.unread().slice();
  assert.equal(parser.next(), 'more');
  parser.feed(rest);
  assert.equal(parser.next(), 'data');
  assert.equal(parser.next(), 'end');
  assert.equal(parser.next(), 'more');
  assert.equal(parser.isWithinHead, true);
  assert.equal(parser.finish(), 'fault');
});

/** A request's head. */
const head = (line: string, ...fields: string[]) =>
  [`${line} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');

test('every limit is kept to the byte', () => {
  const startLine = 'GET /12345 HTTP/1.1\r\n'.length;
  const exact = limits({ startLine });
  assert.equal(parseRequests(head('GET /12345'), exact).fault, undefined);
  assert.equal(parseRequests(head('GET /123456'), exact).fault, 'target-too-long');
  assert.equal(parseRequests(`${'M'.repeat(50)}`, exact).fault, 'method-too-long');
  assert.equal(parseRequests(head(`${'M'.repeat(41)} /`)).fault, 'method-too-long');

  const headerBytes = 'Host: a\r\nB: c\r\n\r\n'.length;
  assert.equal(parseRequests(head('GET /', 'B: c'), limits({ headerBytes })).fault, undefined);
  const tooLarge = parseRequests(head('GET /', 'B: cd'), limits({ headerBytes }));
  assert.equal(tooLarge.fault, 'fields-too-large');
  const headerCount = 2;
  assert.equal(parseRequests(head('GET /', 'B: c'), limits({ headerCount })).fault, undefined);
  const tooMany = parseRequests(head('GET /', 'B: c', 'D: e'), limits({ headerCount }));
  assert.equal(tooMany.fault, 'too-many-fields');

  const chunked = (rest: string, changed: Partial<typeof HTTP1_WIRE_LIMITS>) =>
    parseRequests(head('PUT /', 'Transfer-Encoding: chunked') + rest, limits(changed)).fault;
  assert.equal(chunked('1;abc\r\nx\r\n0\r\n\r\n', { chunkExtension: 4 }), undefined);
  assert.equal(chunked('1;abcd\r\nx\r\n', { chunkExtension: 4 }), 'chunk-extension-too-large');
  const spread = '1;a\r\nx\r\n1;a\r\nx\r\n1;a\r\n';
  assert.equal(chunked(spread, { chunkExtension: 5 }), 'chunk-extension-too-large');
  assert.equal(chunked('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', { body: 5 }), undefined);
  assert.equal(chunked('3\r\nabc\r\n3\r\n', { body: 5 }), 'body-too-large');
  assert.equal(chunked('0\r\nT: 1\r\n\r\n', { trailerBytes: 8 }), undefined);
  assert.equal(chunked('0\r\nT: 12\r\n\r\n', { trailerBytes: 8 }), 'trailers-too-large');
  assert.equal(chunked('0\r\nT: 1\r\nU: 2\r\n\r\n', { trailerCount: 1 }), 'trailers-too-large');

  const sized = (length: number) => head('PUT /', `Content-Length: ${length}`);
  assert.equal(parseRequests(sized(5), limits({ body: 5 })).fault, undefined);
  assert.equal(parseRequests(sized(6), limits({ body: 5 })).fault, 'body-too-large');
  const close = 'HTTP/1.1 200 OK\r\n\r\n';
  assert.equal(parseResponses(`${close}12345`, 'GET', limits({ body: 5 })).fault, undefined);
  assert.equal(
    parseResponses(`${close}123456`, 'GET', limits({ body: 5 })).fault,
    'body-too-large',
  );
  const long = `HTTP/1.1 200 ${'x'.repeat(100)}\r\n\r\n`;
  assert.equal(parseResponses(long, 'GET', exact).fault, 'status-line-too-long');
});

test('what can be no start line is refused with its first byte: it may never end a line', () => {
  assert.equal(parseRequests('\x16').fault, 'method-invalid');
  assert.equal(parseResponses('S').fault, 'version-invalid');
});

test('after a fault there is nothing but the fault', () => {
  const parser = new ResponseParser();
  parser.feed(latin1('nonsense'));
  assert.equal(parser.next(), 'fault');
  assert.equal(parser.next(), 'fault');
  assert.equal(parser.finish(), 'fault');
  assert.equal(parser.fault, 'version-invalid');
});
