/** Measures us and peers in one run: `npm run bench -- [NAME...] [--json] [--list] [--update] [--rounds N]`. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Bench, Result } from './frame/bench.ts';
import { createReport, formatResult } from './frame/report.ts';
import { describeMachine, updateResults } from './frame/results.ts';

const USAGE = `npm run bench -- [NAME...] [--json] [--list] [--update] [--rounds N]

  NAME        a bench; all of them if none is named
  --json      one JSON object a line on standard output, and nothing else
  --list      names the benches
  --update    writes what was measured to bench/RESULTS.md
  --rounds N  how often each case is measured, for the median (7)`;

const folder = fileURLToPath(new URL('.', import.meta.url));

/** The benches there are: every file of this folder but this one and tests. */
function benchNames(): string[] {
  return globSync('*.ts', { cwd: folder })
    .filter((file) => file !== 'main.ts' && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

async function load(name: string): Promise<Bench> {
  const { bench } = (await import(`./${name}.ts`)) as { bench: Bench };
  return bench;
}

/** What the command line says. Throws where it is not understood. */
function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '7' },
    },
  });
  const all = benchNames();
  const unknown = positionals.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no bench '${unknown.join("', '")}'; --list names them`);
  }
  if (!/^[1-9][0-9]{0,3}$/.test(values.rounds)) {
    throw new Error(`--rounds takes a number from 1 on, not '${values.rounds}'`);
  }
  const names = positionals.length > 0 ? positionals : all;
  return { ...values, names, rounds: Number(values.rounds) };
}

/** Runs a bench, printing each result as it comes. One that throws is told of, and does not keep the others from running. */
async function runBench(name: string, rounds: number, json: boolean): Promise<Result[]> {
  const results: Result[] = [];
  const note = json ? console.error : console.log;
  try {
    const bench = await load(name);
    const report = createReport(bench, rounds, {
      note: (text) => note(`${name}: ${text}`),
      result: (result) => {
        results.push(result);
        console.log(json ? JSON.stringify(result) : formatResult(result));
      },
    });
    await bench.run(report);
  } catch (error) {
    console.error(`bench ${name} failed:`, error);
    process.exitCode = 1;
  }
  return results;
}

async function main(): Promise<void> {
  const { names, json, list, update, rounds } = readOptions();
  if (list) {
    for (const name of names) console.log(`${name}: ${(await load(name)).description}`);
    return;
  }
  const results: Result[] = [];
  for (const name of names) results.push(...(await runBench(name, rounds, json)));
  if (update) writeResults(results);
}

function writeResults(results: readonly Result[]): void {
  const file = `${folder}RESULTS.md`;
  const before =
    globSync('RESULTS.md', { cwd: folder }).length > 0 ? readFileSync(file, 'utf8') : '';
  const [date] = new Date().toISOString().split('T', 1);
  writeFileSync(file, updateResults(before, results, describeMachine(), date!));
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
