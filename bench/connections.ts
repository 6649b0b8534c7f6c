import { execFile } from 'node:child_process';
import net from 'node:net';
import { promisify } from 'node:util';
import { copyBytes, type Host } from 'netloom/core';
import type { Bench } from './frame/bench.ts';
import { stackPair } from './frame/endpoints.ts';

/** Connections of one round, and how many are under way at once. */
const COUNT = 2000;
const AT_ONCE = 32;
const REQUEST = 'ping';

/** Does `one` so many times, `AT_ONCE` at a time; answers how many a second. */
async function perSecond(one: () => Promise<void>): Promise<number> {
  let left = COUNT;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (1000 * COUNT) / (performance.now() - start);
}

/** Opens a connection, sends a request, waits for the answer and for the end. */
async function exchange(client: Host, address: string, port: number): Promise<void> {
  const connection = await client.connect({ host: address, port });
  const done = Promise.withResolvers<void>();
  connection.start({
    end: () => connection.end(),
    closed: (error) => (error === undefined ? done.resolve() : done.reject(error)),
  });
  connection.write(new TextEncoder().encode(REQUEST));
  await done.promise;
}

async function ours(): Promise<number> {
  const pair = stackPair(1500, true);
  const listener = await pair.server.listen({
    port: 0,
    accept(connection) {
      connection.start({
        data(bytes) {
          connection.write(copyBytes(bytes));
          connection.end();
        },
      });
    },
  });
  const rate = await perSecond(() =>
    exchange(pair.client, pair.serverAddress, listener.local.port),
  );
  await pair.close();
  return rate;
}

async function nodeNet(): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (bytes) => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const rate = await perSecond(
    () =>
      new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', reject);
        socket.on('data', () => undefined);
        socket.on('close', () => resolve());
        socket.write(REQUEST);
      }),
  );
  await new Promise((resolve) => server.close(resolve));
  return rate;
}

/** Heap that 10,000 idle connections take, both ends counted, measured in a process of its own with its collector at hand. */
async function idleHeap(): Promise<number> {
  const program = `
    const { stackPair } = await import(${JSON.stringify(new URL('frame/endpoints.ts', import.meta.url).href)});
    const pair = stackPair(1500, true);
    const held = [];
    const listener = await pair.server.listen({ port: 80, backlog: 1024, accept(c) { held.push(c); c.start({}); } });
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 10_000; i++) {
      const c = await pair.client.connect({ host: pair.serverAddress, port: 80 });
      c.start({});
      held.push(c);
    }
    gc();
    console.log((process.memoryUsage().heapUsed - before) / 2 / 1e6);
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...process.execArgv,
    '--expose-gc',
    '--input-type=module',
    '--eval',
    program,
  ]);
  return Number(stdout);
}

/** Short connections, and what idle ones cost. */
export const bench: Bench = {
  name: 'connections',
  description:
    'open, one request, close, against node:net over loopback; heap of 10,000 idle connections',
  async run(report) {
    await report.compare({
      case: `open, ask, close, ${AT_ONCE} at once`,
      unit: 'connections/s',
      netloom: ours,
      peers: { 'node:net': nodeNet },
      target: { 'node:net': 0.5 },
    });
    report.record({
      case: 'heap of 10,000 idle connections, one end',
      unit: 'MB',
      lessIsBetter: true,
      netloom: await idleHeap(),
      peers: { 'the limit': 60 },
      target: { 'the limit': 1 },
    });
  },
};
