import type { Bench } from './frame/bench.ts';
import { Contenders, missingForPlaces } from './frame/contenders.ts';
import { iperf3, receivedRate, type ServerStart } from './frame/iperf3.ts';
import type { Machine, Place } from './frame/place.ts';

/** Seconds of one run of iperf3. */
const SECONDS = 1;
const PORT = 5201;

/** What of slirp4netns's throughput is to be reached, by MTU. */
const TARGETS = [
  [1500, 2],
  [65_520, 1],
] as const;

/** Megabits per second that the receiver counted, of one run of iperf3 between a place and its machine. */
async function throughput(
  machine: Machine,
  place: Place,
  streams: number,
  reverse: boolean,
): Promise<number> {
  const options = `--time ${SECONDS} --parallel ${streams}${reverse ? ' --reverse' : ''}`;
  const client = `iperf3 --json --client ${place.host} --port ${PORT} ${options}`;
  const start: ServerStart = (command, ...args) => machine.spawn(command, ...args);
  return receivedRate(await iperf3(start, PORT, () => place.run(client)));
}

/** How much a program behind `netloom run` sends and gets. */
export const bench: Bench = {
  name: 'run-throughput',
  description:
    'iperf3 in netloom run to and from a server of the machine, against slirp4netns, pasta and a veth',
  async run(report) {
    const missing = missingForPlaces('iperf3');
    if (missing !== undefined) {
      report.note(`left out: it needs ${missing}`);
      return;
    }
    for (const [mtu, target] of TARGETS) {
      await using contenders = await Contenders.start(report, mtu);
      for (const streams of [1, 8]) {
        for (const reverse of [false, true]) {
          const direction = reverse ? 'to the program' : 'from the program';
          await contenders.compare(
            {
              case: `MTU ${mtu}, ${streams === 1 ? '1 stream' : `${streams} streams`} ${direction}`,
              unit: 'Mbit/s',
              target: { slirp4netns: target },
            },
            (place) => throughput(contenders.machine, place, streams, reverse),
          );
        }
      }
    }
  },
};
