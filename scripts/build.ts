/** Makes packages/netloom/dist: what is published. */
import { copyFileSync } from 'node:fs';
import { root, run } from './run.ts';

for (const file of ['LICENSE', 'README.md'])
  copyFileSync(root + file, `${root}packages/netloom/${file}`);
process.exitCode = run('tsc', '--build') ? 0 : 1;
