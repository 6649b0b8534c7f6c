/** Runs the tests: all, or the files and options given (as `npm test -- packages/netloom/src/core/bytes.test.ts`). */
import { globSync } from 'node:fs';
import { root, run } from './run.ts';

const given = process.argv.slice(2);
const files = given.some((argument) => argument.endsWith('.ts'))
  ? []
  : globSync(
      ['packages/*/{src,test}/**/*.test.ts', '{bench,conformance,examples,fuzz}/**/*.test.ts'],
      {
        cwd: root,
      },
    ).sort();

const passed = run(
  'node',
  '--conditions=netloom-source',
  '--disable-warning=ExperimentalWarning',
  `--import=${root}scripts/test-setup.ts`,
  '--test',
  ...given,
  ...files,
);
process.exitCode = passed ? 0 : 1;
