import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { SystemClock, stackHost } from 'netloom/host';
import { openTap } from 'netloom/link/tap';
import type { Bench, Report } from './frame/bench.ts';
import { iperf3, onLoopback, readReport, receivedRate } from './frame/iperf3.ts';
import { iperf3Server } from './frame/iperf3-server.ts';
import { ended, isInstalled } from './frame/place.ts';

/** Seconds of one run of iperf3. */
const SECONDS = 2;

/** Where iperf3's own server listens for slirp4netns: on loopback, which slirp4netns shows its namespace as 10.0.2.2. */
const PEER_PORT = 5_217;

const run = promisify(execFile);

/** What iperf3's client prints, run in a namespace. */
async function client(
  namespace: string,
  address: string,
  port: number,
  reverse: boolean,
): Promise<string> {
  const command = `iperf3 --json --client ${address} --port ${port} --time ${SECONDS}${reverse ? ' --reverse' : ''}`;
  const words = `netns exec ${namespace} ${command}`.split(' ');
  const { stdout } = await run('ip', words, { timeout: 30_000, maxBuffer: 1 << 24 });
  return stdout;
}

/** A network namespace of the bench's own, gone afterwards. */
async function inNamespace<T>(name: string, work: (name: string) => Promise<T>): Promise<T> {
  execFileSync('ip', ['netns', 'add', name]);
  try {
    return await work(name);
  } finally {
    execFileSync('ip', ['netns', 'delete', name]);
  }
}

/** The kernel's TCP at one end of a TAP, ours at the other. */
function ours(mtu: number, offload: boolean, reverse: boolean): Promise<number> {
  return inNamespace(`netloom-bench-${process.pid}`, async (namespace) => {
    const link = openTap({ name: 'tap0', namespace, mtu, offload });
    await using host = stackHost({ clock: new SystemClock() });
    host.addInterface(link, { addresses: ['10.9.0.2/24'] });
    execFileSync('ip', ['-n', namespace, 'address', 'add', '10.9.0.1/24', 'dev', 'tap0']);
    await iperf3Server(host, 5201);
    return receivedRate(readReport(await client(namespace, '10.9.0.2', 5201, reverse)));
  });
}

/** The same through slirp4netns, which carries the namespace's connections to iperf3's own server. */
function slirp(mtu: number, reverse: boolean): Promise<number> {
  return inNamespace(`netloom-slirp-${process.pid}`, async (namespace) => {
    const carrier = spawn(
      'slirp4netns',
      [
        '--configure',
        `--mtu=${mtu}`,
        '--netns-type=path',
        '--ready-fd=3',
        `/run/netns/${namespace}`,
        'tap0',
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
    );
    try {
      await once(carrier.stdio[3]!, 'data');
      const measure = (): Promise<string> => client(namespace, '10.0.2.2', PEER_PORT, reverse);
      return receivedRate(await iperf3(onLoopback, PEER_PORT, measure));
    } finally {
      await ended(carrier);
    }
  });
}

async function compare(report: Report, mtu: number, target: number, peer: boolean): Promise<void> {
  for (const reverse of [false, true]) {
    const direction = reverse ? 'to the kernel' : 'from the kernel';
    await report.compare({
      case: `MTU ${mtu}, ${direction}`,
      unit: 'Mbit/s',
      netloom: () => ours(mtu, true, reverse),
      peers: { slirp4netns: peer ? () => slirp(mtu, reverse) : null },
      target: { slirp4netns: target },
    });
    await report.compare({
      case: `MTU ${mtu}, ${direction}, no offload`,
      unit: 'Mbit/s',
      netloom: () => ours(mtu, false, reverse),
      peers: {},
    });
  }
}

/** The kernel's iperf3 against our stack over a TAP. */
export const bench: Bench = {
  name: 'tcp-tap',
  description:
    'iperf3 in a namespace to and from our stack over a TAP, against slirp4netns the same way',
  async run(report) {
    if (process.getuid?.() !== 0 || !isInstalled('iperf3')) {
      report.note('tcp-tap needs root, /dev/net/tun and iperf3; it was not run.');
      return;
    }
    const peer = isInstalled('slirp4netns');
    await compare(report, 1500, 3, peer);
    await compare(report, 65_520, 2, peer);
  },
};
