import type { Bench, Report } from './frame/bench.ts';
import { Contenders, missingForPlaces } from './frame/contenders.ts';
import { SocketServer, clientCommand } from './frame/socket-server.ts';

const ROUND_TRIPS = 2000;
const MTU = 1500;
/** Within 1.2 times of slirp4netns's. */
const TARGET = 0.83;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** How long an answer takes. */
export const bench: Bench = {
  name: 'run-latency',
  description:
    'round trips of 64 bytes in netloom run, TCP and UDP, against slirp4netns, pasta and a veth',
  async run(report) {
    const missing = missingForPlaces('python3');
    if (missing !== undefined) {
      report.note(`left out: it needs ${missing}`);
      return;
    }
    await measure(report, '');
    await measure(report, ', --busy-poll 200', '--busy-poll', '200');
  },
};

async function measure(
  report: Report,
  suffix: string,
  ...options: readonly string[]
): Promise<void> {
  await using contenders = await Contenders.start(report, MTU, ...options);
  await using server = await SocketServer.start(contenders.machine);
  for (const protocol of ['tcp', 'udp']) {
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      await contenders.compare(
        {
          case: `${protocol.toUpperCase()} round trip, ${name}${suffix}`,
          unit: 'ms',
          lessIsBetter: true,
          target: { slirp4netns: TARGET },
        },
        async (place) => {
          const words = `round-trips ${protocol} ${place.host} ${server.port} ${ROUND_TRIPS}`;
          const times = JSON.parse(await place.run(clientCommand(words))) as number[];
          return quantile(times, share);
        },
      );
    }
  }
}
