import { closeSync, openSync, statSync } from 'node:fs';
import { NetloomError } from '../core/index.ts';
import { native } from './library.ts';
import { checked, systemErrorCode } from './system-call-error.ts';

/** Where `ip netns` keeps its names (ip-netns(8)). */
const NAMES = '/var/run/netns/';
/** The namespace of the calling thread (namespaces(7)). */
const OWN = '/proc/thread-self/ns/net';
/** `sched.h` */
const CLONE_NEWNET = 0x4000_0000;

/**
 * Does `work` with the main thread in a network namespace, given by the name that `ip netns` has for it or by a path, and comes back, also after an error.
 *
 * What `work` opens (a TAP, a socket) stays in that namespace. It must be synchronous, and must start no thread: only this
 * thread is moved, and only until `work` returns.
 *
 * Throws `NETWORK_NAMESPACE_MISSING` or `NETWORK_NAMESPACE_DENIED`; `NETWORK_NAMESPACE_STUCK` if there was no way back.
 */
export function inNetworkNamespace<T>(name: string, work: () => T): T {
  const { call } = native();
  const there = openNamespace(name);
  try {
    const here = openSync(OWN, 'r');
    try {
      enter(call.setns(there, CLONE_NEWNET), name);
      try {
        return work();
      } finally {
        comeBack(call.setns(here, CLONE_NEWNET), name);
      }
    } finally {
      closeSync(here);
    }
  } finally {
    closeSync(there);
  }
}

/**
 * Tells the network namespace that has this name now from those that had it before: the answer is the same while it is the same one, and as long as anything
 * is left of one, no other has its. Undefined: there is none, or none that may be looked at.
 */
export function networkNamespaceIdentity(name: string): string | undefined {
  const path = pathOf(name);
  try {
    const { dev, ino } = statSync(path ?? '');
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Undefined: it can be no namespace's name. */
function pathOf(name: string): string | undefined {
  if (name.startsWith('/')) return name.includes('\0') ? undefined : name;
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  return isName ? NAMES + name : undefined;
}

function openNamespace(name: string): number {
  const path = pathOf(name);
  try {
    if (path !== undefined) return openSync(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw denied(name, error);
  }
  throw new NetloomError(
    'NETWORK_NAMESPACE_MISSING',
    name.startsWith('/')
      ? `there is no network namespace at ${name}`
      : `there is no network namespace '${name}' in ${NAMES}`,
    { remedy: `Make it with 'ip netns add NAME', or see 'ip netns list' for those there are.` },
  );
}

function enter(result: number, name: string): void {
  try {
    checked(result, 'setns');
  } catch (error) {
    throw denied(name, error);
  }
}

function comeBack(result: number, name: string): void {
  try {
    checked(result, 'setns');
  } catch (error) {
    throw new NetloomError(
      'NETWORK_NAMESPACE_STUCK',
      `the process could not leave the network namespace '${name}'`,
      {
        cause: error,
        remedy: 'End the process and start it anew: its sockets would be misplaced.',
      },
    );
  }
}

function denied(name: string, cause: unknown): NetloomError {
  return new NetloomError(
    'NETWORK_NAMESPACE_DENIED',
    `the network namespace '${name}' could not be entered`,
    { cause, remedy: 'Run as root, or with CAP_SYS_ADMIN.' },
  );
}
