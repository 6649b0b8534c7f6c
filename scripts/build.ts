/** Makes packages/netloom/dist: what is published. */
import { copyFileSync, rmSync } from 'node:fs';
import { root, run } from './run.ts';

const library = `${root}packages/netloom/`;
for (const file of ['LICENSE', 'README.md']) copyFileSync(root + file, library + file);
// From nothing: what is left of a file that is no more would be published too.
rmSync(`${library}dist`, { recursive: true, force: true });
process.exitCode = run('tsc', '--build', 'packages/netloom') ? 0 : 1;
