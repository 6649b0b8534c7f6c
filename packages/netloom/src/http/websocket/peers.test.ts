/** Other people's WebSockets as peers, over the loopback: Node's own client, and `ws` as client and server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { IpAddress } from '../../core/index.ts';
import { osHost } from '../../host/index.ts';
import { root } from '../../../test/repository.ts';
import { file, requires } from '../../../test/requires.ts';
import {
  openWebSocket,
  serveWebSockets,
  type CarriedWebSocket,
  type OnMessage,
} from '../../../test/websocket/carried.ts';
import type { DeflateOptions, WebSocketClosure } from './index.ts';

/** Real milliseconds after which a test counts as hung; a bound, not a measure. */
const options = { timeout: 60_000 };

const bundle = `${root}node_modules/playwright-core/lib/utilsBundle.js`;
const withWs = { ...options, skip: requires(file(bundle, 'playwright-core')) };

/** What is used of `ws`: one, its server, and where both are found. */
interface Ws {
  readonly extensions: string;
  readonly protocol: string;
  binaryType: string;
  send(data: string | Uint8Array, options?: { fin?: boolean; compress?: boolean }): void;
  ping(data: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: string, listener: (...values: never[]) => void): void;
}

interface WsServer {
  readonly clients: Iterable<Ws>;
  on(event: string, listener: (socket: Ws) => void): void;
}

interface WsModule {
  readonly ws: new (url: string, protocols: string[], options: object) => Ws;
  readonly wsServer: new (options: object) => WsServer;
}

async function loadWs(): Promise<WsModule> {
  const { default: module } = (await import(pathToFileURL(bundle).href)) as { default: WsModule };
  return module;
}

/** Messages of every way in which lengths are written, compressible and not, text of one to four bytes a character. */
const MESSAGES: readonly (string | Uint8Array)[] = [
  'Hello',
  '',
  'κόσμε \u{1f600}',
  'a'.repeat(125),
  'b'.repeat(126),
  'c'.repeat(65_535),
  'd'.repeat(65_536),
  `${'long '.repeat(100_000)}end`,
  new Uint8Array(),
  Uint8Array.of(1, 2, 3),
  Uint8Array.from({ length: 300_000 }, (_, index) => (index * index * 7 + (index >> 9)) & 255),
];

/** The ways of compression, by name. */
const COMPRESSIONS: readonly [string, DeflateOptions | undefined][] = [
  ['no compression', undefined],
  ['compression', {}],
  ['compression with the context taken over', { contextTakeover: true }],
  ['compression with small windows', { contextTakeover: true, windowBits: 9, peerWindowBits: 10 }],
];

const echo: OnMessage = (socket, data) => void socket.send(data);

/** The messages come back from a server in order, each of its kind. */
function assertEchoed(echoed: readonly unknown[]): void {
  assert.equal(echoed.length, MESSAGES.length);
  for (const [index, message] of MESSAGES.entries()) {
    const came = echoed[index];
    if (typeof message === 'string') assert.ok(came === message, `message ${index}`);
    else assert.ok(came instanceof Uint8Array && Buffer.from(message).equals(came), `${index}`);
  }
}

