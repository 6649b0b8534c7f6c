import type { Bench } from './frame/bench.ts';
import { missingForPlaces } from './frame/contenders.ts';
import { FLOODS, floodOf } from './floods/frames.ts';
import { FloodScene, GATEWAY } from './floods/scene.ts';

/** What of its undisturbed throughput a neighbour is to keep. */
const TARGET = 0.5;

/** How much a guest transfers while its neighbour floods the gateway. */
export const bench: Bench = {
  name: 'floods',
  description:
    'iperf3 of a guest by a gateway that its neighbour floods with 50,000 frames a second, against the same flood sent to nobody',
  async run(report) {
    const missing = missingForPlaces('iperf3');
    if (missing !== undefined) {
      report.note(`left out: it needs ${missing}`);
      return;
    }
    for (const name of FLOODS) {
      const frames = floodOf(name, GATEWAY);
      await using scene = await FloodScene.open();
      await report.compare({
        case: name,
        unit: 'Mbit/s',
        netloom: () => scene.measure(frames, 'gateway'),
        peers: { undisturbed: () => scene.measure(frames, 'nobody') },
        target: { undisturbed: TARGET },
      });
    }
  },
};
