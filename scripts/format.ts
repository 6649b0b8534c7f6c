/** Writes every file in the project's format. */
import { run } from './run.ts';

process.exitCode = run('oxfmt', '.') ? 0 : 1;
