import type { Bench, Report } from './frame/bench.ts';
import { stackPair, transferOn, transferOnNodeNet } from './frame/endpoints.ts';

/** Bytes of one round, and of one write. */
const TOTAL = 256 * 1024 * 1024;
const CHUNK = 64 * 1024;

/** The same array is written again and again, on both sides alike: what is compared is the way, not the source. */
const chunk = new Uint8Array(CHUNK).fill(7);

async function ours(mtu: number, offload: boolean): Promise<number> {
  const pair = stackPair(mtu, offload);
  const elapsed = await transferOn(pair.client, pair.server, pair.serverAddress, chunk, TOTAL);
  await pair.close();
  return TOTAL / elapsed / 1000;
}

async function nodeNet(): Promise<number> {
  return TOTAL / (await transferOnNodeNet(chunk, TOTAL)) / 1000;
}

async function compare(
  report: Report,
  mtu: number,
  offload: boolean,
  target?: number,
): Promise<void> {
  await report.compare({
    case: `MTU ${mtu}, ${offload ? 'with offload' : 'every segment cut and summed'}`,
    unit: 'MB/s',
    netloom: () => ours(mtu, offload),
    peers: { 'node:net': nodeNet },
    ...(target === undefined ? {} : { target: { 'node:net': target } }),
  });
}

/** Bulk transfer between two stack machines in memory against the kernel's loopback. */
export const bench: Bench = {
  name: 'tcp-memory',
  description: 'bulk transfer between two stack machines in memory, against node:net over loopback',
  async run(report) {
    // The targets are for the harder case: no work is left to the link.
    await compare(report, 1500, false, 0.25);
    await compare(report, 65_535, false, 0.6);
    await compare(report, 1500, true);
    await compare(report, 65_535, true);
  },
};
