/** What costs a client next to nothing and a server some work, done too often: each ends in ENHANCE_YOUR_CALM, at a bounded cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '../../core/index.ts';
import {
  END_HEADERS,
  END_STREAM,
  GET,
  POST,
  RawClient,
  frame,
  initialWindow,
  settings,
  words,
} from '../../../test/http/http2/raw-peer.ts';
import { Fields } from '../semantics/index.ts';
import { FrameFlag, FrameType, type Http2Fault, type Http2ServerExchange } from './index.ts';
import type { Http2ServerLimits } from './limits.ts';

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS } = FrameType;
const { PING, WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE } = FrameType;
const eight = new Uint8Array(8);

/** A flood: what is sent again and again, under limits of ten at once and one a second. */
interface Flood {
  readonly name: string;
  readonly fault: Http2Fault;
  readonly limits: Partial<Http2ServerLimits>;
  readonly begin?: (client: RawClient) => readonly Uint8Array[];
  /** The frames of one time, the first being time 0. */
  readonly once: (client: RawClient, time: number) => readonly Uint8Array[];
}

const floods: readonly Flood[] = [
  {
    name: 'streams opened and reset (CVE-2023-44487)',
    fault: 'reset-flood',
    limits: { resets: 10, resetsPerSecond: 1 },
    once: ({ frames }, time) => [
      frames.headers(2 * time + 1),
      frame(RST_STREAM, 0, 2 * time + 1, words(8)),
    ],
  },
  {
    name: 'streams that we are made to reset, by windows opened by 0 (CVE-2025-8671)',
    fault: 'provoked-reset-flood',
    limits: { provokedResets: 10, provokedResetsPerSecond: 1 },
    once: ({ frames }, time) => [
      frames.headers(2 * time + 1),
      frame(WINDOW_UPDATE, 0, 2 * time + 1, words(0)),
    ],
  },
  {
    name: 'streams that we are made to reset, by windows that overflow (CVE-2025-8671)',
    fault: 'provoked-reset-flood',
    limits: { provokedResets: 10, provokedResetsPerSecond: 1 },
    once: ({ frames }, time) => [
      frames.headers(2 * time + 1),
      frame(WINDOW_UPDATE, 0, 2 * time + 1, words(2 ** 31 - 1)),
    ],
  },
  {
    name: 'requests that are malformed',
    fault: 'provoked-reset-flood',
    limits: { provokedResets: 10, provokedResetsPerSecond: 1 },
    once: ({ frames }, time) => [frames.headers(2 * time + 1, [...GET, ['connection', 'x']])],
  },
  {
    name: 'streams beyond the limit',
    fault: 'provoked-reset-flood',
    limits: { provokedResets: 10, provokedResetsPerSecond: 1, concurrentStreams: 1 },
    begin: ({ frames }) => [frames.headers(1)],
    once: ({ frames }, time) => [frames.headers(2 * time + 3)],
  },
  {
    name: 'SETTINGS',
    fault: 'settings-flood',
    limits: { settings: 11, settingsPerSecond: 1 },
    once: () => [frame(SETTINGS, 0, 0, settings(initialWindow(1)))],
  },
  {
    name: 'PING',
    fault: 'ping-flood',
    limits: { pings: 10, pingsPerSecond: 1 },
    once: () => [frame(PING, 0, 0, eight)],
  },
  {
    name: 'empty DATA (CVE-2019-9518)',
    fault: 'empty-frame-flood',
    limits: { emptyFrames: 10, emptyFramesPerSecond: 1 },
    begin: ({ frames }) => [frames.headers(1, POST, END_HEADERS)],
    once: () => [frame(DATA, 0, 1)],
  },
  {
    name: 'DATA of nothing but padding',
    fault: 'empty-frame-flood',
    limits: { emptyFrames: 10, emptyFramesPerSecond: 1 },
    begin: ({ frames }) => [frames.headers(1, POST, END_HEADERS)],
    once: () => [frame(DATA, FrameFlag.PADDED, 1, [1, 0])],
  },
  {
    name: 'empty CONTINUATION',
    fault: 'empty-frame-flood',
    limits: { emptyFrames: 10, emptyFramesPerSecond: 1, continuations: 1000 },
    begin: ({ frames }) => [frames.headers(1, GET, END_STREAM)],
    once: () => [frame(CONTINUATION, 0, 1)],
  },
  {
    name: 'CONTINUATION without end (CVE-2024-27316)',
    fault: 'continuation-flood',
    limits: { continuations: 10 },
    begin: ({ frames }) => [frames.headers(1, GET, END_STREAM)],
    once: ({ frames }) => [frame(CONTINUATION, 0, 1, frames.block([['x', 'y']]))],
  },
  {
    name: 'PRIORITY',
    fault: 'priority-flood',
    limits: { priorities: 10, prioritiesPerSecond: 1 },
    once: (_, time) => [frame(PRIORITY, 0, 2 * time + 1, [...words(0), 1])],
  },
  {
    name: 'PRIORITY_UPDATE',
    fault: 'priority-flood',
    limits: { priorities: 10, prioritiesPerSecond: 1 },
    once: (_, time) => [frame(PRIORITY_UPDATE, 0, 0, [...words(2 * time + 1), 0x75])],
  },
  {
    name: 'windows opened by 1',
    fault: 'window-update-flood',
    limits: { windowUpdates: 10, windowUpdatesPerSecond: 1 },
    begin: ({ frames }) => [frames.headers(1)],
    once: () => [frame(WINDOW_UPDATE, 0, 1, words(1))],
  },
  {
    name: 'frames of unknown types',
    fault: 'unknown-frame-flood',
    limits: { unknownFrames: 10, unknownFramesPerSecond: 1 },
    once: () => [frame(0x16, 0, 0, eight)],
  },
];

