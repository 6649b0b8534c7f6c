/** What tests of `netloom run` share: what they need, and who they run it as. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { privilege, program, requires, type Obstacle } from '../../netloom/test/requires.ts';
import { runNetloom, startNetloom, type NetloomProcess, type Outcome } from './netloom-process.ts';

/** Why `netloom run` cannot be tested here: as root, since its tests also become somebody else. */
export const runObstacle: Obstacle =
  privilege() ||
  program('unshare') ||
  program('setpriv') ||
  (existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');

/** For tests of `netloom run`. */
export const runOptions = { skip: requires(runObstacle), timeout: 60_000 };

/** Somebody without privileges, as on a machine where /dev/net/tun is open to all, as distributions have it. */
export const USER_ID = 54_321;
const BECOME_USER = `mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 &&
exec setpriv --reuid=${USER_ID} --regid=${USER_ID} --clear-groups "$@"`;

/** Who runs it: root, or an ordinary user. */
export type Who = 'root' | 'user';

/** The words by which it is started as that one. */
export function as(who: Who): { through: readonly string[] } {
  return { through: who === 'root' ? [] : ['unshare', '--mount', 'sh', '-c', BECOME_USER, 'sh'] };
}

/** Runs a script of the shell in a network of its own. */
export function runScript(
  script: string,
  who: Who = 'root',
  ...options: string[]
): Promise<Outcome> {
  return runNetloom(['run', ...options, '--', 'sh', '-c', script], as(who));
}

/** Starts the same. */
export function startScript(
  script: string,
  who: Who = 'root',
  ...options: string[]
): NetloomProcess {
  return startNetloom(['run', ...options, '--', 'sh', '-c', script], as(who));
}

/** Prints the name of the network namespace a script is in. */
export const SHOW_NAMESPACE = 'readlink /proc/self/ns/net';

/** The processes that are in the network namespace of that name. */
export function processesIn(namespace: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/ns/net`) === namespace;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}
