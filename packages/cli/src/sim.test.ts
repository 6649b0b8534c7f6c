import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { captureReader, type CapturedPacket } from 'netloom/wire';
import { runCli } from './cli.ts';
import type { CommandIo } from './command.ts';
import { scenarioNames } from './sim-scenarios.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;

/** Small enough for a test, and what each must show. */
const SMALL: Readonly<Record<string, readonly string[]>> = {
  'dhcp-storm': ['hosts=12'],
  'lossy-transfer': ['bytes=60000'],
  'partition-heal': ['pairs=2', 'bytes=60000'],
  'thousand-hosts': ['hosts=10', 'seconds=3'],
};

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No standard input.
}

/** Runs `netloom sim` in this process. */
async function sim(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  let output = '';
  let errors = '';
  const io: CommandIo = {
    write: async (data) => void (output += String(data)),
    writeError: (text) => void (errors += text),
    stdin: nothing(),
    terminalWidth: undefined,
    outputWidth: undefined,
    outputHeight: undefined,
    signal: new AbortController().signal,
    takeSignals: () => undefined,
  };
  const code = await runCli(['sim', ...args], io);
  return { code, output, errors };
}

function settingsOf(name: string): string[] {
  return (SMALL[name] ?? []).flatMap((setting) => ['--set', setting]);
}

interface JsonRun {
  readonly seed: number;
  readonly hash: string;
  readonly virtualTime: number;
  readonly events: number;
  readonly frames: number;
  readonly lost: number;
  readonly result: Record<string, unknown> | null;
  readonly error: { code: string; message: string } | null;
}

function parseLines(output: string): JsonRun[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonRun);
}

/** A run without what the wall clock says. */
function repeatable(output: string): string {
  return output.replace(/"wallTime":[^,]*,/, '').replace(/wall time.*\n/, '');
}

test('there is a small variant of every scenario here', () => {
  assert.deepEqual(Object.keys(SMALL), scenarioNames());
});

for (const name of Object.keys(SMALL)) {
  test(`${name} passes with some seeds, and each has a run of its own`, async () => {
    const args = [name, '--seeds', '5', '--seed', '100', '--json', ...settingsOf(name)];
    const { code, output, errors } = await sim(...args);
    assert.equal(errors, '');
    assert.equal(code, 0);
    const runs = parseLines(output);
    assert.deepEqual(
      runs.map(({ seed, error }) => [seed, error]),
      [100, 101, 102, 103, 104].map((seed) => [seed, null]),
    );
    assert.equal(new Set(runs.map(({ hash }) => hash)).size, runs.length);
  });

  test(`${name}: the same seed is the same run, twice here and once in another process`, async () => {
    const args = [name, '--seed', '7', '--json', ...settingsOf(name)];
    const here = await sim(...args);
    const again = await sim(...args);
    assert.equal(repeatable(again.output), repeatable(here.output));
    const options = ['--conditions=netloom-source', '--disable-warning=ExperimentalWarning'];
    const elsewhere = await promisify(execFile)(process.execPath, [
      ...options,
      MAIN,
      'sim',
      ...args,
    ]);
    assert.equal(repeatable(elsewhere.stdout), repeatable(here.output));
    assert.equal(elsewhere.stderr, '');
  });
}

test('a run is told with seed, times, events and hash', async () => {
  const { code, output } = await sim('lossy-transfer', '--set', 'bytes=60000', '--seed', '3');
  assert.equal(code, 0);
  for (const name of [
    'scenario',
    'seed',
    'virtual time',
    'wall time',
    'events',
    'frames',
    'hash',
  ]) {
    assert.match(output, new RegExp(`^${name} +\\S`, 'm'));
  }
  assert.match(output, /^hash +[0-9a-f]{16}$/m);
  assert.match(output, /^bytes +60,000$/m);
});

