/** Runs the tests: all, or those of the files and folders given, with the options given (as `npm test -- packages/netloom/src/core`). */
import { existsSync, globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { root, run } from './run.ts';

const EVERYTHING = [
  'packages/*/{src,test}/**/*.test.ts',
  '{bench,conformance,examples,fuzz}/**/*.test.ts',
];

const given = process.argv.slice(2);
const options = given.filter((argument) => argument.startsWith('-'));
const places = given.filter((argument) => !argument.startsWith('-'));
const files = globSync(places.length === 0 ? EVERYTHING : places.map(testsOf), {
  cwd: root,
}).sort();
if (files.length === 0) {
  process.stderr.write(`There are no tests in ${places.join(' ')}\n`);
  process.exit(1);
}

/** The tests of a file or a folder, as a pattern from the root. */
function testsOf(place: string): string {
  if (!existsSync(place)) {
    process.stderr.write(`There is no file or folder ${place}\n`);
    process.exit(1);
  }
  const path = relative(root, resolve(place));
  return path.endsWith('.ts') ? path : `${path}/**/*.test.ts`;
}

const passed = run(
  'node',
  '--conditions=netloom-source',
  '--disable-warning=ExperimentalWarning',
  `--import=${root}scripts/test-setup.ts`,
  '--test',
  ...options,
  ...files,
);
process.exitCode = passed ? 0 : 1;
