/** WebSocket: frames, the engine of a server, and the fields of handshakes. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { fromHex } from 'netloom/core';
import { Fields } from 'netloom/http';
import {
  Opcode,
  answerUpgrade,
  formatExtension,
  parseExtensions,
} from '../../packages/netloom/src/http/websocket/index.ts';
import { frame, readFrames } from '../../packages/netloom/test/websocket/frames.ts';
import { End, PLAIN_DEFLATE } from '../../packages/netloom/test/websocket/pair.ts';
import { sha1 } from '../../packages/netloom/test/websocket/sha1.ts';
import { cut } from '../cut.ts';
import type { FuzzEntry } from '../entry.ts';

/** What a client may send: fragments with a Ping between, a compressed message, lengths of all kinds, Close. */
const CONVERSATIONS: readonly Uint8Array[] = [
  [
    frame(Opcode.TEXT, 'κόσμε', { key: 0x01020304, isFinal: false }),
    frame(Opcode.PING, 'between', { key: 6 }),
    frame(Opcode.CONTINUATION, '\u{1f600}', { key: -7 }),
  ],
  [
    frame(Opcode.TEXT, fromHex('f248cdc9c90700'), { key: 8, isCompressed: true }),
    frame(Opcode.BINARY, new Uint8Array(300), { key: 9 }),
  ],
  [
    frame(Opcode.PONG, '', { key: 1 }),
    frame(Opcode.TEXT, '', { key: 2 }),
    frame(Opcode.CLOSE, fromHex('0fa0 627965'), { key: 3 }),
  ],
].map((frames) => Uint8Array.from(Buffer.concat(frames)));

/** What does not depend on how the input was cut is the same for both. Comparing by assert at once would make a message for each equal pair. */
function assertSame(pieces: unknown, whole: unknown): void {
  if (!isDeepStrictEqual(pieces, whole)) assert.deepEqual(pieces, whole);
}

/** What a server makes of the input, and then of time: the connection ends, and what it has sent is frames. */
function converse(pieces: Iterable<Uint8Array>) {
  const limits = { messageBytes: 400, fragments: 4, controlBurst: 3, decompressionFloor: 100 };
  const server = new End({ agreement: PLAIN_DEFLATE, limits });
  for (const piece of pieces) server.receive(piece);
  const { state } = server.engine;
  for (let turns = 0; !server.sink.isClosed; turns++) {
    assert.ok(turns < 10, 'its deadlines never end');
    server.engine.advance(server.engine.deadline());
  }
  server.engine.gone(undefined, 0);
  assert.ok(server.handler.closure !== undefined);
  const sent = readFrames({ compression: true }, [server.sink.take()]);
  assert.equal(sent.fault, undefined);
  const { messages, controls, closure } = server.handler;
  const { code, reason, wasClean } = closure!;
  const counts = server.engine.statistics.snapshot();
  return { state, messages, controls, code, reason, wasClean, counts, sent };
}

/** The input as lines of a handshake's fields: it is answered somehow, and lists of extensions are what they are. */
function shake(input: Uint8Array): void {
  const lines = Buffer.from(input).toString('latin1').split('\n');
  const fields = new Fields();
  for (const line of lines) {
    const colon = line.indexOf(':');
    fields.appendParsed(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1));
  }
  const answer = answerUpgrade(
    { method: 'GET', minorVersion: 1, fields },
    { compression: {} },
    sha1,
  );
  assert.ok([101, 400, 426].includes(answer.status));
  // What it answers can be sent.
  Fields.from(answer.fields);
  const extensions = parseExtensions(fields.get('sec-websocket-extensions'));
  if (extensions === undefined) return;
  assertSame(parseExtensions(extensions.map(formatExtension).join(', ')), extensions);
}

/** A client's handshake. */
const HANDSHAKE = [
  'upgrade:websocket',
  'connection:keep-alive, Upgrade',
  'sec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version:13',
  'sec-websocket-protocol:chat, superchat',
  'sec-websocket-extensions:permessage-deflate; client_max_window_bits; server_max_window_bits="10", x; y=z',
].join('\n');

/** The entries. */
export const WEBSOCKET_ENTRIES: readonly FuzzEntry[] = [
  {
    name: 'websocket-frames',
    seeds: CONVERSATIONS,
    run(input, random) {
      const options = { masked: random.below(4) > 0, compression: true, frameBytes: 400 };
      assertSame(readFrames(options, cut(input, random)), readFrames(options, [input]));
    },
  },
  {
    name: 'websocket-server',
    seeds: CONVERSATIONS,
    run: (input, random) => assertSame(converse(cut(input, random)), converse([input])),
  },
  { name: 'websocket-handshake', seeds: [new TextEncoder().encode(HANDSHAKE)], run: shake },
];
