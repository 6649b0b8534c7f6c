import { closeSync, openSync } from 'node:fs';
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
 * Does `work` with the main thread in a network namespace that `ip netns` has named, and comes back, also after an error.
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

function openNamespace(name: string): number {
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  try {
    if (isName) return openSync(NAMES + name, 'r');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw denied(name, error);
  }
  throw new NetloomError(
    'NETWORK_NAMESPACE_MISSING',
    `there is no network namespace '${name}' in ${NAMES}`,
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
