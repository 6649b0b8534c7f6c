import { execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { seededRandom } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import { ImpairedLink, forwardFrame, type Link } from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { iperf3, type ServerStart } from './iperf3.ts';
import { directionsOf, type Line } from './simulated-line.ts';

const run = promisify(execFile);
const PORT = 5201;
/** Numbers the namespaces. */
let made = 0;

/** What became of a transfer between two kernels, as iperf3 tells it. */
export interface KernelOutcome {
  /** Megabits of payload that arrived in a second. */
  readonly goodput: number;
  readonly retransmissions: number;
}

/**
 * The same as `transferOnLine`, in real time, with the kernel's TCP at both ends: two namespaces with a TAP each, and the impaired line between
 * them. `control` is a name of the kernel's, as `cubic`.
 */
export async function transferOnKernelLine(
  line: Line,
  control: string,
  duration: number,
  seed: number,
): Promise<KernelOutcome> {
  const names = [0, 1].map(() => `netloom-line-${process.pid}-${++made}`);
  const links: Link[] = [];
  try {
    for (const [i, name] of names.entries()) {
      execFileSync('ip', ['netns', 'add', name]);
      links.push(openTap({ name: 'tap0', namespace: name, mtu: 1500, offload: true }));
      execFileSync('ip', ['-n', name, 'address', 'add', `10.9.1.${i + 1}/24`, 'dev', 'tap0']);
    }
    const clock = new SystemClock();
    const { outbound: data, inbound: answers } = directionsOf(line);
    // Seen from the TAP whose kernel sends, data comes in.
    const impaired = new ImpairedLink(links[0]!, {
      clock,
      random: seededRandom(seed),
      inbound: data,
      outbound: answers,
    });
    join(impaired, links[1]!);
    return await transfer(names[0]!, names[1]!, control, duration);
  } finally {
    for (const link of links) await link.close();
    for (const name of names) execFileSync('ip', ['netns', 'delete', name]);
  }
}

/** What comes out of one link goes into the other. */
function join(a: Link, b: Link): void {
  a.attach({ receive: (frame, offload) => void forwardFrame(b, frame, offload), batchEnd() {} });
  b.attach({ receive: (frame, offload) => void forwardFrame(a, frame, offload), batchEnd() {} });
}

async function transfer(
  from: string,
  to: string,
  control: string,
  duration: number,
): Promise<KernelOutcome> {
  const start: ServerStart = (...words) =>
    spawn('ip', ['netns', 'exec', to, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  const client = `netns exec ${from} iperf3 --json --client 10.9.1.2 --port ${PORT} --congestion ${control}`;
  const words = [...client.split(' '), '--time', String(Math.round(duration / 1000))];
  const limits = { timeout: duration + 20_000, maxBuffer: 1 << 24 };
  const { end } = await iperf3(start, PORT, async () => (await run('ip', words, limits)).stdout);
  return {
    goodput: (end.sum_received.bytes * 8) / duration / 1000,
    retransmissions: end.sum_sent.retransmits,
  };
}
