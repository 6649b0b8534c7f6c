import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './frame/bench.ts';
import { isInstalled } from './frame/place.ts';

const NETLOOM = fileURLToPath(new URL('../netloom', import.meta.url));

/**
 * A program in namespaces of its own, with slirp4netns as its network: as that one's manual has it, and the program waits for the network to be ready. Its argument is an
 * empty folder.
 */
const SLIRP = `
cd "$1" || exit
mkfifo ready || exit
unshare --net --mount --pid --fork --kill-child sh -c 'read _ <ready; exec true' &
launcher=$!
while kill -0 $launcher && program=$(cat /proc/$launcher/task/$launcher/children) && [ -z "$program" ]; do :; done
slirp4netns --configure --mtu=65520 --ready-fd=3 $program tap0 3>ready >/dev/null 2>&1 &
network=$!
wait $launcher
kill $network
`;

/** Milliseconds after which it counts as hung. */
const PATIENCE = 30_000;

/** Milliseconds that it takes, from start to end. */
function timed(command: string, ...args: string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: PATIENCE });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

function slirp(): number {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'));
  try {
    return timed('sh', '-c', SLIRP, 'sh', folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How long a program waits for its network, and what the pieces cost. */
export const bench: Bench = {
  name: 'run-start',
  description: 'netloom run -- true, against unshare with slirp4netns',
  async run(report) {
    if (process.getuid?.() !== 0) {
      report.note('left out: it needs root, as slirp4netns would have to enter a user namespace');
      return;
    }
    await report.compare({
      case: 'a program that does nothing',
      unit: 'ms',
      lessIsBetter: true,
      netloom: () => timed(NETLOOM, 'run', '--', 'true'),
      peers: {
        'unshare + slirp4netns': isInstalled('slirp4netns') ? slirp : null,
        'netloom help': () => timed(NETLOOM, 'help'),
      },
      target: { 'unshare + slirp4netns': 0.5 },
    });
  },
};
