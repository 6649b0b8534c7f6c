import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { NetloomError, toNetloomError } from '../../../core/index.ts';
import { systemErrorCode } from '../../../native/index.ts';
import type { Report } from './protocol.ts';

/** The namespaces a program is to have could not be made. */
export function namespaceDenied(userNamespace: boolean, cause?: unknown): NetloomError {
  const remedy = userNamespace
    ? 'Run as root, or let users make namespaces: "sysctl -w user.max_user_namespaces=10000", and where there is AppArmor "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0". A container must be allowed to as well.'
    : 'A container must be allowed to: start it with "--privileged", or with the capabilities SYS_ADMIN and NET_ADMIN.';
  return new NetloomError(
    'PROGRAM_NAMESPACE_DENIED',
    'this process may not make the namespaces that a program with a network of its own lives in',
    { remedy, cause },
  );
}

/** There is no `unshare`. */
export function namespaceUnsupported(cause?: unknown): NetloomError {
  return new NetloomError(
    'PROGRAM_NAMESPACE_UNSUPPORTED',
    'the program unshare, which makes namespaces, could not be started',
    { remedy: 'Install util-linux 2.38 or newer; it is for Linux only.', cause },
  );
}

/** The program could not be started. */
export function notStarted(command: string, cause: unknown): NetloomError {
  const systemCode = systemErrorCode(cause) ?? '';
  if (systemCode === 'ENOENT' || systemCode === 'ENOTDIR' || !isInPath(command)) {
    return new NetloomError('PROGRAM_NOT_FOUND', `there is no program '${command}'`, {
      remedy: 'Check the name, and PATH; what is built into a shell needs one: sh -c COMMAND.',
      cause,
    });
  }
  const reason = systemCode === 'EACCES' ? 'it is not executable' : systemCode;
  return new NetloomError('PROGRAM_NOT_EXECUTABLE', `cannot start '${command}': ${reason}`, {
    remedy: 'Make it executable (chmod +x), or start what is to read it: sh FILE.',
    cause,
  });
}

/** A folder of PATH that may not be read makes the kernel speak of permissions where there is no such program at all. */
function isInPath(command: string): boolean {
  if (command.includes('/')) return true;
  const folders = process.env['PATH']?.split(delimiter) ?? [];
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** Whatever held the program is gone, and did not say how it ended. */
export function programLost(): NetloomError {
  return new NetloomError('PROGRAM_LOST', 'the program was killed together with its namespaces', {
    remedy: 'Look for who killed it: the kernel when memory ran out ("dmesg"), or an operator.',
  });
}

/** An error, as it is told to the other process. */
export function reportOf(thrown: unknown): Report {
  const error = toNetloomError(thrown, 'PROGRAM_FAILED', 'setting up the program’s network');
  return { is: 'failed', code: error.code, message: error.message, remedy: error.remedy };
}
