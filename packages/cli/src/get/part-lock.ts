import { NetloomError } from 'netloom/core';
import { FileLock } from 'netloom/host';
import { fileError } from '../file-error.ts';

/** Keeps a second run from a part that one run is writing. Rejects with `DOWNLOAD_RUNNING` if one does, and with what the file system says. */
export async function lockPart(partPath: string): Promise<FileLock> {
  const path = `${partPath}.lock`;
  let lock: FileLock | undefined;
  try {
    lock = await FileLock.take(path);
  } catch (error) {
    const { cause } = error as NetloomError;
    // SQLite's own errors are about the lock; the file system's are about the folder of both files.
    const isLock = cause instanceof Error && 'errcode' in cause;
    throw isLock ? fileError(cause, path, 'lock') : fileError(cause, partPath, 'write');
  }
  if (lock !== undefined) return lock;
  throw new NetloomError('DOWNLOAD_RUNNING', `another run is writing ${partPath}`, {
    remedy: 'Wait for it or end it, or give this one another file with -o.',
  });
}
