import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { IpAddress, copyBytes, type Datagram } from 'netloom/core';
import { osHost } from 'netloom/host';
import type { Bench } from './frame/bench.ts';

/** Round trips of one round of measurement, and bytes of a datagram. */
const COUNT = 20_000;
const SIZE = 64;

/** Round trips a second, between two sockets of this process; `inFlight` datagrams are under way all the time. */
type Echo = (inFlight: number) => Promise<number>;

/** Counts answers; says how many datagrams are to be sent next, and when it is enough. */
class Count {
  readonly done: Promise<number>;
  readonly #start: number = performance.now();
  readonly #resolve: (perSecond: number) => void;
  #answered = 0;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.done = promise;
    this.#resolve = resolve;
  }

  /** So many answers have come. Answers whether it goes on. */
  answered(count: number): boolean {
    this.#answered += count;
    if (this.#answered < COUNT) return true;
    this.#resolve((1000 * this.#answered) / (performance.now() - this.#start));
    return false;
  }
}

/** Sockets of a host of ours: what comes together is sent back together. */
function onHost(sockets: 'native' | 'platform'): Echo {
  return async (inFlight) => {
    await using host = osHost({ sockets });
    const server = await host.bind({ address: IpAddress.LOOPBACK4 });
    server.start({
      receive: (batch) => {
        server.send(batch.map(({ data, remote }) => ({ data: copyBytes(data), remote })));
      },
    });
    const client = await host.bind({ address: IpAddress.LOOPBACK4 });
    const count = new Count();
    const ask = (questions: number): void => {
      const batch: Datagram[] = [];
      for (let i = 0; i < questions; i++) {
        batch.push({ data: new Uint8Array(SIZE), remote: server.local });
      }
      client.send(batch);
    };
    client.start({
      receive: (batch) => {
        if (count.answered(batch.length)) ask(batch.length);
      },
    });
    ask(inFlight);
    return await count.done;
  };
}

async function dgramSocket(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Sockets of `node:dgram`. */
async function onDgram(inFlight: number): Promise<number> {
  const [server, client] = [await dgramSocket(), await dgramSocket()];
  server.on('message', (data, { port, address }) => server.send(data, port, address));
  const { port } = server.address();
  const count = new Count();
  const ask = (): void => client.send(new Uint8Array(SIZE), port, '127.0.0.1');
  client.on('message', () => {
    if (count.answered(1)) ask();
  });
  for (let i = 0; i < inFlight; i++) ask();
  try {
    return await count.done;
  } finally {
    await Promise.all(
      [server, client].map((socket) => new Promise((closed) => socket.close(closed as () => void))),
    );
  }
}

/** What a datagram costs on the operating system's sockets. */
export const bench: Bench = {
  name: 'udp-echo',
  description:
    'round trips of 64 bytes by UDP over loopback, against node:dgram and our sockets on it',
  async run(report) {
    const native = onHost('native');
    const platform = onHost('platform');
    for (const inFlight of [1, 64]) {
      await report.compare({
        case: `${SIZE} bytes there and back, ${inFlight} in flight`,
        unit: 'round trips/s',
        netloom: () => native(inFlight),
        peers: {
          'node:dgram': () => onDgram(inFlight),
          'our sockets on it': () => platform(inFlight),
        },
        target: { 'node:dgram': 1 },
      });
    }
  },
};
