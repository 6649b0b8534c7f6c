/** What a test needs of its machine. Where that is missing the test is skipped, with the reason; in CI (CI=true) it fails. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What is missing, or false when it is there. */
export type Obstacle = string | false;

/** For `skip`: the first obstacle, or false. Where CI is set, an obstacle throws instead: there, nothing is to be skipped. */
export function requires(...obstacles: readonly Obstacle[]): Obstacle {
  const found = obstacles.find((obstacle) => obstacle !== false) ?? false;
  if (found !== false && isCi()) throw new Error(`a test would be skipped: ${found}`);
  return found;
}

/** Whether a program can be found. */
export function program(name: string): Obstacle {
  const found = spawnSync('sh', ['-c', 'command -v -- "$1"', 'sh', name]).status === 0;
  return found ? false : `${name} is not installed`;
}

/** Whether there is a file; if not, it comes with the package. */
export function file(path: string, from: string): Obstacle {
  return existsSync(path) ? false : `${path} is not there; the package ${from} has it`;
}

/** Whether this process may do what root may. */
export function privilege(): Obstacle {
  return process.getuid?.() === 0 ? false : 'this process is not root';
}

function isCi(): boolean {
  const { CI } = process.env;
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}