for (const [name, compression] of COMPRESSIONS) {
  const accept = compression === undefined ? {} : { compression };

  test(`Node’s WebSocket and our server exchange messages with ${name}`, options, async () => {
    await using host = osHost();
    const accepted = Promise.withResolvers<WebSocketClosure>();
    const listener = await serveWebSockets(
      host,
      IpAddress.LOOPBACK4,
      { ...accept, protocols: ['echo'] },
      echo,
      ({ closed }) => accepted.resolve(closed),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${listener.local.port}/`, ['other', 'echo']);
    socket.binaryType = 'arraybuffer';
    const echoed: unknown[] = [];
    const all = Promise.withResolvers<void>();
    socket.addEventListener('error', () => all.reject(new Error('the WebSocket failed')));
    socket.addEventListener('message', ({ data }) => {
      echoed.push(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
      if (echoed.length === MESSAGES.length) all.resolve();
    });
    await once(socket, 'open');
    assert.equal(socket.protocol, 'echo');
    assert.equal(socket.extensions.includes('permessage-deflate'), compression !== undefined);
    for (const message of MESSAGES) {
      socket.send(typeof message === 'string' ? message : Uint8Array.from(message));
    }
    await all.promise;
    assertEchoed(echoed);
    const closed = once(socket, 'close');
    socket.close(4000, 'done');
    const [event] = (await closed) as [CloseEvent];
    assert.deepEqual([event.code, event.wasClean], [4000, true]);
    assert.deepEqual(await accepted.promise, {
      code: 4000,
      reason: 'done',
      wasClean: true,
      error: undefined,
    });
    await listener.close();
  });

  test(`the client of ws and our server exchange messages with ${name}`, withWs, async () => {
    const { ws } = await loadWs();
    await using host = osHost();
    const listener = await serveWebSockets(host, IpAddress.LOOPBACK4, accept, echo);
    const deflate = compression === undefined ? false : { threshold: 0 };
    const url = `ws://127.0.0.1:${listener.local.port}/`;
    const socket = new ws(url, [], { perMessageDeflate: deflate });
    const echoed = await exchangeByWs(socket);
    assertEchoed(echoed);
    assert.equal(socket.extensions.includes('permessage-deflate'), compression !== undefined);
    await listener.close();
  });

  test(`our client and the server of ws exchange messages with ${name}`, withWs, async (t) => {
    const { wsServer } = await loadWs();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const peer = new wsServer({
      server,
      perMessageDeflate: compression === undefined ? false : { threshold: 0 },
    });
    const theirEnd = Promise.withResolvers<unknown[]>();
    // Also after a failure: what is left open would keep the process.
    t.after(() => {
      for (const client of peer.clients) client.terminate();
      server.close();
    });
    peer.on('connection', (socket) => {
      socket.on('message', (data: Buffer, isBinary: boolean) =>
        socket.send(isBinary ? data : data.toString()),
      );
      socket.on('close', (code: number, reason: Buffer) =>
        theirEnd.resolve([code, reason.toString()]),
      );
    });
    await using host = osHost();
    const echoed: unknown[] = [];
    const { port } = server.address() as AddressInfo;
    const socket = await openWebSocket(host, port, '/', accept, (own, data) => {
      echoed.push(data);
      if (echoed.length === MESSAGES.length) own.close(4001, 'enough');
    });
    assert.equal(socket.agreement.compression === undefined, compression === undefined);
    for (const message of MESSAGES) {
      socket.send(typeof message === 'string' ? message : Uint8Array.from(message));
    }
    const closure = await socket.closed;
    assertEchoed(echoed);
    // It answers with the reason, too.
    const { code, reason, wasClean } = closure;
    assert.deepEqual([code, reason, wasClean], [4001, 'enough', true]);
    assert.deepEqual(await theirEnd.promise, [4001, 'enough']);
  });
}

/** Sends all messages by `ws`, the last in fragments with a Ping between, and answers what came back. */
async function exchangeByWs(socket: Ws): Promise<unknown[]> {
  const echoed: unknown[] = [];
  const done = Promise.withResolvers<void>();
  let pongs = 0;
  socket.on('error', (error: Error) => done.reject(error));
  socket.on('pong', () => pongs++);
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    echoed.push(isBinary ? new Uint8Array(data) : data.toString());
    if (echoed.length === MESSAGES.length) socket.close(1000, '');
  });
  socket.on('close', () => done.resolve());
  socket.on('open', () => {
    for (const message of MESSAGES.slice(0, -1)) socket.send(message);
    const last = MESSAGES.at(-1) as Uint8Array;
    socket.send(last.subarray(0, 1000), { fin: false });
    socket.ping('between');
    socket.send(last.subarray(1000), { fin: true });
  });
  await done.promise;
  assert.equal(pongs, 1);
  return echoed;
}

test(
  'Node’s WebSocket fails where our server speaks none of the subprotocols it asks for',
  options,
  async () => {
    await using host = osHost();
    const listener = await serveWebSockets(host, IpAddress.LOOPBACK4, {}, echo);
    const socket = new WebSocket(`ws://127.0.0.1:${listener.local.port}/`, ['unknown']);
    const outcome = await Promise.race([
      once(socket, 'error').then(() => 'error'),
      once(socket, 'open').then(() => 'open'),
    ]);
    assert.equal(outcome, 'error');
    await listener.close();
  },
);

test('our client sees that a web server answers plainly', options, async () => {
  const server = createServer((_, response) => response.writeHead(403).end()).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  await using host = osHost();
  const { port } = server.address() as AddressInfo;
  await assert.rejects(openWebSocket(host, port, '/', {}, echo), /status-not-101/);
  server.close();
  server.closeAllConnections();
});

test(
  'a sender is told to wait, and to go on when the other side, which had paused, resumes; nothing is lost',
  options,
  async () => {
    await using host = osHost();
    const accepted = Promise.withResolvers<CarriedWebSocket>();
    const paused = Promise.withResolvers<void>();
    const arrived: number[] = [];
    const listener = await serveWebSockets(
      host,
      IpAddress.LOOPBACK4,
      {},
      (socket, data) => {
        arrived.push((data as Uint8Array)[0]!);
        if (arrived.length > 1) return;
        socket.engine.pause();
        paused.resolve();
      },
      accepted.resolve,
    );
    const client = await openWebSocket(host, listener.local.port, '/', {}, echo);
    let sent = 0;
    const drained = Promise.withResolvers<void>();
    client.onDrain = drained.resolve;
    while (sent < 10_000 && client.send(new Uint8Array(65_536).fill(sent))) sent++;
    sent++;
    assert.ok(sent < 10_000, 'it was never told to wait');
    const server = await accepted.promise;
    await paused.promise;
    server.engine.resume(host.clock.now());
    await drained.promise;
    client.close(1000, '');
    const closure = await server.closed;
    assert.ok(closure.wasClean);
    assert.deepEqual(
      arrived,
      Array.from({ length: sent }, (_, index) => index & 255),
    );
    await listener.close();
  },
);
