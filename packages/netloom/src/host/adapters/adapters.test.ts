import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PassThrough, Readable, Transform, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import {
  IpAddress,
  seededRandom,
  type Connection,
  type ConnectionHandler,
  type NetloomError,
} from '../../core/index.ts';
import { osHost } from '../os/os-host.ts';
import { toDuplex } from './duplex.ts';
import { toWebStreams } from './web-streams.ts';

const SIZE = 16 * 1024 * 1024;

/** Runs `body` with both ends of a connection over loopback. */
async function withConnection(
  body: (client: Connection, server: Connection) => Promise<void>,
): Promise<void> {
  await using host = osHost({ limits: { closeTimeout: 200 } });
  const accepted = Promise.withResolvers<Connection>();
  const address = IpAddress.LOOPBACK4;
  const listener = await host.listen({ address, port: 0, accept: accepted.resolve });
  const client = await host.connect({ host: address, port: listener.local.port });
  await body(client, await accepted.promise);
}

/** `SIZE` bytes in chunks of many sizes, and their hash. */
function* chunks(hash: ReturnType<typeof createHash>): Generator<Uint8Array> {
  const random = seededRandom(5);
  for (let left = SIZE; left > 0;) {
    const chunk = new Uint8Array(Math.min(left, 1 + random.below(200_000)));
    random.fill(chunk);
    hash.update(chunk);
    left -= chunk.length;
    yield chunk;
  }
}

/** A connection on which nothing happens but what a test does, and whose `write` answers false. */
class FullConnection {
  handler: ConnectionHandler = {};
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  hasRoom = false;

