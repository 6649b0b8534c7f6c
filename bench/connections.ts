import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench } from './frame/bench.ts';
import { stackPair } from './frame/endpoints.ts';
import { exchangesOn, exchangesOnNodeNet } from './frame/exchanges.ts';

/** Connections of one round, and how many are under way at once. */
const COUNT = 2000;
const AT_ONCE = 32;

async function ours(): Promise<number> {
  const pair = stackPair(1500, true);
  const rate = await exchangesOn(pair.client, pair.server, pair.serverAddress, COUNT, AT_ONCE);
  await pair.close();
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
      peers: { 'node:net': () => exchangesOnNodeNet(COUNT, AT_ONCE) },
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
