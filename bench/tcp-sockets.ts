import { osHost, type OsHost } from 'netloom/host';
import type { Bench, Round } from './frame/bench.ts';
import { transferOn, transferOnNodeNet } from './frame/endpoints.ts';
import {
  exchangesOn,
  exchangesOnNodeNet,
  roundTripsOn,
  roundTripsOnNodeNet,
} from './frame/exchanges.ts';

const HERE = '127.0.0.1';
const CONNECTIONS = 3000;
const AT_ONCE = 32;
const ROUND_TRIPS = 30_000;
const CHUNK = new Uint8Array(64 * 1024);
const TOTAL = 2 ** 30;

/** The work on a host of its own with this kind of sockets. */
function on(sockets: 'native' | 'platform', work: (host: OsHost) => Promise<number>): Round {
  return async () => {
    await using host = osHost({ sockets });
    return await work(host);
  };
}

/** Megabytes a second. */
async function speed(milliseconds: Promise<number>): Promise<number> {
  return TOTAL / 1000 / (await milliseconds);
}

/** What TCP costs on the operating system's sockets, both ends in this process. */
export const bench: Bench = {
  name: 'tcp-sockets',
  description: 'TCP over loopback by system calls, against node:net and our sockets on it',
  async run(report) {
    const compare = (
      name: string,
      unit: string,
      work: (host: OsHost) => Promise<number>,
      nodeNet: Round,
    ): Promise<unknown> =>
      report.compare({
        case: name,
        unit,
        netloom: on('native', work),
        peers: { 'node:net': nodeNet, 'our sockets on it': on('platform', work) },
        target: { 'node:net': 1 },
      });
    await compare(
      `open, ask, close, ${AT_ONCE} at once`,
      'connections/s',
      (host) => exchangesOn(host, host, HERE, CONNECTIONS, AT_ONCE),
      () => exchangesOnNodeNet(CONNECTIONS, AT_ONCE),
    );
    for (const connections of [1, 64]) {
      const kind = { bytes: 64, count: ROUND_TRIPS, connections };
      await compare(
        `64 bytes there and back, ${connections} connections`,
        'round trips/s',
        (host) => roundTripsOn(host, host, HERE, kind),
        () => roundTripsOnNodeNet(kind),
      );
    }
    await compare(
      '64 KiB chunks one way',
      'MB/s',
      (host) => speed(transferOn(host, host, HERE, CHUNK, TOTAL)),
      () => speed(transferOnNodeNet(CHUNK, TOTAL)),
    );
  },
};
