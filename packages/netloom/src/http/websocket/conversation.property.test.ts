import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../../core/index.ts';
import { End, PLAIN_DEFLATE, converse } from '../../../test/websocket/pair.ts';
import { cutAt, frame } from '../../../test/websocket/frames.ts';
import { Opcode, type DeflateAgreement } from './index.ts';

const message = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom('', 'a'.repeat(70_000), new Uint8Array(66_000)),
);

const action = fc.oneof(
  { weight: 4, arbitrary: message.map((data) => ({ kind: 'send' as const, data })) },
  fc.uint8Array({ maxLength: 125 }).map((data) => ({ kind: 'ping' as const, data })),
);

const script = fc.array(
  fc.record({
    action,
    fragmentSize: fc.option(fc.integer({ min: 1, max: 400 })),
    mine: fc.boolean(),
  }),
  { maxLength: 12 },
);

const agreement: fc.Arbitrary<{ client: DeflateAgreement; server: DeflateAgreement } | undefined> =
  fc.option(
    fc
      .record({
        windowBits: fc.integer({ min: 9, max: 15 }),
        contextTakeover: fc.boolean(),
        peerWindowBits: fc.integer({ min: 9, max: 15 }),
        peerContextTakeover: fc.boolean(),
      })
      .map((client) => ({
        client,
        server: {
          windowBits: client.peerWindowBits,
          contextTakeover: client.peerContextTakeover,
          peerWindowBits: client.windowBits,
          peerContextTakeover: client.contextTakeover,
        },
      })),
    { nil: undefined },
  );

test('what either side sends the other is told, in order, whatever the fragments, cuts and compression', () => {
  fc.assert(
    fc.property(
      script,
      agreement,
      fc.nat(),
      fc.integer({ min: 1, max: 3000 }),
      (steps, agreed, seed, most) => {
        const client = new End({ isClient: true, agreement: agreed?.client });
        const server = new End({ agreement: agreed?.server });
        const random = seededRandom(seed);
        const told = { client: [] as unknown[], server: [] as unknown[] };
        const pings = { client: 0, server: 0 };
        for (const { action: step, fragmentSize, mine } of steps) {
          const from = mine ? client : server;
          if (step.kind === 'ping') {
            from.engine.ping(step.data, 0);
            pings[mine ? 'client' : 'server']++;
          } else {
            const options = fragmentSize === null ? {} : { fragmentSize };
            // What is sent as bytes is given away, so a copy is what is expected.
            const { data } = step;
            told[mine ? 'server' : 'client'].push(data);
            from.engine.send(typeof data === 'string' ? data : Uint8Array.from(data), 0, options);
          }
          if (random.below(3) === 0) converse(client, server, () => random.below(most));
        }
        converse(client, server, () => random.below(most));
        assert.deepEqual(client.handler.messages, told.client.map(wellFormed));
        assert.deepEqual(server.handler.messages, told.server.map(wellFormed));
        assert.equal(
          client.handler.controls.filter((one) => one.startsWith('pong')).length,
          pings.client,
        );
        assert.equal(
          server.handler.controls.filter((one) => one.startsWith('pong')).length,
          pings.server,
        );
        client.engine.close(1000, '', 0);
        converse(client, server, () => random.below(most));
        assert.equal(client.engine.state, 'ending');
        assert.equal(server.engine.state, 'ending');
      },
    ),
  );
});

/** Half a surrogate pair cannot be sent: it becomes U+FFFD, as the Encoding Standard has it. */
function wellFormed(data: unknown): unknown {
  return typeof data === 'string' ? data.toWellFormed() : data;
}

test('a conversation cut at every byte is the same as one that is not', () => {
  const bytes = Uint8Array.from(
    Buffer.concat([
      frame(Opcode.TEXT, 'κόσμε', { key: 0x01020304 }),
      frame(Opcode.TEXT, Uint8Array.of(0xf0, 0x9f), { key: 5, isFinal: false }),
      frame(Opcode.PING, 'between', { key: 6 }),
      frame(Opcode.CONTINUATION, Uint8Array.of(0x98, 0x80), { key: -7 }),
      frame(Opcode.BINARY, new Uint8Array(200).fill(9), { key: 0x80000001 | 0 }),
      frame(Opcode.TEXT, Uint8Array.of(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 7, 0), {
        key: 8,
        isCompressed: true,
      }),
      frame(Opcode.CLOSE, Uint8Array.of(0x0f, 0xa0, 0x62, 0x79, 0x65), { key: 9 }),
      frame(Opcode.TEXT, 'unheard', { key: 1 }),
    ]),
  );
  const outcome = (cuts: readonly number[]) => {
    const server = new End({ agreement: PLAIN_DEFLATE });
    for (const piece of cutAt(bytes, cuts)) server.receive(piece);
    server.engine.gone(undefined, 0);
    const { messages, controls, closure } = server.handler;
    return { messages, controls, closure, sent: server.sink.take() };
  };
  const whole = outcome([]);
  assert.deepEqual(whole.messages, ['κόσμε', '\u{1f600}', new Uint8Array(200).fill(9), 'Hello']);
  assert.deepEqual(whole.closure, { code: 4000, reason: 'bye', wasClean: true, error: undefined });
  for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(outcome([cut]), whole);
  assert.deepEqual(outcome(Array.from(bytes.keys())), whole);
});

test('any bytes leave the engine open, or failed with a Close of its own, the same however they are cut', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .record({
        opcode: fc.constantFrom(...Object.values(Opcode)),
        payload: fc.uint8Array({ maxLength: 40 }),
        isFinal: fc.boolean(),
        isCompressed: fc.boolean(),
        key: fc.integer(),
      })
      .map(({ opcode, payload, ...flags }) => frame(opcode, payload, flags)),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.nat(200), { maxLength: 8 }),
      (parts, cuts) => {
        const bytes = Uint8Array.from(Buffer.concat(parts));
        const outcome = (at: readonly number[]) => {
          const server = new End({ agreement: PLAIN_DEFLATE, limits: { messageBytes: 60 } });
          for (const one of cutAt(bytes, at)) server.receive(one);
          const { messages, controls } = server.handler;
          const { state, statistics } = server.engine;
          assert.ok(state === 'open' || state === 'ending');
          assert.equal(server.sink.isClosed, state === 'ending');
          return {
            messages,
            controls,
            state,
            counts: statistics.snapshot(),
            sent: server.sink.take(),
          };
        };
        assert.deepEqual(outcome(cuts), outcome([]));
      },
    ),
    { numRuns: 1000 },
  );
});