for (const { name, fault, limits, begin, once } of floods) {
  test(`a flood: ${name}`, () => {
    const client = new RawClient(limits).begin();
    if (begin !== undefined) client.send(...begin(client));
    for (let time = 0; time < 10; time++) client.send(...once(client, time));
    assert.ok(!client.pipe.closed, 'ten at once are allowed');
    const last = client.send(...once(client, 10)).at(-1);
    assert.match(last!, /^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
    assert.ok(client.pipe.closed);
    assert.equal(client.refused.at(-1), fault);
    assert.equal(client.server.exchanges, 0);
  });

  // What is counted for each block of fields has no rate.
  if (fault === 'continuation-flood') continue;
  test(`no flood, as it takes its time: ${name}`, () => {
    const client = new RawClient(limits).begin();
    if (begin !== undefined) client.send(...begin(client));
    for (let time = 0; time < 25; time++) {
      client.send(...once(client, time));
      client.now += 1000;
    }
    assert.ok(!client.pipe.closed);
  });
}

test('WINDOW_UPDATE frames that answer data are no flood', () => {
  const client = new RawClient({ windowUpdates: 10, windowUpdatesPerSecond: 0 }, (exchange) => {
    exchange.respond(200, new Fields(), 1000, 0);
    exchange.write(new Uint8Array(1000), 0);
    exchange.end(0);
  }).begin(initialWindow(0));
  client.send(client.frames.headers(1));
  const both = [frame(WINDOW_UPDATE, 0, 1, words(10)), frame(WINDOW_UPDATE, 0, 0, words(10))];
  for (let time = 0; time < 100; time++) assert.equal(client.send(...both).length, 1);
  assert.deepEqual(client.refused, []);
});

test('a header block without end is cut short by its bytes too', () => {
  const client = new RawClient({ headerBlockBytes: 10_000, continuations: 1000 }).begin();
  client.send(client.frames.headers(1, GET, 0));
  const part = frame(CONTINUATION, 0, 1, client.frames.block([['x', 'y'.repeat(1000)]]));
  let sent = 0;
  for (; !client.pipe.closed && sent < 100; sent++) client.send(part);
  assert.ok(sent < 20);
  assert.deepEqual(client.refused, ['header-block-too-large']);
});

test('an HPACK bomb is answered by 431, and a large one ends the connection', () => {
  const client = new RawClient({ headerBytes: 8000 }).begin();
  const { frames } = client;
  client.send(frames.headers(1, [...GET, ['x', 'y'.repeat(2000)]]));
  // One byte each for a field of the table: 2,033 bytes of list.
  const bomb = (id: number, fields: number) =>
    frame(HEADERS, END_STREAM | END_HEADERS, id, [
      ...frames.block(GET),
      ...new Uint8Array(fields).fill(0x80 + 62),
    ]);
  assert.deepEqual(client.send(bomb(3, 5)), ['HEADERS 3 :status=431 END']);
  assert.deepEqual(client.send(bomb(5, 5000)), ['GOAWAY 5 ENHANCE_YOUR_CALM']);
  assert.deepEqual(client.refused, ['fields-too-large', 'header-block-too-large']);
});

/** Answers with 100,000 bytes. */
const large = (exchange: Http2ServerExchange): void => {
  exchange.respond(200, new Fields(), 100_000, 0);
  exchange.write(new Uint8Array(100_000), 0);
};

const slow = { slowReadTimeout: 1000, slowReadBytes: 100, idleTimeout: 1e9 };

test('who asks and never opens the window loses the stream, in time', () => {
  const client = new RawClient(slow, large).begin(initialWindow(0));
  client.send(client.frames.headers(1));
  assert.deepEqual(client.wait(999), []);
  assert.deepEqual(client.wait(1), ['RST_STREAM 1 ENHANCE_YOUR_CALM']);
  assert.deepEqual(client.refused, ['slow-read']);
  assert.deepEqual(client.log, ['1 closed TIMEOUT']);
});

test('who opens the window by single bytes does too, and who takes enough does not', () => {
  const client = new RawClient(slow, large).begin(initialWindow(0));
  client.send(client.frames.headers(1), client.frames.headers(3));
  for (let time = 0; time < 9; time++) {
    client.send(frame(WINDOW_UPDATE, 0, 1, words(1)), frame(WINDOW_UPDATE, 0, 3, words(50)));
    client.wait(110);
  }
  assert.deepEqual(client.refused, []);
  assert.deepEqual(client.wait(10), ['RST_STREAM 1 ENHANCE_YOUR_CALM']);
  assert.equal(client.server.exchanges, 1);
});

test('all streams are lost that wait for the connection’s window', () => {
  const client = new RawClient(slow, large).begin(initialWindow(1_000_000));
  client.send(client.frames.headers(1), client.frames.headers(3));
  assert.deepEqual(client.wait(1000), [
    'RST_STREAM 1 ENHANCE_YOUR_CALM',
    'RST_STREAM 3 ENHANCE_YOUR_CALM',
  ]);
});

test('a stream that waits for its sink only is not held against the client’s windows', () => {
  const client = new RawClient({ ...slow, writeTimeout: 1e9 }, large).begin(initialWindow(0));
  client.send(client.frames.headers(1));
  client.pipe.capacity = 1;
  client.send(
    frame(WINDOW_UPDATE, 0, 1, words(1_000_000)),
    frame(WINDOW_UPDATE, 0, 0, words(1_000_000)),
  );
  client.wait(5000);
  assert.deepEqual(client.refused, []);
});

test('a client that makes us answer and does not read is cut short', () => {
  const client = new RawClient({ pings: 1e6, pingsPerSecond: 1e6, controlBacklog: 10_000 }).begin();
  client.pipe.capacity = 1;
  const pings = concatBytes(Array.from({ length: 100 }, () => frame(PING, 0, 0, eight)));
  let rounds = 0;
  for (; !client.pipe.closed && rounds < 100; rounds++) client.send(pings);
  // 10,000 bytes of answers of 17 bytes.
  assert.equal(rounds, 7);
  assert.deepEqual(client.refused, ['control-backlog']);
});
