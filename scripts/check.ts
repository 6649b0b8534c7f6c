/** Types, layers, lint rules and format; every one is run, so that all complaints come at once. */
import { run } from './run.ts';

const passed = [
  run('tsc', '--build'),
  run('oxlint', '--deny-warnings'),
  run('oxfmt', '--check', '.'),
];
process.exitCode = passed.every(Boolean) ? 0 : 1;
