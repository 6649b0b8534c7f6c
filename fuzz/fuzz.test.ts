import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ENTRIES } from './entries/index.ts';
import type { FuzzEntry } from './entry.ts';
import { formatFailure, makeCase, runCases } from './run.ts';

/** Enough to find a parser that breaks easily; `npm run fuzz` runs many more. */
const CASES = 300;

for (const entry of ENTRIES) {
  test(`fuzz ${entry.name}: ${CASES} cases`, () => {
    const failure = runCases(entry, 1, 0, CASES);
    assert.equal(failure && formatFailure(failure), undefined);
  });
}

test('entries have names that a command line can say, each its own', () => {
  const names = ENTRIES.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
});

/** The first inputs of an entry. */
function inputs(entry: FuzzEntry, seed: number): Uint8Array[] {
  return Array.from({ length: 20 }, (_, index) => makeCase(entry, seed, index).input);
}

test('a case is a function of entry, seed and number', () => {
  const [one, other] = ENTRIES as readonly [FuzzEntry, FuzzEntry, ...FuzzEntry[]];
  assert.deepEqual(inputs(one, 7), inputs(one, 7));
  assert.notDeepEqual(inputs(one, 7), inputs(one, 8));
  assert.notDeepEqual(inputs(one, 7), inputs({ ...other, seeds: one.seeds }, 7));
});

test('inputs keep to the length an entry allows, and every second is repaired', () => {
  let repaired = 0;
  const entry: FuzzEntry = {
    name: 'short',
    seeds: [new Uint8Array(100)],
    maximumLength: 9,
    repair: () => void repaired++,
    run: (input) => assert.ok(input.length <= 9),
  };
  assert.equal(runCases(entry, 1, 0, 1000), undefined);
  assert.ok(repaired > 400 && repaired < 600, `${repaired} of 1000`);
});

test('the first case that throws is reported with its input, as it was before the case', () => {
  const entry: FuzzEntry = {
    name: 'brittle',
    seeds: [Uint8Array.of(1, 2, 3)],
    run: (input) => {
      const [first] = input;
      input.fill(0);
      if (first !== 1) throw new Error(`it begins with ${first}`);
    },
  };
  const failure = runCases(entry, 1, 0, 1000);
  assert.ok(failure !== undefined);
  assert.notEqual(failure.input[0], 1);
  const text = formatFailure(failure);
  assert.match(text, /it begins with/);
  assert.match(text, new RegExp(`npm run fuzz -- brittle --seed 1 --case ${failure.index}$`));
  // The number alone leads to it again.
  assert.deepEqual(runCases(entry, 1, failure.index, failure.index + 1)?.input, failure.input);
});

function fuzz(...args: readonly string[]) {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  return spawnSync(process.execPath, [...process.execArgv, main, ...args], { encoding: 'utf8' });
}

test('the command runs what is named and says what it ran', () => {
  const done = fuzz('arp', 'udp', '--cases', '51', '--seed', '9');
  assert.equal(done.stderr, '');
  assert.equal(done.stdout, 'arp: 26 cases\nudp: 25 cases\nseed 9: 51 cases, no failure\n');
  assert.equal(done.status, 0);
});

test('a command line that is not understood ends with code 2 and the usage', () => {
  for (const args of [['nothing-of-this-name'], ['--cases', 'many'], ['--case', '1'], ['--what']]) {
    const done = fuzz(...args);
    assert.equal(done.status, 2, args.join(' '));
    assert.match(done.stderr, /^fuzz: .+\n\nnpm run fuzz/);
  }
});
