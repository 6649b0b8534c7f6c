/** Messages that two readers may take for different ones (RFC 9112, section 11), or that are none: each is refused by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byteByByte,
  latin1,
  parsePieces,
  parseRequests,
  parseResponses,
} from '../../../../test/http/messages.ts';
import {
  HTTP1_FAULTS,
  RequestParser,
  ResponseParser,
  faultError,
  type Http1Fault,
} from './index.ts';

const HOST = 'Host: a\r\n';
const get = (fields: string) => `GET / HTTP/1.1\r\n${fields}\r\n`;
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);
const line = (text: string) => `${text}\r\n${HOST}\r\n`;

const REQUESTS: readonly (readonly [text: string, fault: Http1Fault, status: number])[] = [
  // Two lengths, or one that is none.
  [post('Content-Length: 5\r\nContent-Length: 6\r\n'), 'content-length-duplicated', 400],
  [post('Content-Length: 5\r\nContent-Length: 5\r\n'), 'content-length-duplicated', 400],
  [post('Content-Length: 5, 5\r\n'), 'content-length-duplicated', 400],
  [post('Content-Length: 5,6\r\n'), 'content-length-duplicated', 400],
  [post('Content-Length: +5\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: -5\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 0x5\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 5 5\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 5;q\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 5.0\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 1e1\r\n'), 'content-length-invalid', 400],
  [post('Content-Length:\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: "5"\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: \xb2\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 99999999999999999999\r\n'), 'content-length-invalid', 400],
  [post('Content-Length: 9007199254740993\r\n'), 'content-length-invalid', 400],
  // A length and a coding.
  [
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
    'transfer-encoding-with-content-length',
    400,
  ],
  [
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
    'transfer-encoding-with-content-length',
    400,
  ],
  [
    post('Content-Length: 5\r\nTransfer-Encoding: identity\r\n'),
    'transfer-encoding-with-content-length',
    400,
  ],
  // Codings other than one chunked, last.
  [post('Transfer-Encoding: identity\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: xchunked\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: chunked, chunked\r\n'), 'transfer-encoding-invalid', 400],
  [
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    'transfer-encoding-invalid',
    400,
  ],
  [post('Transfer-Encoding: chunked, identity\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: identity, chunked\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: chunked, gzip\r\n'), 'transfer-encoding-invalid', 400],
  [
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n'),
    'transfer-encoding-invalid',
    400,
  ],
  [post('Transfer-Encoding: gzip\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding:\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: ,chunked\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: chunked;q=1\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: "chunked"\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: chunked x\r\n'), 'transfer-encoding-invalid', 400],
  [post('Transfer-Encoding: gzip, chunked\r\n'), 'transfer-coding-unknown', 501],
  [
    post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n'),
    'transfer-coding-unknown',
    501,
  ],
  [post('Transfer-Encoding: \x0bchunked\r\n'), 'field-value-invalid', 400],
  [post('Transfer-Encoding : chunked\r\n'), 'space-before-colon', 400],
  [post('Transfer-Encoding\t: chunked\r\n'), 'space-before-colon', 400],
  [post('Transfer-Encoding:\r\n chunked\r\n'), 'line-folded', 400],
  [post('X: y\r\n\tTransfer-Encoding: chunked\r\n'), 'line-folded', 400],
  [post('Transfer\x00-Encoding: chunked\r\n'), 'field-name-invalid', 400],
  ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-in-http-1.0', 400],
  // Line ends.
  ['GET / HTTP/1.1\nHost: a\r\n\r\n', 'bare-line-feed', 400],
  ['GET / HTTP/1.1\r\nHost: a\n\r\n', 'bare-line-feed', 400],
  ['GET / HTTP/1.1\r\nHost: a\r\n\n', 'bare-line-feed', 400],
  ['\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bare-line-feed', 400],
  [get('Host: a\rX: y\r\n'), 'bare-carriage-return', 400],
  [get('Host: a\r\nX: y\r\r\n'), 'bare-carriage-return', 400],
  [get('Host: a\r\nX\r: y\r\n'), 'bare-carriage-return', 400],
  [line('GET /\r HTTP/1.1'), 'bare-carriage-return', 400],
  [line('GET / HTTP/1.1\r'), 'version-invalid', 400],
  // Fields.
  [get(`${HOST}X\r\n`), 'field-name-invalid', 400],
  [get(`${HOST}: y\r\n`), 'field-name-invalid', 400],
  [get(`${HOST}X Y: z\r\n`), 'field-name-invalid', 400],
  [get(`${HOST}X(: z\r\n`), 'field-name-invalid', 400],
  [get(`${HOST}\xe9: z\r\n`), 'field-name-invalid', 400],
  [get(`${HOST}X: a\x00b\r\n`), 'field-value-invalid', 400],
  [get(`${HOST}X: a\x1bb\r\n`), 'field-value-invalid', 400],
  [get(`${HOST}X: a\x7fb\r\n`), 'field-value-invalid', 400],
  [get(' Host: a\r\n'), 'line-folded', 400],
  [get(`${HOST}X : y\r\n`), 'space-before-colon', 400],
  // Host.
  [get(''), 'host-missing', 400],
  [get('Host: a\r\nHost: a\r\n'), 'host-duplicated', 400],
  [get('Host: a\r\nhost: b\r\n'), 'host-duplicated', 400],
  ['GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 'host-duplicated', 400],
  [get('Host:\r\n'), 'host-invalid', 400],
  [get('Host: a, b\r\n'), 'host-invalid', 400],
  [get('Host: a b\r\n'), 'host-invalid', 400],
  [get('Host: a/b\r\n'), 'host-invalid', 400],
  [get('Host: user@a\r\n'), 'host-invalid', 400],
  [get('Host: a:b\r\n'), 'host-invalid', 400],
  [get('Host: [::1\r\n'), 'host-invalid', 400],
  // Start lines.
  [line('GET  / HTTP/1.1'), 'target-invalid', 400],
  [line('GET / HTTP/1.1 '), 'version-invalid', 400],
  [line('GET /  HTTP/1.1'), 'version-invalid', 400],
  [line('GET\t/ HTTP/1.1'), 'method-invalid', 400],
  [line(' GET / HTTP/1.1'), 'method-invalid', 400],
  [line('G@T / HTTP/1.1'), 'method-invalid', 400],
  [line('GET'), 'method-invalid', 400],
  [line('GET /a b HTTP/1.1'), 'version-invalid', 400],
  [line('GET /\x00 HTTP/1.1'), 'target-invalid', 400],
  [line('GET /\xe9 HTTP/1.1'), 'target-invalid', 400],
  [line('GET /#a HTTP/1.1'), 'target-invalid', 400],
  [line('GET /a\\b HTTP/1.1'), 'target-invalid', 400],
  [line('GET a HTTP/1.1'), 'target-invalid', 400],
  [line('GET * HTTP/1.1'), 'target-invalid', 400],
  [line('GET http://u@a/ HTTP/1.1'), 'target-invalid', 400],
  [line('GET ftp://a/ HTTP/1.1'), 'target-invalid', 400],
  [line('GET http:/// HTTP/1.1'), 'target-invalid', 400],
  [line('CONNECT / HTTP/1.1'), 'target-invalid', 400],
  [line('CONNECT a HTTP/1.1'), 'target-invalid', 400],
  [line('GET /'), 'version-invalid', 400],
  [line('GET / http/1.1'), 'version-invalid', 400],
  [line('GET / HTTP/1'), 'version-invalid', 400],
  [line('GET / HTTP/11'), 'version-invalid', 400],
  [line('GET / HTTP/1.x'), 'version-invalid', 400],
  [line('GET / HTTP/1.10'), 'version-invalid', 400],
  [line('GET / HTTP/2.0'), 'version-unsupported', 505],
  [line('GET / HTTP/0.9'), 'version-unsupported', 505],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'version-unsupported', 505],
  [`${'M'.repeat(9000)}`, 'method-too-long', 501],
  [`GET /${'a'.repeat(9000)}`, 'target-too-long', 414],
  [get(`${HOST}X: ${'a'.repeat(40_000)}\r\n`), 'fields-too-large', 431],
  [get(`${HOST}${'X: y\r\n'.repeat(200)}`), 'too-many-fields', 431],
  // Chunks.
  [chunked('x\r\n'), 'chunk-size-invalid', 400],
  [chunked('\r\n'), 'chunk-size-invalid', 400],
  [chunked(';a\r\n'), 'chunk-size-invalid', 400],
  [chunked('-1\r\n'), 'chunk-size-invalid', 400],
  [chunked('+1\r\n'), 'chunk-size-invalid', 400],
  [chunked('0x1\r\n'), 'chunk-size-invalid', 400],
  [chunked(' 1\r\n'), 'chunk-size-invalid', 400],
  [chunked('1 \r\n'), 'chunk-size-invalid', 400],
  [chunked('1 a\r\n'), 'chunk-size-invalid', 400],
  [chunked('1_0\r\n'), 'chunk-size-invalid', 400],
  [chunked('fffffffffffffffff\r\n'), 'chunk-size-invalid', 400],
  [chunked('00000000000001\r\n'), 'chunk-size-invalid', 400],
  [chunked('1\na'), 'bare-line-feed', 400],
  [chunked('1\ra'), 'bare-carriage-return', 400],
  [chunked('1;a\nb'), 'bare-line-feed', 400],
  [chunked('1;a\rb'), 'bare-carriage-return', 400],
  [chunked('1;a\x00b\r\n'), 'chunk-extension-invalid', 400],
  [chunked(`1;${'a'.repeat(5000)}\r\n`), 'chunk-extension-too-large', 400],
  [chunked('1\r\nabc\r\n'), 'chunk-unterminated', 400],
  [chunked('1\r\na\n'), 'bare-line-feed', 400],
  [chunked('1\r\na\r0'), 'bare-carriage-return', 400],
  [chunked('1\r\na0\r\n\r\n'), 'chunk-unterminated', 400],
  [chunked('0\r\n\n'), 'bare-line-feed', 400],
  [chunked('0\r\nX\r\n'), 'field-name-invalid', 400],
  [chunked('0\r\nX : y\r\n'), 'space-before-colon', 400],
  [chunked('0\r\n X: y\r\n'), 'line-folded', 400],
  [chunked(`0\r\nX: ${'a'.repeat(9000)}\r\n`), 'trailers-too-large', 431],
  [chunked('0\r\n\r\n@ / HTTP/1.1\r\n'), 'method-invalid', 400],
];

test('ambiguous and malformed requests are refused, each by its name, whole and byte by byte', () => {
  for (const [text, fault, status] of REQUESTS) {
    const shown = JSON.stringify(text.slice(0, 100));
    const outcome = parseRequests(text);
    assert.equal(outcome.fault, fault, shown);
    assert.equal(HTTP1_FAULTS[fault].status, status, shown);
    assert.deepEqual(parsePieces(new RequestParser(), byteByByte(latin1(text))), outcome, shown);
  }
});

const RESPONSES: readonly (readonly [text: string, fault: Http1Fault])[] = [
  [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'content-length-duplicated',
  ],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n', 'content-length-duplicated'],
  ['HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n', 'content-length-invalid'],
  [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'transfer-encoding-with-content-length',
  ],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'transfer-encoding-invalid'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'transfer-coding-unknown'],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-in-http-1.0'],
  ['HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\n', 'bare-line-feed'],
  ['HTTP/1.1 200 O\rK\r\n\r\n', 'bare-carriage-return'],
  ['HTTP/1.1 200 O\x00K\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1 20 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1 2000 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1 099 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1 600 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1  200 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1 +20 OK\r\n\r\n', 'status-invalid'],
  ['HTTP/1.1\r\n\r\n', 'status-invalid'],
  ['HTTP/2.0 200 OK\r\n\r\n', 'version-unsupported'],
  ['HTTP/1,1 200 OK\r\n\r\n', 'version-invalid'],
  ['HTP/1.1 200 OK\r\n\r\n', 'version-invalid'],
  ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'version-invalid'],
  ['ICY 200 OK\r\n\r\n', 'version-invalid'],
  ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 'line-folded'],
  ['HTTP/1.1 200 OK\r\nX : a\r\n\r\n', 'space-before-colon'],
];

test('ambiguous and malformed responses are refused, each by its name, whole and byte by byte', () => {
  for (const [text, fault] of RESPONSES) {
    const shown = JSON.stringify(text);
    const outcome = parseResponses(text);
    assert.equal(outcome.fault, fault, shown);
    const pieces = byteByByte(latin1(text));
    assert.deepEqual(parsePieces(new ResponseParser(), pieces, true), outcome, shown);
  }
});

test('every fault has an error with a code, a status and a remedy', () => {
  for (const [fault, { status }] of Object.entries(HTTP1_FAULTS)) {
    const error = faultError(fault as Http1Fault, 'the request');
    assert.match(error.code, /^HTTP_(MALFORMED|LIMIT_EXCEEDED|UNSUPPORTED|TRUNCATED)$/);
    assert.match(error.message, new RegExp(fault.replaceAll('.', '\\.')));
    assert.ok(error.remedy);
    assert.ok(status >= 400 && status <= 505);
  }
});
