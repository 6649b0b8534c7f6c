import { NetloomError, toNetloomError } from 'netloom/core';

interface Meaning {
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
}

const DISK_FULL: Meaning = {
  code: 'DISK_FULL',
  reason: 'the disk is full',
  remedy: 'Make room, then run the same command again.',
};

const DENIED: Meaning = {
  code: 'FILE_DENIED',
  reason: 'it is not allowed',
  remedy: 'Choose a place you may write to, or ask for the permission.',
};

const FAILED: Meaning = {
  code: 'FILE_FAILED',
  reason: 'the system refused',
  remedy: 'See what the error says.',
};

/** The platform's error codes. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ['ENOSPC', DISK_FULL],
  ['EDQUOT', { ...DISK_FULL, reason: 'your share of the disk is used up' }],
  ['EFBIG', { ...DISK_FULL, reason: 'the file would be larger than the file system takes' }],
  ['EACCES', DENIED],
  ['EPERM', DENIED],
  ['EROFS', { ...DENIED, reason: 'the file system is read-only' }],
  [
    'ENOENT',
    {
      code: 'FOLDER_MISSING',
      reason: 'its folder does not exist',
      remedy: 'Make the folder first.',
    },
  ],
  [
    'ENOTDIR',
    {
      code: 'FOLDER_MISSING',
      reason: 'what should be its folder is a file',
      remedy: 'Choose another place.',
    },
  ],
  [
    'EISDIR',
    { code: 'FILE_IS_FOLDER', reason: 'it is a folder', remedy: 'Give the name of a file in it.' },
  ],
]);

/** What the file system refused, as an error that says what to do. One of ours stays as it is. */
export function fileError(thrown: unknown, path: string, action: string): NetloomError {
  if (thrown instanceof NetloomError) return thrown;
  const systemCode = (thrown as { code?: string } | undefined)?.code ?? '';
  const { code, reason, remedy } = MEANINGS.get(systemCode) ?? FAILED;
  const detail = systemCode === '' ? reason : `${reason} (${systemCode})`;
  return new NetloomError(code, `cannot ${action} ${path}: ${detail}`, { cause: thrown, remedy });
}

/** Why a file cannot be read, by the platform's error codes: the reason, and what to do. */
const UNREADABLE: ReadonlyMap<string, readonly [reason: string, remedy: string]> = new Map([
  ['ENOENT', ['there is no such file', 'Check the name.']],
  ['ENOTDIR', ['there is no such file', 'Check the name.']],
  ['EISDIR', ['it is a folder', 'Give the name of a file in it.']],
  ['EACCES', ['it is not allowed', 'Ask for the permission, or read a copy.']],
]);

/** The error for a file that cannot be read. */
export function unreadableError(thrown: unknown, path: string): NetloomError {
  const systemCode = (thrown as { code?: string } | undefined)?.code ?? '';
  const { message } = toNetloomError(thrown, 'FILE_UNREADABLE', 'the system refused');
  const [reason, remedy] = UNREADABLE.get(systemCode) ?? [message, FAILED.remedy];
  const text = `cannot read ${path}: ${reason}`;
  return new NetloomError('FILE_UNREADABLE', text, { cause: thrown, remedy });
}
