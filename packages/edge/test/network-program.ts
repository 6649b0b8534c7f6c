/** Starts the networks of a JSON text, its argument, where it runs; prints `ready`, or the code of what was refused, and ends when it is interrupted. */
import { secureRandom } from 'netloom/core';
import { SystemClock, osHost } from 'netloom/host';
import { Network, type NetworkModel } from '../src/index.ts';

const models = JSON.parse(process.argv[2]!) as NetworkModel[];
const environment = {
  clock: new SystemClock(),
  random: secureRandom(),
  outside: osHost(),
  resolvers: [],
  notice: (text: string): void => void process.stdout.write(`notice: ${text}\n`),
};
const networks = models.map((model) => new Network(model, environment));
// A network that has failed holds nothing, this process included.
const alive = setInterval(() => undefined, 60_000);
const stopped = new Promise((resolve) => process.once('SIGINT', resolve));
try {
  for (const network of networks) await network.start();
  process.stdout.write('ready\n');
  await stopped;
  process.stdout.write(`${networks.map(({ state }) => state).join(' ')}\n`);
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`);
}
clearInterval(alive);
for (const network of networks) await network.close();
process.exit(0);
