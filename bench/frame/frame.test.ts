import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Bench, Report, Result } from './bench.ts';
import { marginalThroughput, median, rate, slope } from './measure.ts';
import { createReport, formatResult, judge } from './report.ts';
import { updateResults } from './results.ts';

/** What a bench reports, and what it says beside. */
async function reported(
  run: Bench['run'],
  rounds = 3,
): Promise<{ results: Result[]; notes: string[] }> {
  const results: Result[] = [];
  const notes: string[] = [];
  const bench: Bench = { name: 'sample', description: '', run };
  const report = createReport(bench, rounds, {
    result: (result) => void results.push(result),
    note: (text) => void notes.push(text),
  });
  await bench.run(report);
  return { results, notes };
}

test('rounds go by turns, the order turned each time, after one of each to warm up', async () => {
  const order: string[] = [];
  const contender = (name: string) => () => order.push(name);
  await reported(async (report: Report) => {
    await report.compare({
      case: 'turns',
      unit: 'x',
      netloom: contender('n'),
      peers: { a: contender('a'), b: contender('b') },
    });
  });
  assert.equal(order.join(''), 'nabnabbannab');
});

test('a peer that fails is left out, and said to be; we may not fail', async () => {
  let left = 2;
  const { results, notes } = await reported(async (report) => {
    await report.compare({
      case: 'much',
      unit: 'x',
      netloom: () => 1,
      peers: {
        steady: () => 2,
        frail() {
          if (left-- === 0) throw new Error('too much');
          return 3;
        },
      },
    });
  });
  assert.deepEqual(results[0]!.peers, { steady: 2, frail: null });
  assert.deepEqual(notes, ["frail is left out of 'much', at which it fails: too much"]);
  const failing = { case: 'much', unit: 'x', netloom: () => Promise.reject(new Error('ours')) };
  await assert.rejects(
    reported((report) => report.compare({ ...failing, peers: {} }).then(() => undefined)),
    /ours/,
  );
});

test('medians are compared; the warm-up does not count; an absent peer is null and not judged', async () => {
  const ours = [1000, 30, 10, 20];
  const peer = [1000, 5, 20, 10];
  const { results, notes } = await reported(async (report) => {
    report.note('absent is not installed');
    await report.compare({
      case: 'medians',
      unit: 'MB/s',
      netloom: () => ours.shift()!,
      peers: { peer: async () => peer.shift()!, absent: null },
      target: { peer: 1.5, absent: 9 },
    });
  });
  assert.deepEqual(results, [
    {
      bench: 'sample',
      case: 'medians',
      unit: 'MB/s',
      netloom: 20,
      peers: { peer: 10, absent: null },
      ratio: { peer: 2, absent: null },
      target: { peer: 1.5, absent: 9 },
      met: true,
    },
  ]);
  assert.deepEqual(notes, ['absent is not installed']);
});

test('a ratio is turned where less is better, and a target that is missed is said', () => {
  const figures = { case: 'memory', unit: 'MB', netloom: 80, peers: { limit: 60 } };
  const result = judge('connections', { ...figures, target: { limit: 1 }, lessIsBetter: true });
  assert.equal(result.ratio['limit'], 0.75);
  assert.equal(result.met, false);
  assert.equal(
    formatResult(result),
    'connections  memory:  80 MB   limit 60 (0.75x of 1 wanted)   NOT MET',
  );
  assert.equal(judge('connections', figures).met, true, 'nothing wanted, nothing missed');
});

test('the middle, the straight line, and what a byte costs', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 6]), 5.5);
  assert.equal(
    slope([
      [0, 7],
      [1, 10],
      [3, 16],
    ]),
    3,
  );
  // 100 ns a call and 0.5 ns a byte: 2 GB/s, whatever the call costs.
  const points = [64, 1500, 9000].map((bytes) => [bytes, 1e9 / (100 + bytes / 2)] as const);
  assert.ok(Math.abs(marginalThroughput(points) - 2) < 1e-9);
});

test('a rate is that of a round long enough: the count grows until it is', () => {
  const counts: number[] = [];
  let now = 0;
  const perSecond = rate(
    (count) => {
      counts.push(count);
      // A first call that is cold, and then a quarter of a millisecond each.
      now += counts.length === 1 ? 2 : count / 4;
    },
    () => now,
  );
  assert.equal(perSecond, 4000);
  assert.ok(counts.at(-1)! / 4 >= 50);
  assert.deepEqual(counts.slice(0, 3), [1, 8, 64]);
});

/** A result of one case. */
function measured(bench: string, netloom: number, peers: Record<string, number | null>): Result {
  return judge(bench, { case: 'one', unit: 'MB/s', netloom, peers, target: { peer: 2 } });
}

test('RESULTS.md: what was run is replaced, the rest stays, in order of name', () => {
  const first = updateResults(
    '',
    [measured('zeta', 1, {}), measured('alpha', 2, { peer: 1 })],
    'A',
    '2026-01-01',
  );
  const second = updateResults(first, [measured('alpha', 3000, { peer: null })], 'B', '2026-01-02');
  const sections = second.split(/^## /m).slice(1);
  assert.deepEqual(sections, [
    'alpha\n\n2026-01-02, B\n\n| case | netloom | peer | ratio | to reach |\n|---|---|---|---|---|\n' +
      '| one | 3,000 MB/s | peer: not measured |  | 2 |\n\n',
    'zeta\n\n2026-01-01, A\n\n| case | netloom | peer | ratio | to reach |\n|---|---|---|---|---|\n' +
      '| one | 1 MB/s | | | |\n',
  ]);
  assert.ok(second.startsWith('# Results\n'));
  assert.equal(updateResults(second, [], 'C', '2026-01-03'), second);
});

function bench(...args: readonly string[]) {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  return spawnSync(process.execPath, [...process.execArgv, main, ...args], { encoding: 'utf8' });
}

test('--list names every bench by its file', () => {
  const { stdout, status } = bench('--list');
  assert.equal(status, 0);
  const names = stdout.trimEnd().split('\n');
  for (const line of names) assert.match(line, /^[a-z0-9-]+: \S/);
  assert.ok(names.some((line) => line.startsWith('checksum: ')));
});

test('--json prints one object a line and nothing else on standard output', () => {
  const { stdout, status } = bench('checksum', '--json', '--rounds', '1');
  assert.equal(status, 0);
  const results = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  assert.equal(results.at(-1)?.case, 'slope');
  for (const result of results) {
    assert.deepEqual(Object.keys(result), [
      'bench',
      'case',
      'unit',
      'netloom',
      'peers',
      'ratio',
      'target',
      'met',
    ]);
    assert.equal(result.bench, 'checksum');
  }
});

test('a command line that is not understood ends with code 2 and the usage', () => {
  for (const args of [['nothing-of-this-name'], ['--rounds', '0'], ['--what']]) {
    const { stderr, status } = bench(...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^bench: .+\n\nnpm run bench/);
  }
});
