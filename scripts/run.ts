import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root: string = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program of node_modules or the pinned Node in the root folder, its output shown. Answers whether it succeeded. */
export function run(program: 'node' | 'tsc' | 'oxlint' | 'oxfmt', ...args: string[]): boolean {
  const command = program === 'node' ? process.execPath : `${root}node_modules/.bin/${program}`;
  // oxfmt, oxlint and tsc start by "#!/usr/bin/env node": let them find the pinned one.
  const path = `${root}node_modules/.bin:${process.env['PATH']}`;
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  return done.status === 0;
}
