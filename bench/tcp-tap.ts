import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { SystemClock, stackHost } from 'netloom/host';
import { openTap } from 'netloom/link/tap';
import type { Bench, Report } from './frame/bench.ts';
import { iperf3Server } from './frame/iperf3-server.ts';

/** Seconds of one run of iperf3. */
const SECONDS = 2;

/** Where iperf3's own server listens for slirp4netns: on loopback, which slirp4netns shows its namespace as 10.0.2.2. */
const PEER_PORT = 5_217;

const run = promisify(execFile);

/** Bits per second that the receiver counted, of one run of iperf3 in a namespace. */
async function iperf3(
  namespace: string,
  address: string,
  port: number,
  reverse: boolean,
): Promise<number> {
  const { stdout } = await run(
    'ip',
    [
      'netns',
      'exec',
      namespace,
      'iperf3',
      '--json',
      '--client',
      address,
      '--port',
      String(port),
      '--time',
      String(SECONDS),
      ...(reverse ? ['--reverse'] : []),
    ],
    { timeout: 30_000, maxBuffer: 1 << 24 },
  );
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second;
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
    return (await iperf3(namespace, '10.9.0.2', 5201, reverse)) / 1e6;
  });
}

/** The same through slirp4netns, which carries the namespace's connections to iperf3's own server. */
function slirp(mtu: number, reverse: boolean): Promise<number> {
  return inNamespace(`netloom-slirp-${process.pid}`, async (namespace) => {
    const server = spawn(
      'iperf3',
      ['--server', '--one-off', '--bind', '127.0.0.1', '--port', String(PEER_PORT)],
      {
        stdio: 'ignore',
      },
    );
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
      await listening(PEER_PORT);
      return (await iperf3(namespace, '10.0.2.2', PEER_PORT, reverse)) / 1e6;
    } finally {
      await Promise.all([ended(carrier), ended(server)]);
    }
  });
}

/** Waits until something listens on loopback: by the kernel's table, since a connection would be taken for the test's. */
async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { stdout } = await run('ss', [
      '--listening',
      '--tcp',
      '--numeric',
      '--no-header',
      `sport = :${port}`,
    ]);
    if (stdout !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens at port ${port}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

function isInstalled(program: string): boolean {
  return ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) =>
    existsSync(`${folder}/${program}`),
  );
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
