import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench } from './frame/bench.ts';

const NETLOOM = fileURLToPath(new URL('../netloom', import.meta.url));

/** Milliseconds after which it counts as idle. */
const IDLE = 3000;

/** A network of so many web machines. */
function networkOf(machines: number): string {
  const names = Array.from({ length: machines }, (_, index) => `m${index}`);
  return [
    'networks:',
    '  lan:',
    '    subnets: [10.0.0.0/24, fd00:a::/64]',
    '    uplink: true',
    ...(machines > 0 ? ['    machines:', ...names.map((name) => `      ${name}: web`)] : []),
    ...(machines > 0 ? ['    publish:', '      - 0:m0:80'] : []),
    '',
  ].join('\n');
}

/** Megabytes that `netloom up` has resident, once the first machine's page has been asked for and nothing was done for a while. */
async function resident(machines: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'));
  const file = join(folder, 'network.yaml');
  writeFileSync(file, networkOf(machines));
  const node = spawn(NETLOOM, ['up', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NETLOOM_STATE: folder },
  });
  const ended = once(node, 'exit');
  try {
    let said = '';
    for await (const line of createInterface(node.stdout)) {
      said += `${line}\n`;
      if (line.includes('Ctrl-C ends it')) break;
    }
    const [, published] = /tcp (\S+) leads to/.exec(said) ?? [];
    if (published !== undefined) await (await fetch(`http://${published}/`)).text();
    await setTimeout(IDLE);
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(
      readFileSync(`/proc/${node.pid}/status`, 'utf8'),
    )!;
    return (Number(kibibytes) * 1024) / 1e6;
  } finally {
    node.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true });
  }
}

/** What a node takes that does nothing. */
export const bench: Bench = {
  name: 'node-memory',
  description: 'what an idle node with 50 machines has resident, each machine with a web server',
  async run(report) {
    await report.compare({
      case: 'netloom up, a network with 50 machines',
      unit: 'MB',
      lessIsBetter: true,
      netloom: () => resident(50),
      peers: { 'what it may be': () => 120, 'without the machines': () => resident(0) },
      target: { 'what it may be': 1 },
    });
  },
};
