import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IpAddress } from 'netloom/core';
import { osHost } from 'netloom/host';
import { createClient, serve } from 'netloom/http';
import type { Bench } from './frame/bench.ts';
import { stackPair } from './frame/endpoints.ts';

/** Requests of one round, and how many are under way at once, each on a connection that is kept. */
const COUNT = 3000;
const AT_ONCE = 16;
const BODY = 'x'.repeat(100);

/** Asks so many times, `AT_ONCE` at a time; answers how many a second. */
async function perSecond(ask: () => Promise<string>): Promise<number> {
  let left = COUNT;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      if ((await ask()) !== BODY) throw new Error('another answer than what was sent');
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (1000 * COUNT) / (performance.now() - start);
}

const handler = { fetch: () => new Response(BODY) };

/** Our server and client on the kernel's sockets. */
async function onSockets(): Promise<number> {
  await using host = osHost();
  await using server = await serve(handler, { host, port: 0, address: IpAddress.LOOPBACK4 });
  await using client = createClient({ host });
  const url = `http://127.0.0.1:${server.local.port}/small`;
  return await perSecond(async () => (await client.fetch(url)).text());
}

/** Our server and client on two of our own stacks, joined in memory. */
async function onStacks(): Promise<number> {
  const pair = stackPair(1500, true);
  const server = await serve(handler, { host: pair.server, port: 80 });
  const client = createClient({ host: pair.client });
  const url = `http://${pair.serverAddress}/small`;
  const rate = await perSecond(async () => (await client.fetch(url)).text());
  await client.close();
  await server.close();
  await pair.close();
  return rate;
}

/** Runs with Node's server; `body` is given its URL. */
async function withNodeServer(body: (url: string) => Promise<number>): Promise<number> {
  const server = createServer((_, response) => response.end(BODY));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/small`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function nodeHttp(): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const ask = (url: string): Promise<string> =>
    new Promise((resolve, reject) => {
      get(url, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(text));
      }).on('error', reject);
    });
  return withNodeServer((url) => perSecond(() => ask(url))).finally(() => agent.destroy());
}

/** Node's `fetch`, which has the interface that ours has. */
function nodeFetch(): Promise<number> {
  return withNodeServer((url) => perSecond(async () => (await fetch(url)).text()));
}

/** Small answers over connections that are kept: what a request costs beside its bytes. */
export const bench: Bench = {
  name: 'http-small',
  description:
    'small requests over kept connections, client and server in one process, against node:http and fetch',
  async run(report) {
    const peers = { 'node:http': nodeHttp, 'node:http with fetch': nodeFetch };
    await report.compare({
      case: `${AT_ONCE} at once, on the kernel's sockets`,
      unit: 'requests/s',
      netloom: onSockets,
      peers,
    });
    await report.compare({
      case: `${AT_ONCE} at once, on our own stacks`,
      unit: 'requests/s',
      netloom: onStacks,
      peers,
    });
  },
};
