/** This encoder and decoder against those of nghttp2, which is in Node: blocks go through `node:http2` in frames made by hand. */
import assert from 'node:assert/strict';
import {
  createServer,
  sensitiveHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { duplexPair, type Duplex } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, readUint16, writeUint16, writeUint32 } from 'netloom/core';
import { HpackDecoder, HpackEncoder, type Indexing } from '../../../src/http/hpack/index.ts';
import { decodeFragments, encodeBlock, type Triple } from './blocks.ts';

/** Frames and flags of RFC 9113, section 6. */
const HEADERS = 1;
const SETTINGS = 4;
const GOAWAY = 7;
const CONTINUATION = 9;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const HEADER_TABLE_SIZE = 1;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  writeUint32(bytes, 0, (payload.length << 8) | type);
  bytes[4] = flags;
  writeUint32(bytes, 5, stream);
  bytes.set(payload, 9);
  return bytes;
}

function tableSizeSetting(size: number): Uint8Array {
  const payload = new Uint8Array(6);
  writeUint16(payload, 0, HEADER_TABLE_SIZE);
  writeUint32(payload, 2, size);
  return payload;
}

/** The table's size that a SETTINGS frame asks for. */
function tableSizeOf(payload: Uint8Array): number | undefined {
  for (let at = 0; at < payload.length; at += 6) {
    if (readUint16(payload, at) === HEADER_TABLE_SIZE) {
      return readUint16(payload, at + 2) * 65_536 + readUint16(payload, at + 4);
    }
  }
  return undefined;
}

/** What nghttp2 has made of a request's list. */
interface Seen {
  readonly fields: readonly (readonly [string, string])[];
  readonly sensitive: readonly string[];
}

/** A client of one connection to a server of Node, with this encoder and decoder. */
class ByHand {
  readonly seen: Seen[] = [];
  /** Lists of responses, in the order of their streams' ends. */
  readonly responses: (readonly (readonly [string, string])[])[] = [];
  readonly encoder: HpackEncoder;
  readonly decoder = new HpackDecoder();
  readonly #server = createServer();
  readonly #line: Duplex;
  #session: ServerHttp2Session | undefined;
  #input: Uint8Array = new Uint8Array(0);
  #fragments: Uint8Array[] = [];
  #nextStream = 1;
  #askedSizes: number[] = [];
  #wake: () => void = () => undefined;
  #isGone = false;

