import { runScenario } from 'netloom/host';
import { scenario } from '../scenarios/thousand-hosts.ts';
import type { Bench } from './frame/bench.ts';

const HOSTS = 1000;
const SECONDS = 60;
/** A fifth of it is enough to know the speed, and leaves the beginning, where all ask who has which address, its weight. */
const MEASURED_SECONDS = 12;

/** Virtual seconds that pass in a second. */
async function speed(hosts: number, seconds: number): Promise<number> {
  const start = performance.now();
  const { error, report } = await runScenario(scenario, {
    seed: 1,
    parameters: { hosts, seconds },
  });
  if (error !== undefined) throw error;
  return report.virtualTime / (performance.now() - start);
}

/** The simulator against the clock on the wall. */
export const bench: Bench = {
  name: 'sim',
  description: 'simulated machines, one HTTP request each per virtual second, against real time',
  async run(report) {
    report.record({
      case: `${HOSTS} hosts for ${SECONDS} virtual seconds`,
      unit: 'virtual s/s',
      netloom: await speed(HOSTS, SECONDS),
      peers: { 'wall clock': 1 },
      target: { 'wall clock': 1 },
    });
    await report.compare({
      case: `100 hosts for ${MEASURED_SECONDS} virtual seconds`,
      unit: 'virtual s/s',
      netloom: () => speed(100, MEASURED_SECONDS),
      peers: { 'wall clock': () => 1 },
    });
  },
};
