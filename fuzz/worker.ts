/** Runs cases in a thread of their own, so that main.ts can tell one that does not return. */
import { parentPort, workerData } from 'node:worker_threads';
import { ENTRIES } from './entries/index.ts';
import { runCases, type Failure } from './run.ts';

/** What main.ts wants run: for each entry, the cases from `first` up to `end`. */
export interface Work {
  readonly seed: number;
  readonly parts: readonly Part[];
  /** Where the worker is: index of the part, and number of the case. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

/** The cases of one entry. */
export interface Part {
  readonly entry: string;
  readonly first: number;
  readonly end: number;
}

/** What the worker tells after each part. */
export interface PartDone {
  readonly part: Part;
  readonly failure: Failure | undefined;
}

const { seed, parts, progress } = workerData as Work;
for (const [index, part] of parts.entries()) {
  const entry = ENTRIES.find(({ name }) => name === part.entry)!;
  Atomics.store(progress, 0, index);
  const failure = runCases(entry, seed, part.first, part.end, (number) => {
    Atomics.store(progress, 1, number);
  });
  const done: PartDone = { part, failure };
  // Nothing is transferred: the input is printed from a copy.
  parentPort?.postMessage(done, []);
}
