/**
 * Feeds parsers and protocols with random and mutated input: `npm run fuzz -- [NAME...] [--cases N] [--seed N]`. Without a
 * name all entries share the cases. A failure prints its input and the command that shows it again; the exit code is then 1.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { ENTRIES } from './entries/index.ts';
import { formatFailure, makeCase, type Failure } from './run.ts';
import type { Part, PartDone, Work } from './worker.ts';

/** A case that has not returned after this is taken for one that never will: a thousand times what the slowest needs. */
const STUCK_AFTER = 30_000;

const USAGE = `npm run fuzz -- [NAME...] [--cases N] [--seed N] [--case N] [--list]

  NAME         an entry; all of them if none is named
  --cases N    how many cases in all (100000)
  --seed N     what they are made from (1)
  --case N     only this case of one entry, to see a failure again
  --list       names the entries`;

interface Options {
  readonly names: readonly string[];
  readonly cases: number;
  readonly seed: number;
  /** Only this case; undefined: all. */
  readonly only: number | undefined;
}

/** What the command line says. After --list there is nothing to run. Throws where it is not understood. */
function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      case: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  const all = ENTRIES.map(({ name }) => name);
  if (values.list) {
    console.log(all.join('\n'));
    return { names: [], cases: 0, seed: 0, only: undefined };
  }
  const unknown = positionals.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no entry '${unknown.join("', '")}'; --list names them`);
  }
  const names = positionals.length > 0 ? positionals : all;
  if (values.case !== undefined && names.length !== 1) {
    throw new Error('--case is of one entry: name it');
  }
  return {
    names,
    cases: wholeNumber('cases', values.cases),
    seed: wholeNumber('seed', values.seed),
    only: values.case === undefined ? undefined : wholeNumber('case', values.case),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not '${text}'`);
  return Number(text);
}

/** Shares the cases among the entries. */
function divide({ names, cases, only }: Options): Part[] {
  if (only !== undefined) return names.map((entry) => ({ entry, first: only, end: only + 1 }));
  const each = Math.floor(cases / names.length);
  const rest = cases % names.length;
  return names.map((entry, index) => ({ entry, first: 0, end: each + (index < rest ? 1 : 0) }));
}

function casesOf(parts: readonly Part[]): string {
  const cases = parts.reduce((sum, { first, end }) => sum + end - first, 0);
  return cases === 1 ? '1 case' : `${cases} cases`;
}

/** Runs the parts in a worker, prints as they are done, and answers how many failed. */
async function runParts(seed: number, parts: readonly Part[]): Promise<number> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const workerData: Work = { seed, parts, progress };
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData });
  const stuck = Promise.withResolvers<Failure>();
  const watch = watchProgress(progress, (part, index) => {
    stuck.resolve(stuckCase(seed, parts[part]!.entry, index));
  });
  let failures = 0;
  worker.on('message', ({ part, failure }: PartDone) => {
    if (failure !== undefined) failures++;
    const outcome = failure ? formatFailure(failure) : `${part.entry}: ${casesOf([part])}`;
    console.log(outcome);
  });
  const ended = new Promise<undefined>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve(undefined));
  });
  const hanging = await Promise.race([ended, stuck.promise]).finally(() => clearInterval(watch));
  if (hanging === undefined) return failures;
  console.log(formatFailure(hanging));
  await worker.terminate();
  return failures + 1;
}

/** Calls back when the worker has been at one case for too long. */
function watchProgress(
  progress: Int32Array<SharedArrayBuffer>,
  stuck: (part: number, index: number) => void,
): NodeJS.Timeout {
  let last = '';
  let since = performance.now();
  return setInterval(() => {
    const now = `${Atomics.load(progress, 0)} ${Atomics.load(progress, 1)}`;
    if (now !== last) {
      last = now;
      since = performance.now();
    } else if (performance.now() - since > STUCK_AFTER) {
      stuck(Atomics.load(progress, 0), Atomics.load(progress, 1));
    }
  }, 500);
}

function stuckCase(seed: number, name: string, index: number): Failure {
  const entry = ENTRIES.find((one) => one.name === name)!;
  const { input } = makeCase(entry, seed, index);
  return { entry: name, seed, index, input, reason: `it has not returned in ${STUCK_AFTER} ms` };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.names.length === 0) return;
  const parts = divide(options);
  const failures = await runParts(options.seed, parts);
  const outcome = failures === 0 ? `${casesOf(parts)}, no failure` : `${failures} failed`;
  console.log(`seed ${options.seed}: ${outcome}`);
  process.exitCode = failures === 0 ? 0 : 1;
}

try {
  await main();
} catch (error) {
  console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