  constructor(encoder: HpackEncoder) {
    this.encoder = encoder;
    const [ours, theirs] = duplexPair();
    this.#line = ours;
    this.#server.on('session', (session) => (this.#session = session));
    this.#server.on('stream', (stream: ServerHttp2Stream, headers, _flags, rawHeaders) => {
      const fields: [string, string][] = [];
      for (let i = 0; i < rawHeaders.length; i += 2) {
        fields.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
      }
      // The platform's types do not know that the symbol is one that lists names.
      const sensitive = Reflect.get(headers, sensitiveHeaders) as string[] | undefined;
      this.seen.push({ fields, sensitive: sensitive ?? [] });
      const echoed: Record<string, string[]> = {};
      for (const [name, value] of fields) {
        if (name.startsWith('x-')) (echoed[name] ??= []).push(value);
      }
      stream.respond({ ':status': 200, date: 'now', ...echoed }, { endStream: true });
    });
    this.#server.emit('connection', theirs);
    ours.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    ours.on('end', () => {
      this.#isGone = true;
      this.#wake();
    });
    ours.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    ours.write(frame(SETTINGS, 0, 0, new Uint8Array(0)));
    this.#askedSizes.push(NaN);
  }

  /** Asks nghttp2's encoder for another size of its table; settles when it has agreed. */
  async resizeTheirs(size: number): Promise<void> {
    this.#askedSizes.push(size);
    this.#line.write(frame(SETTINGS, 0, 0, tableSizeSetting(size)));
    await this.#until(() => this.#askedSizes.length === 0);
  }

  /** Lets nghttp2's decoder ask for another size of this encoder's table; settles when that has been acknowledged. */
  async resizeOurs(size: number): Promise<void> {
    await this.#until(() => this.#session !== undefined);
    const settled = Promise.withResolvers<void>();
    this.#session!.settings({ headerTableSize: size }, () => settled.resolve());
    await settled.promise;
  }

  /** Sends a request, its block cut into so many frames at most, and waits for the response. */
  async request(fields: readonly Triple[], frames: number): Promise<void> {
    const block = encodeBlock(this.encoder, fields);
    const fragmentLength = Math.ceil(block.length / frames);
    const stream = this.#nextStream;
    this.#nextStream += 2;
    for (let at = 0; at === 0 || at < block.length; at += fragmentLength) {
      const isLast = at + fragmentLength >= block.length;
      const flags = (at === 0 ? END_STREAM : 0) | (isLast ? END_HEADERS : 0);
      const payload = block.subarray(at, at + fragmentLength);
      this.#line.write(frame(at === 0 ? HEADERS : CONTINUATION, flags, stream, payload));
    }
    const expected = this.responses.length + 1;
    await this.#until(() => this.responses.length === expected);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#session!.once('close', resolve));
    this.#session!.destroy();
    await closed;
    this.#line.destroy();
  }

  #receive(chunk: Uint8Array): void {
    this.#input = concatBytes([this.#input, chunk]);
    for (let next = this.#takeFrame(); next !== undefined; next = this.#takeFrame()) {
      this.#handle(next);
    }
    this.#wake();
  }

  #takeFrame(): Frame | undefined {
    const input = this.#input;
    if (input.length < 9) return undefined;
    const length = readUint16(input, 0) * 256 + input[2]!;
    if (input.length < 9 + length) return undefined;
    this.#input = input.subarray(9 + length);
    const stream = readUint16(input, 7);
    return { type: input[3]!, flags: input[4]!, stream, payload: input.subarray(9, 9 + length) };
  }

  #handle({ type, flags, payload }: Frame): void {
    if (type === SETTINGS && (flags & ACK) !== 0) {
      const size = this.#askedSizes.shift()!;
      if (!Number.isNaN(size)) this.decoder.setTableSize(size);
    } else if (type === SETTINGS) {
      const size = tableSizeOf(payload);
      if (size !== undefined) this.encoder.setTableSize(size);
      this.#line.write(frame(SETTINGS, ACK, 0, new Uint8Array(0)));
    } else if (type === HEADERS || type === CONTINUATION) {
      this.#fragments.push(payload);
      if ((flags & END_HEADERS) === 0) return;
      const { fields, fault, excess } = decodeFragments(this.decoder, this.#fragments);
      assert.equal(fault ?? excess, undefined);
      this.responses.push(fields);
      this.#fragments = [];
    } else {
      assert.notEqual(type, GOAWAY, `nghttp2 gives up with error ${payload[7]}`);
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      assert.ok(!this.#isGone, 'nghttp2 has closed the connection');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Names and values that come again, so that the tables are used. */
const field = fc.tuple(
  fc.oneof(fc.constantFrom('x-a', 'x-b', 'x-long-name'), fc.stringMatching(/^x-[a-z0-9]{1,8}$/)),
  fc.oneof(
    fc.constantFrom('', '1', 'a value', 'another value of some length'),
    fc.stringMatching(/^[\x21-\x7e]{0,60}$/),
  ),
  fc.boolean(),
);

const exchange = fc.record({
  ours: fc.option(fc.constantFrom(0, 64, 200, 4096), { freq: 3, nil: undefined }),
  theirs: fc.option(fc.constantFrom(0, 64, 200, 4096), { freq: 3, nil: undefined }),
  fields: fc.array(field, { maxLength: 10 }),
  path: fc.stringMatching(/^\/[a-z]{0,20}$/),
  // It takes eight frames of CONTINUATION and no more.
  frames: fc.integer({ min: 1, max: 9 }),
});

const sorted = (fields: readonly (readonly [string, string])[]) =>
  fields.map(([name, value]) => `${name}: ${value}`).toSorted();

test('nghttp2 reads what this encoder writes and is read, while both tables change their sizes', async () => {
  const exchanges = fc.array(exchange, { minLength: 1, maxLength: 6 });
  const policies = fc.array(fc.constantFrom<Indexing>('incremental', 'without', 'never'), {
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(exchanges, policies, async (exchanges, policies) => {
      let asked = 0;
      const encoder = new HpackEncoder({
        indexing: () => policies[asked++ % policies.length]!,
      });
      const client = new ByHand(encoder);
      for (const { ours, theirs, fields, path, frames } of exchanges) {
        if (ours !== undefined) await client.resizeOurs(ours);
        if (theirs !== undefined) await client.resizeTheirs(theirs);
        const list: Triple[] = [
          [':method', 'GET'],
          [':scheme', 'http'],
          [':authority', 'example.org'],
          [':path', path],
          ...fields,
        ];
        await client.request(list, frames);
        const { fields: seen, sensitive } = client.seen.at(-1)!;
        assert.deepEqual(
          seen,
          list.map(([name, value]) => [name, value]),
        );
        for (const [name, , neverIndexed] of fields) {
          if (neverIndexed) assert.ok(sensitive.includes(name), name);
        }
        assert.deepEqual(
          sorted(client.responses.at(-1)!),
          sorted([
            [':status', '200'],
            ['date', 'now'],
            ...fields.map(([name, value]) => [name, value] as const),
          ]),
        );
      }
      await client.close();
    }),
    { numRuns: 60 },
  );
});
