/** Frames in any order and of any content: nothing is thrown, and each exchange is told of its end once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NetloomError, concatBytes, seededRandom, type Random } from '../../core/index.ts';
import {
  END_HEADERS,
  GET,
  POST,
  RawClient,
  RawServer,
  WHOLE,
  frame,
  settings,
  words,
  type Frames,
} from '../../../test/http/http2/raw-peer.ts';
import { Fields } from '../semantics/index.ts';
import { FrameType, type Http2ServerExchange } from './index.ts';

const { DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } =
  FrameType;
const OK: readonly (readonly [string, string])[] = [[':status', '200']];

/** A frame that may be in order, or not. */
function anyFrame(random: Random, frames: Frames, heads: readonly (readonly [string, string])[][]) {
  // Small numbers, so that they meet.
  const id = random.below(9);
  const flags = [0, 1, END_HEADERS, WHOLE, 0x8, 0x2d, 0x9][random.below(7)]!;
  const bytes = random.fill(new Uint8Array(random.below(40)));
  switch (random.below(14)) {
    case 0:
      return frame(DATA, flags, id, bytes);
    case 1:
      return frame(DATA, random.below(2), id, new Uint8Array(random.below(16_385)));
    case 2:
    case 3:
    case 4:
      return frames.headers(id, heads[random.below(heads.length)]!, random.below(2) + END_HEADERS);
    case 5:
      return frame(HEADERS, flags, id, bytes);
    case 6:
      return frame(RST_STREAM, 0, id, words(random.below(16)));
    case 7:
      return frame(SETTINGS, 0, 0, settings([random.below(10), random.below(70_000)]));
    case 8:
      return frame(WINDOW_UPDATE, 0, id, words(random.below(100_000)));
    case 9:
      return frame(CONTINUATION, flags, id, bytes);
    case 10:
      return frame(PING, random.below(2), 0, new Uint8Array(8));
    case 11:
      return frame(GOAWAY, 0, 0, words(random.below(9), random.below(16)));
    case 12:
      return frame(random.below(20), flags, id, bytes);
    default:
      return frame(FrameType.PRIORITY_UPDATE, 0, 0, [...words(id), 0x75, 0x3d, 0x31]);
  }
}

/** Does something to an exchange that a handler may do. */
function meddle(exchange: Http2ServerExchange, random: Random): void {
  if (exchange.closed) return;
  const chunk = new Uint8Array(random.below(30_000));
  switch (random.below(6)) {
    case 0:
      return exchange.read(0);
    case 1:
      return exchange.pause(0);
    case 2:
      if (!exchange.responded) exchange.respond(200, new Fields(), undefined, 0);
      return;
    case 3:
      if (exchange.responded && !exchange.answered) exchange.write(chunk, 0);
      return;
    case 4:
      if (exchange.responded) exchange.end(0, Fields.from([['x-t', 'y']]));
      return;
    default:
      if (random.below(4) === 0) exchange.abort(new NetloomError('ABORTED', 'enough'), 0);
  }
}

/** Everybody was told once. */
function checkEnds(log: readonly string[], ids: readonly number[]): void {
  for (const id of ids) {
    const told = log.filter((line) => line.startsWith(`${id} closed`));
    assert.equal(told.length, 1, `stream ${id}: ${told}`);
    assert.ok(
      log
        .filter((line) => line.startsWith(`${id} `))
        .at(-1)!
        .includes('closed'),
    );
  }
}

test('whatever a client sends, and whatever handlers do meanwhile', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 80 }), (seed, count) => {
      const random = seededRandom(seed);
      const client = new RawClient({ concurrentStreams: 3 }, (exchange) => {
        for (let i = random.below(4); i > 0; i--) meddle(exchange, random);
      }).begin();
      const heads = [[...GET], [...POST], [...GET, ['expect', '100-continue']], [['x', 'y']]];
      for (let i = 0; i < count; i++) {
        const bytes = anyFrame(random, client.frames, heads as [string, string][][]);
        const cut = random.below(bytes.length);
        client.send(bytes.subarray(0, cut));
        client.send(bytes.subarray(cut));
        const { exchanges } = client;
        if (exchanges.length > 0) meddle(exchanges[random.below(exchanges.length)]!, random);
        if (random.below(30) === 0) client.wait(20_000);
      }
      client.heard();
      client.server.gone(undefined, client.now);
      for (const exchange of client.exchanges) meddle(exchange, random);
      assert.equal(client.server.deadline(), Infinity);
      assert.equal(client.server.exchanges, 0);
      const open = client.exchanges.filter(({ closed }) => !closed);
      // Left are those whose response went out whole, and whose handler has not said that this is its end.
      for (const { stream } of open) assert.equal(stream.state, 'closed');
      const ended = client.exchanges.filter(({ closed }) => closed);
      checkEnds(
        client.log,
        ended.map(({ stream }) => stream.id),
      );
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('whatever a server sends, and whatever is asked of it meanwhile', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, count) => {
      const random = seededRandom(seed);
      const server = new RawServer({ concurrentStreams: 3 }).begin();
      const ends: number[] = [];
      const ask = (): void => {
        const index = ends.push(0) - 1;
        const fields = Fields.from([['host', 'h']]);
        const body = random.below(2) * 100_000;
        const exchange = server.client.request(
          { method: 'POST', target: '/', fields, length: body },
          {
            response: () => random.below(3) === 0 && exchange.pause(0),
            data: () => random.below(3) === 0 && exchange.pause(0),
            drain: () => exchange.read(0),
            closed: () => void ends[index]!++,
          },
          0,
        );
        if (body > 0) exchange.write(new Uint8Array(body), 0);
        exchange.end(0);
        if (random.below(10) === 0) exchange.abort(new NetloomError('ABORTED', 'enough'), 0);
      };
      const heads = [
        [...OK],
        [[':status', '103']],
        [['x-t', 'y']],
        [...OK, ['content-length', '5']],
      ];
      for (let i = 0; i < count; i++) {
        if (server.client.state === 'open' && random.below(3) === 0) ask();
        const bytes = anyFrame(random, server.frames, heads as [string, string][][]);
        const cut = random.below(bytes.length);
        server.send(concatBytes([bytes.subarray(0, cut)]));
        server.send(bytes.subarray(cut));
        if (random.below(30) === 0) server.wait(20_000);
      }
      server.client.gone(undefined, server.now);
      assert.equal(server.client.deadline(), Infinity);
      assert.equal(server.client.exchanges, 0);
      // One that is paused with its response whole is told when it is read.
      for (const end of ends) assert.ok(end <= 1);
    }),
    { seed: 6, numRuns: 300 },
  );
});
