import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  cutAt,
  fromLatin1,
  latin1,
  parsePieces,
  parseRequests,
  parseResponses,
  type Outcome,
} from '../../../../test/http/messages.ts';
import { Fields } from '../../semantics/index.ts';
import { BodyWriter } from '../body-writer.ts';
import {
  RequestParser,
  ResponseParser,
  serialiseRequestHead,
  serialiseResponseHead,
} from './index.ts';

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
const fieldValue = fc
  .stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,30}$/)
  .map((text) => text.replaceAll(/^[\t ]+|[\t ]+$/g, ''));
/** Any bytes, so many at most, as text. */
const anyBytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(fromLatin1);
/** Names with no meaning for framing. */
const field = fc.tuple(
  token.map((name) => `x-${name.toLowerCase()}`),
  fieldValue,
);
const target = fc.stringMatching(/^\/[A-Za-z0-9%._~!$&'()*+,;=:@/-]{0,30}$/);
const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 5 });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');

/** A message and its bytes, written by the serialisers. */
const request = fc
  .record({
    method,
    target,
    fields: fc.array(field, { maxLength: 6 }),
    body,
    chunked: fc.boolean(),
    trailers: fc.array(field, { maxLength: 2 }),
  })
  .map((message) => {
    const fields = Fields.from([['host', 'example.org'], ...message.fields]);
    const length = message.body.reduce((sum, chunk) => sum + chunk.length, 0);
    if (message.chunked) fields.append('transfer-encoding', 'chunked');
    else fields.append('content-length', `${length}`);
    const parts = [serialiseRequestHead(message.method, message.target, fields)];
    const writer = new BodyWriter(message.chunked ? 'chunked' : length, (bytes) => {
      parts.push(bytes);
      return true;
    });
    for (const chunk of message.body) writer.write(chunk);
    writer.end(Fields.from(message.trailers));
    return { ...message, all: [...fields], text: parts.map(fromLatin1).join('') };
  });

test('what the serialisers write the parser reads', () => {
  fc.assert(
    fc.property(request, (message) => {
      const { messages, fault } = parseRequests(message.text);
      assert.equal(fault, undefined);
      assert.deepEqual(messages, [
        {
          start: `${message.method} ${message.target} 1.1`,
          fields: message.all,
          body: message.body.map(fromLatin1).join(''),
          trailers: message.chunked ? message.trailers : [],
          complete: true,
        },
      ]);
    }),
  );
});

test('a response is read as it was written', () => {
  const response = fc.record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 304].includes(status)),
    reason: fieldValue,
    fields: fc.array(field, { maxLength: 5 }),
    body: anyBytes(40),
  });
  fc.assert(
    fc.property(response, ({ status, reason, fields, body }) => {
      const out = Fields.from([...fields, ['content-length', `${body.length}`]]);
      const text = fromLatin1(serialiseResponseHead(status, out, reason)) + body;
      const { messages, fault } = parseResponses(text);
      assert.equal(fault, undefined);
      assert.deepEqual(messages, [
        { start: `${status} ${reason} 1.1`, fields: [...out], body, trailers: [], complete: true },
      ]);
    }),
  );
});

/** Bytes that look like messages, more or less. */
const nearMessages = fc
  .array(
    fc.oneof(
      request.map(({ text }) => text),
      fc.constantFrom(
        'GET / HTTP/1.1\r\n',
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.1 100 Continue\r\n\r\n',
        'Host: a\r\n',
        'Content-Length: 3\r\n',
        'Transfer-Encoding: chunked\r\n',
        '\r\n',
        '\n',
        '\r',
        ' ',
        '3\r\nabc\r\n',
        '0\r\n\r\n',
        'A;b\r\n',
        'x: y\r\n',
        '\x00',
      ),
      anyBytes(5),
    ),
    { maxLength: 8 },
  )
  .map((parts) => latin1(parts.join('')));

test('any bytes give messages or a fault, the same however they are cut', () => {
  const cuts = fc.array(fc.nat(300), { maxLength: 12 });
  fc.assert(
    fc.property(nearMessages, cuts, fc.boolean(), (bytes, positions, isRequest) => {
      const make = () => (isRequest ? new RequestParser() : new ResponseParser());
      const whole = parsePieces(make(), [bytes], true);
      assert.deepEqual(parsePieces(make(), cutAt(bytes, positions), true), whole);
    }),
    { numRuns: 1000 },
  );
});

/** What the platform's parser makes of a text. */
async function parseByPlatform(text: string): Promise<Outcome> {
  const outcome: Outcome = { messages: [], fault: undefined };
  const server = createServer((incoming, outgoing) => {
    const fields: [string, string][] = [];
    const { rawHeaders } = incoming;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      fields.push([rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!]);
    }
    const message = {
      start: `${incoming.method} ${incoming.url} 1.${incoming.httpVersionMinor}`,
      fields,
      body: '',
      trailers: [] as [string, string][],
      complete: false,
    };
    outcome.messages.push(message);
    incoming.setEncoding('latin1');
    incoming.on('data', (chunk: string) => (message.body += chunk));
    incoming.on('end', () => {
      message.complete = true;
      const trailers = incoming.rawTrailers;
      for (let i = 0; i < trailers.length; i += 2) {
        message.trailers.push([trailers[i]!.toLowerCase(), trailers[i + 1]!]);
      }
      outgoing.end();
    });
    incoming.on('error', () => undefined);
  });
  server.on('clientError', (error: Error & { code?: string }) => {
    outcome.fault = error.code ?? 'unknown';
  });
  const [ours, theirs] = duplexPair();
  const closed = new Promise((resolve) => theirs.once('close', resolve));
  server.emit('connection', theirs);
  ours.on('error', () => undefined);
  theirs.on('error', () => undefined);
  ours.resume();
  ours.end(Buffer.from(text, 'latin1'));
  await new Promise((resolve) => ours.once('end', resolve));
  theirs.destroy();
  await closed;
  return outcome;
}

test("generated messages are to the platform's parser what they are to this one", async () => {
  await fc.assert(
    fc.asyncProperty(request, async (message) => {
      assert.deepEqual(await parseByPlatform(message.text), parseRequests(message.text));
    }),
  );
});