test('--trace tells what became of every frame; --pcap writes those that were carried', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-sim-'));
  try {
    const file = join(folder, 'run.pcapng');
    const args = ['lossy-transfer', '--set', 'bytes=60000', '--seed', '3'];
    const [run] = parseLines((await sim(...args, '--json')).output);
    const { output } = await sim(...args, '--trace', '--pcap', file);
    const lines = output.split('\n').filter((line) => /^ +\d+\.\d{6} {2}line {2}/.test(line));
    // What befalls a frame on its way has a line of its own, beside that of its end.
    const ends = lines.filter((line) => !/ {2}(REORDERED|DUPLICATED|CORRUPTED) /.test(line));
    assert.equal(ends.length, run!.frames);
    assert.equal(lines.filter((line) => line.includes('  LOST (loss) ')).length, run!.lost);
    assert.match(output, /client > server {2}.* TCP SYN /);
    const packets: CapturedPacket[] = [];
    const reader = captureReader({ packet: (packet) => packets.push(packet) });
    assert.equal(reader.push(readFileSync(file)), undefined);
    assert.equal(reader.end(), undefined);
    assert.equal(packets.length, run!.frames - run!.lost);
    assert.equal(packets[0]!.interface.name, 'line');
    const first = BigInt(Date.UTC(2020, 0, 1)) * 1_000_000n;
    assert.ok(packets[0]!.time! >= first && packets[0]!.time! < first + 1_000_000_000n);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Four datagrams, none of which may be lost: whoever wrote this forgot that a network loses. */
const PLANTED = `
export const scenario = {
  name: 'planted',
  description: 'counts on the network',
  parameters: { loss: 0.02 },
  async run(world, { loss }) {
    const lan = world.network('lan', { subnets: ['10.1.0.0/24'], delay: 1, loss });
    const [a, b] = [world.machine('a', { on: lan }), world.machine('b', { on: lan })];
    let received = 0;
    const socket = await b.bind({ port: 9 });
    socket.start({ receive: (batch) => void (received += batch.length) });
    const from = await a.bind();
    for (let i = 0; i < 4; i++) {
      from.send([{ data: Uint8Array.of(i), remote: { address: b.address, port: 9 } }]);
      await world.sleep(5000);
    }
    if (received !== 4) throw new Error('received ' + received + ' of 4');
    return { received };
  },
};
`;

describe('a planted bug', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'netloom-sim-'));
    file = join(folder, 'planted.mjs');
    writeFileSync(file, PLANTED);
  });
  after(() => rmSync(folder, { recursive: true }));

  test('is found by a sweep, and the command it prints repeats it with its story', async () => {
    const sweep = await sim(file, '--seeds', '100', '--set', 'loss=0.03');
    assert.equal(sweep.code, 1);
    assert.match(sweep.errors, /^netloom: planted failed with \d+ of 100 seeds.*\(SIM_FAILED\)\n$/);
    assert.match(sweep.output, /100 seeds: \d+ passed, \d+ failed; virtual time/);
    const failures = [...sweep.output.matchAll(/^seed (\d+): (.+)\n {2}netloom (.+)$/gm)];
    assert.ok(failures.length > 0 && failures.length < 50, `${failures.length} failed`);
    const [, seed, reason, command] = failures[0]!;
    assert.match(reason!, /received 3 of 4 \(SIM_SCENARIO_FAILED\)$/);
    assert.equal(command, `sim ${file} --seed ${seed} --set loss=0.03 --trace`);
    const repeated = await sim(...command!.split(' ').slice(1));
    assert.equal(repeated.code, 1);
    assert.match(repeated.output, /a > b {2}LOST \(loss\) 10\.1\.0\.1:\d+ > 10\.1\.0\.2:9 UDP/);
    assert.match(repeated.output, /^failed +.*received 3 of 4/m);
    assert.match(repeated.errors, /The trace above/);
  });

  test('a single run that fails exits with 1 and prints how to see its story', async () => {
    const { code, output, errors } = await sim(file, '--set', 'loss=1', '--seed', '5');
    assert.equal(code, 1);
    assert.match(output, /^failed +.*received 0 of 4 \(SIM_SCENARIO_FAILED\)$/m);
    assert.ok(errors.includes(`sim ${file} --seed 5 --set loss=1 --trace`), errors);
  });
});

test('what is not understood is said, and exits with 2', async () => {
  // [arguments, what is said, exit code]
  const table: [string[], RegExp, number][] = [
    [[], /sim wants one scenario: dhcp-storm,/, 2],
    [['a', 'b'], /sim wants one scenario/, 2],
    [['lossy-transfer', '--seed', 'x'], /--seed wants a whole number/, 2],
    [['lossy-transfer', '--seeds', '0'], /--seeds wants a whole number from 1/, 2],
    [['lossy-transfer', '--set', 'bytes'], /--set wants NAME=NUMBER, not 'bytes'/, 2],
    [['lossy-transfer', '--set', 'bytes=many'], /--set wants NAME=NUMBER/, 2],
    [['lossy-transfer', '--seeds', '2', '--trace'], /show one run/, 2],
    [['lossy-transfer', '--set', 'size=1'], /has no parameter 'size'. It has bytes, loss,/, 1],
    [['lossy-transfr'], /did you mean 'lossy-transfer'\?/, 1],
    [['./nowhere.ts'], /there is no file/, 1],
    [[MAIN.replace('main.ts', 'table.ts')], /exports no scenario/, 1],
    [['lossy-transfer', '--pcap', '/nowhere/x.pcapng'], /cannot write the capture/, 1],
  ];
  for (const [args, said, expected] of table) {
    const { code, errors } = await sim(...args);
    assert.match(errors, said);
    assert.equal(code, expected, args.join(' '));
  }
});

test('--list and help name the scenarios', async () => {
  const { output } = await sim('--list');
  for (const name of scenarioNames()) assert.match(output, new RegExp(`^${name} +\\S`, 'm'));
  assert.match((await sim('--help')).output, /Scenarios: dhcp-storm, lossy-transfer/);
});
