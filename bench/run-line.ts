import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, Report } from './frame/bench.ts';
import { iperf3, onLoopback, receivedRate, type Iperf3Report } from './frame/iperf3.ts';
import { median } from './frame/measure.ts';
import { isInstalled } from './frame/place.ts';

const NETLOOM = fileURLToPath(new URL('../netloom', import.meta.url));
/** Milliseconds after which a program counts as hung. */
const PATIENCE = 60_000;
/** Seconds of one run of iperf3, and those in the beginning that are left out: TCP's slow start. */
const SECONDS = 4;
const OMITTED = 1;
const ROUNDS = 3;

/**
 * Of a frame of 1,514 bytes, which is what a rate is counted in, so many are TCP's payload: without the 14 bytes of Ethernet's header, 20 of IP's, 20 of TCP's and
 * 12 of its timestamps (RFC 7323).
 */
const GOODPUT = 1448 / 1514;
/** Bytes of the datagrams that are counted, and a rate at which nothing else is in their way. */
const DATAGRAM = 500;
const DATAGRAMS_PER_SECOND = 5000;

const run = promisify(execFile);

/** What a program writes that is run with these options of `netloom run`. */
async function inside(options: readonly string[], ...words: readonly string[]): Promise<string> {
  const line = ['run', '--host-access', ...options, '--', ...words];
  const { stdout } = await run(NETLOOM, line, { timeout: PATIENCE, maxBuffer: 1 << 24 });
  return stdout;
}

/** What ping says with these words, after a first answer: by then everything is loaded, and addresses are known. */
function ping(options: readonly string[], words: string): Promise<string> {
  const first = 'ping -n -q -c 1 -i 0.1 -w 20 10.0.2.2 >&2';
  return inside(options, 'sh', '-c', `${first}; ping -n ${words} 10.0.2.2`);
}

/** Milliseconds of the way there and back, as ping has it: the median, since a busy machine makes single ones late. */
async function roundTrip(...options: readonly string[]): Promise<number> {
  const stdout = await ping(options, '-c 40 -i 0.05');
  return median([...stdout.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time)));
}

/** By how much longer that way is: some tenths of a millisecond it has without. */
async function delayOfPing(delay: number): Promise<number> {
  const without = await roundTrip();
  return (await roundTrip('--delay', `${delay}ms`)) - without;
}

/** One run of iperf3, from inside to its own server on this machine's loopback. */
async function measure(
  options: readonly string[],
  ...words: readonly string[]
): Promise<Iperf3Report> {
  const port = await freePort();
  const client = ['iperf3', '--json', '--client', '10.0.2.2', '--port', String(port), ...words];
  return iperf3(onLoopback, port, () => inside(options, ...client));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Megabits per second of whole frames, of which iperf3 counts the payload. */
async function rateOfTcp(rate: number, reverse: boolean): Promise<number> {
  const words = ['--time', String(SECONDS), '--omit', String(OMITTED)];
  if (reverse) words.push('--reverse');
  return receivedRate(await measure(['--rate', `${rate}mbit`], ...words)) / GOODPUT;
}

/** The share of datagrams that iperf3's server misses, of so many that chance accounts for 2 % of it. */
async function lossOfUdp(percent: number): Promise<number> {
  const count = Math.ceil((100 / percent) * 2500);
  const pace = ['--bandwidth', String(8 * DATAGRAM * DATAGRAMS_PER_SECOND)];
  const words = ['--udp', '--length', String(DATAGRAM), '--bytes', String(count * DATAGRAM)];
  const { end } = await measure(['--loss', `${percent}%`], ...words, ...pace);
  return end.sum.lost_percent;
}

/** Says both that it is not less than what was asked for by more than a twentieth, and that it is not more. */
function judge(report: Report, name: string, unit: string, measured: number, asked: number): void {
  const figures = { unit, netloom: measured, peers: { asked } };
  report.record({ ...figures, case: `${name}: not less`, target: { asked: 0.95 } });
  report.record({
    ...figures,
    case: `${name}: not more`,
    lessIsBetter: true,
    target: { asked: 0.952 },
  });
}

/** The median of some rounds. */
async function medianOf(rounds: number, measure: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < rounds; round++) figures.push(await measure());
  return median(figures);
}

/** What programs measure of a line that something is wrong with, against what was asked for. */
export const bench: Bench = {
  name: 'run-line',
  description:
    'delay, rate and loss of netloom run as ping and iperf3 measure them, against what was asked for',
  async run(report) {
    const missing = ['ping', 'iperf3'].filter((program) => !isInstalled(program));
    if (missing.length > 0) {
      report.note(`left out: ${missing.join(' and ')} must be installed`);
      return;
    }
    for (const delay of [20, 80]) {
      const measured = await medianOf(ROUNDS, () => delayOfPing(delay));
      judge(report, `--delay ${delay}ms, by ping`, 'ms', measured, delay);
    }
    for (const rate of [10, 100]) {
      for (const reverse of [false, true]) {
        const measured = await medianOf(ROUNDS, () => rateOfTcp(rate, reverse));
        const name = `--rate ${rate}mbit, iperf3 ${reverse ? 'receives' : 'sends'}`;
        judge(report, name, 'Mbit/s', measured, rate);
      }
    }
    for (const loss of [2, 10]) {
      judge(report, `--loss ${loss}%, by iperf3 --udp`, '%', await lossOfUdp(loss), loss);
    }
  },
};