  start(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  write(chunk: Uint8Array): boolean {
    this.written.push(chunk);
    return this.hasRoom;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }

  abort(error?: NetloomError): void {
    this.calls.push(`abort ${error?.code}`);
    this.handler.closed?.(error);
  }

  get connection(): Connection {
    return this as unknown as Connection;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('web streams: 16 MiB there and back through an echo, by hash', async () => {
  await withConnection(async (client, server) => {
    const echoing = toWebStreams(server);
    const echoed = echoing.readable.pipeTo(echoing.writable);
    const { readable, writable } = toWebStreams(client);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const source = chunks(sent);
    const sending = new ReadableStream<Uint8Array>({
      pull(controller) {
        const { value, done } = source.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    }).pipeTo(writable);
    for await (const chunk of readable) received.update(chunk);
    await Promise.all([sending, echoed]);
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
});

test('web streams: a reader may bring its own buffer, and is told the end', async () => {
  await withConnection(async (client, server) => {
    server.write(new Uint8Array([1, 2, 3, 4, 5]));
    server.end();
    const reader = toWebStreams(client).readable.getReader({ mode: 'byob' });
    const received: number[] = [];
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(2));
      if (done) break;
      received.push(...value);
    }
    assert.deepEqual(received, [1, 2, 3, 4, 5]);
  });
});

test('web streams: a write waits for drain, and its chunk may be used again', async () => {
  const full = new FullConnection();
  const writer = toWebStreams(full.connection).writable.getWriter();
  // A Buffer's `slice` would be no copy.
  const chunk = Buffer.from([1]);
  let isWritten = false;
  const writing = writer.write(chunk).then(() => (isWritten = true));
  await turn();
  chunk[0] = 2;
  assert.equal(isWritten, false);
  full.handler.drain?.();
  await writing;
  assert.deepEqual([...full.written[0]!], [1]);
});

test('web streams: nobody reads, so the connection is paused; a read resumes it', async () => {
  const full = new FullConnection();
  const { readable } = toWebStreams(full.connection);
  const borrowed = new Uint8Array(64 * 1024);
  borrowed[0] = 7;
  full.handler.data?.(borrowed);
  borrowed[0] = 0;
  assert.equal(full.calls.at(-1), 'pause');
  const reader = readable.getReader();
  assert.equal((await reader.read()).value![0], 7);
  await turn();
  assert.equal(full.calls.at(-1), 'resume');
});

test('web streams: a chunk that is not bytes aborts the connection', async () => {
  const full = new FullConnection();
  const writer = toWebStreams(full.connection).writable.getWriter();
  writer.closed.catch(() => undefined);
  await assert.rejects(writer.write('text' as unknown as Uint8Array), { code: 'CHUNK_INVALID' });
  assert.equal(full.calls.at(-1), 'abort ABORTED');
});

test('web streams: a reset is the error of both, and of a write that waits', async () => {
  const full = new FullConnection();
  const { readable, writable } = toWebStreams(full.connection);
  const writing = writable.getWriter().write(new Uint8Array(1));
  const reading = readable.getReader().read();
  await turn();
  full.abort({ code: 'CONNECTION_RESET' } as NetloomError);
  await assert.rejects(writing, { code: 'CONNECTION_RESET' });
  await assert.rejects(reading, { code: 'CONNECTION_RESET' });
});

test('web streams: cancel discards, and closes once this side has ended', async () => {
  const full = new FullConnection();
  const { readable, writable } = toWebStreams(full.connection);
  await readable.cancel();
  full.handler.data?.(new Uint8Array(9));
  await writable.close();
  assert.deepEqual(full.calls.slice(-3), ['resume', 'end', 'close']);
});

test('web streams: abort of the writable aborts the connection with its reason', async () => {
  await withConnection(async (client, server) => {
    const reset = new Promise<NetloomError | undefined>((closed) => server.start({ closed }));
    const { readable, writable } = toWebStreams(client);
    const reading = assert.rejects(readable.getReader().read(), { code: 'ABORTED' });
    await writable.abort(new Error('enough'));
    await reading;
    assert.equal((await reset)?.code, 'CONNECTION_RESET');
  });
});

test('Duplex: 16 MiB there and back through an echo, by hash', async () => {
  await withConnection(async (client, server) => {
    const echoing = toDuplex(server);
    const echoed = pipeline(echoing, new PassThrough(), echoing);
    const duplex = toDuplex(client);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const sending = pipeline(Readable.from(chunks(sent), { objectMode: false }), duplex, {
      end: true,
    });
    for await (const chunk of duplex) received.update(chunk as Uint8Array);
    await Promise.all([sending, echoed]);
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
});

test('Duplex: a slow reader gets everything', async () => {
  await withConnection(async (client, server) => {
    const sent = createHash('sha256');
    const sending = pipeline(Readable.from(chunks(sent), { objectMode: false }), toDuplex(server));
    const received = createHash('sha256');
    const slowly = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        received.update(chunk);
        setImmediate(done);
      },
    });
    const duplex = toDuplex(client);
    await pipeline(duplex, slowly.resume());
    duplex.end();
    await sending;
    assert.equal(received.digest('hex'), sent.digest('hex'));
  });
});

test('Duplex: nobody reads, so the connection is paused; a read resumes it', async () => {
  const full = new FullConnection();
  const duplex = toDuplex(full.connection);
  const borrowed = new Uint8Array(duplex.readableHighWaterMark).fill(7);
  full.handler.data?.(borrowed);
  borrowed.fill(0);
  assert.equal(full.calls.at(-1), 'pause');
  assert.equal((duplex.read() as Uint8Array)[0], 7);
  await turn();
  assert.equal(full.calls.at(-1), 'resume');
});

test('Duplex: a write waits for drain, and its chunk may be used again', async () => {
  const full = new FullConnection();
  const duplex = toDuplex(full.connection);
  const chunk = new Uint8Array([1]);
  let calls = 0;
  duplex.write(chunk, () => calls++);
  chunk[0] = 2;
  // Two that wait go together.
  duplex.write('ab', () => calls++);
  duplex.write('cd', () => calls++);
  await turn();
  assert.equal(calls, 0);
  full.handler.drain?.();
  await turn();
  assert.equal(calls, 1);
  full.handler.drain?.();
  await turn();
  assert.equal(calls, 3);
  assert.deepEqual(
    full.written.map((bytes) => [...bytes]),
    [[1], [97, 98], [99, 100]],
  );
});

test('Duplex: half-close, and good order both ways', async () => {
  await withConnection(async (client, server) => {
    const [left, right] = [toDuplex(client), toDuplex(server)];
    left.end('question');
    assert.equal(await text(right), 'question');
    right.end('answer');
    assert.equal(await text(left), 'answer');
    await Promise.all([closed(left), closed(right)]);
  });
});

test('Duplex: end() sends all that was written before the stream closes', async () => {
  await withConnection(async (client, server) => {
    const [left, right] = [toDuplex(client), toDuplex(server)];
    right.end();
    left.resume();
    left.end(new Uint8Array(SIZE));
    let length = 0;
    for await (const chunk of right) length += (chunk as Uint8Array).length;
    assert.equal(length, SIZE);
    await closed(left);
  });
});

test('Duplex: destroy resets the peer, whose stream has the error', async () => {
  await withConnection(async (client, server) => {
    const [left, right] = [toDuplex(client), toDuplex(server)];
    const failed = new Promise<NetloomError>((resolve) => right.on('error', resolve));
    right.resume();
    const reason = new Error('enough');
    left.on('error', (error) => assert.equal(error, reason));
    left.destroy(reason);
    await closed(left);
    assert.equal((await failed).code, 'CONNECTION_RESET');
  });
});

async function text(duplex: Duplex): Promise<string> {
  let all = '';
  for await (const chunk of duplex.iterator({ destroyOnReturn: false })) all += String(chunk);
  return all;
}

function closed(duplex: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (duplex.closed) resolve();
    else duplex.once('close', resolve);
  });
}
