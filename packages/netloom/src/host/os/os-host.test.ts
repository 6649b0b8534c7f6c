import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { IpAddress, type NetloomError, type SocketAddress } from '../../core/index.ts';
import { requires, type Obstacle } from '../../../test/requires.ts';
import { nativeAvailable } from '../../native/index.ts';
import { hostCompliance } from '../compliance/index.ts';
import { osHost } from './os-host.ts';

/** A listener on loopback that accepts nobody and whose backlog is full: the kernel drops further SYNs unanswered. */
class Blackhole {
  readonly address: SocketAddress;
  readonly #worker: Worker;
  readonly #fillers: Socket[];

  private constructor(worker: Worker, fillers: Socket[], port: number) {
    this.#worker = worker;
    this.#fillers = fillers;
    this.address = { address: IpAddress.LOOPBACK4, port };
  }

  static async open(): Promise<Blackhole> {
    // Its thread stands still once it listens, so its loop accepts nothing.
    const program = `
      const { parentPort } = require('node:worker_threads');
      const server = require('node:net').createServer();
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });`;
    const worker = new Worker(program, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    const fillers: Socket[] = [];
    // Linux takes one more than the backlog.
    for (let i = 0; i < 2; i++) {
      const filler = connect(port, '127.0.0.1');
      fillers.push(filler);
      await once(filler, 'connect');
    }
    return new Blackhole(worker, fillers, port);
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#worker.terminate();
  }
}

/** Why this process cannot ping, or false when it can. */
async function pingObstacle(): Promise<Obstacle> {
  await using host = osHost();
  try {
    await host.ping(IpAddress.LOOPBACK4);
  } catch (error) {
    const { code, message, remedy } = error as NetloomError;
    if (code === 'PING_UNAVAILABLE') return `${message}. ${remedy}`;
  }
  return false;
}

const cannotPing = await pingObstacle();

requires(nativeAvailable() ?? false);
for (const [here, there] of [
  ['native', 'native'],
  ['platform', 'platform'],
  ['native', 'platform'],
  ['platform', 'native'],
] as const) {
  hostCompliance(
    async () => {
      // Half a second instead of five: one test waits for it.
      const limits = { closeTimeout: 500 };
      const client = osHost({ name: 'client', sockets: here, limits });
      const server = osHost({ name: 'server', sockets: there, limits });
      const blackhole = await Blackhole.open();
      return {
        client,
        server,
        serverAddress4: IpAddress.LOOPBACK4,
        serverAddress6: IpAddress.LOOPBACK6,
        blackhole: blackhole.address,
        async close() {
          await Promise.all([client.close(), server.close(), blackhole.close()]);
        },
      };
    },
    {
      name: `os, ${here} to ${there} sockets, over loopback`,
      serverName: 'localhost',
      skip: { ping: requires(cannotPing) || undefined },
    },
  );
}
