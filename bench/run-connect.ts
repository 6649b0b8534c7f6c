import type { Bench } from './frame/bench.ts';
import { Contenders, missingForPlaces } from './frame/contenders.ts';
import { SocketServer, clientCommand } from './frame/socket-server.ts';

const CONNECTIONS = 5000;
const MTU = 1500;

/** What a short connection costs. */
export const bench: Bench = {
  name: 'run-connect',
  description: 'short TCP connections in netloom run, against slirp4netns, pasta and a veth',
  async run(report) {
    const missing = missingForPlaces('python3');
    if (missing !== undefined) {
      report.note(`left out: it needs ${missing}`);
      return;
    }
    await using contenders = await Contenders.start(report, MTU);
    await using server = await SocketServer.start(contenders.machine);
    for (const atOnce of [1, 16]) {
      await contenders.compare(
        {
          case: `${CONNECTIONS} connections, ${atOnce} at once`,
          unit: 'connections/s',
          target: { slirp4netns: 1 },
        },
        async (place) =>
          Number(
            await place.run(
              clientCommand(`connections ${place.host} ${server.port} ${CONNECTIONS} ${atOnce}`),
            ),
          ),
      );
    }
  },
};
