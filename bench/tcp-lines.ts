import { existsSync } from 'node:fs';
import { Cubic, NewReno, type CongestionFactory } from 'netloom/ip';
import type { Bench, Report } from './frame/bench.ts';
import { transferOnKernelLine, type KernelOutcome } from './frame/kernel-line.ts';
import { median } from './frame/measure.ts';
import { transferOnLine, type Line, type LineOutcome } from './frame/simulated-line.ts';

/** Milliseconds of one transfer: slow start and what follows it. */
const DURATION = 5000;
/** Chance decides on a bad line: ours is free, for it takes virtual time; the kernel's takes as long as it lasts. */
const SEEDS = 9;
const KERNEL_SEEDS = 3;
/** Of what the kernel's sender gets with the same congestion control. */
const TARGET = 0.8;

const MEGABIT = 1e6;

/** Long, narrow, lossy and disorderly lines; rates in bits per second. */
const LINES: readonly Line[] = [
  line('100 Mbit/s, 100 ms, queue 1 MB', 100, { rate: 100 * MEGABIT, queueBytes: 1e6 }),
  line('100 Mbit/s, 100 ms, queue 250 kB', 100, { rate: 100 * MEGABIT, queueBytes: 250_000 }),
  line('20 Mbit/s, 50 ms, queue 125 kB', 50, { rate: 20 * MEGABIT, queueBytes: 125_000 }),
  line('10 Mbit/s, 40 ms, queue 30 kB', 40, { rate: 10 * MEGABIT, queueBytes: 30_000 }),
  line('100 Mbit/s, 20 ms, loss 1 %', 20, { rate: 100 * MEGABIT, loss: 0.01 }),
  line('100 Mbit/s, 20 ms, loss 5 %', 20, { rate: 100 * MEGABIT, loss: 0.05 }),
  line('50 Mbit/s, 20 ms, 2 % 5 ms late', 20, {
    rate: 50 * MEGABIT,
    reorder: 0.02,
    reorderDelay: 5,
  }),
];

/** The congestion controls that the kernel has too, by its names. */
const CONTROLS: Readonly<Record<string, CongestionFactory>> = {
  cubic: (options) => new Cubic(options),
  reno: (options) => new NewReno(options),
};

function line(name: string, roundTrip: number, impairment: Line['impairment']): Line {
  return { name, roundTrip, impairment };
}

function ours(on: Line, congestion: CongestionFactory): LineOutcome[] {
  return Array.from({ length: SEEDS }, (_, i) =>
    transferOnLine(on, { duration: DURATION, seed: i + 1, congestion }),
  );
}

async function kernels(on: Line, control: string): Promise<KernelOutcome[]> {
  const outcomes: KernelOutcome[] = [];
  for (let seed = 1; seed <= KERNEL_SEEDS; seed++) {
    outcomes.push(await transferOnKernelLine(on, control, DURATION, seed));
  }
  return outcomes;
}

function medianOf<T>(outcomes: readonly T[], figure: (outcome: T) => number): number {
  return median(outcomes.map(figure));
}

async function compare(report: Report, on: Line, control: string, peer: boolean): Promise<void> {
  const own = ours(on, CONTROLS[control]!);
  const others = peer ? await kernels(on, control) : undefined;
  report.record({
    case: `${on.name}, ${control}`,
    unit: 'Mbit/s',
    netloom: medianOf(own, ({ goodput }) => goodput),
    peers: { kernel: others ? medianOf(others, ({ goodput }) => goodput) : null },
    target: { kernel: TARGET },
  });
  const figures = [
    `retransmissions ${medianOf(own, ({ retransmissions }) => retransmissions)}`,
    `needless ${medianOf(own, ({ spurious }) => spurious)}`,
    `timeouts ${medianOf(own, ({ timeouts }) => timeouts)}`,
    `peak queue ${Math.round(medianOf(own, ({ peakQueue }) => peakQueue) / 1000)} kB`,
  ];
  const sentAgain = others && medianOf(others, ({ retransmissions }) => retransmissions);
  if (sentAgain !== undefined) figures.push(`the kernel's retransmissions ${sentAgain}`);
  report.note(`${on.name}, ${control}: ${figures.join(', ')}`);
}

/**
 * What a sender gets out of lines that are long, narrow or bad. Both ends are ours, in virtual time; or both are the kernel's, in real time
 * over the same impairment: so the figures of both depend on the line and the sender alone, and not on the machine.
 */
export const bench: Bench = {
  name: 'tcp-lines',
  description: 'TCP on long, narrow and lossy lines, against the kernel with the same control',
  async run(report) {
    const canRun = process.getuid?.() === 0 && existsSync('/dev/net/tun');
    const peer = canRun && existsSync('/usr/bin/iperf3');
    if (!peer) report.note('the kernel takes part with root, /dev/net/tun and iperf3 only.');
    for (const on of LINES) {
      for (const control of Object.keys(CONTROLS)) await compare(report, on, control, peer);
    }
  },
};
