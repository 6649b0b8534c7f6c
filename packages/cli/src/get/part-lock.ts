import { lstat, open, rm } from 'node:fs/promises';
import { NetloomError } from 'netloom/core';
import { fileError } from '../file-error.ts';

/** SQLite's result codes (sqlite.org/rescode.html), without what the upper bits add: somebody has the lock; the file system has no locks. */
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;

/** How often it is begun anew when whoever had the lock takes its file away at that very moment. */
const ATTEMPTS = 10;

/**
 * Keeps a second run from a part that one run is writing: a lock of the operating system's on `FILE.part.lock`, which is gone when
 * the process is, however that ends, so that a file left by a crash holds up nobody.
 *
 * Node has no call for such a lock. SQLite, which is in Node, takes one on Linux and macOS alike (`fcntl`) when an exclusive transaction
 * begins; nothing is ever written, and the file stays empty.
 */
export class PartLock implements AsyncDisposable {
  readonly #path: string;
  readonly #close: () => void;

  private constructor(path: string, close: () => void) {
    this.#path = path;
    this.#close = close;
  }

  /** Takes the lock of a part. Rejects with `DOWNLOAD_RUNNING` if another run has it, and with what the file system says. */
  static async take(partPath: string): Promise<PartLock> {
    const path = `${partPath}.lock`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await makeFile(path, partPath);
      const before = await fileNumber(path);
      const close = await lockFile(path, partPath);
      // Whoever had it may have removed the file meanwhile: a lock on that would keep nobody out.
      if (before !== undefined && (await fileNumber(path)) === before) {
        return new PartLock(path, close);
      }
      close();
    }
    throw runningError(partPath);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // While it is still held, so that it is not the next run's that is removed.
    await rm(this.#path, { force: true }).catch(() => undefined);
    this.#close();
  }
}

async function makeFile(path: string, partPath: string): Promise<void> {
  try {
    // Opened only if it is new: closing a file that this process has locked would undo the lock (POSIX, fcntl).
    const made = await open(path, 'wx');
    await made.close();
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw fileError(error, partPath, 'write');
  }
}

/** The inode; undefined if there is no such file. */
async function fileNumber(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? found.ino : undefined;
}

/** Answers what gives the lock back. */
async function lockFile(path: string, partPath: string): Promise<() => void> {
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    if ((code & 0xff) === SQLITE_BUSY) throw runningError(partPath);
    // Some network file systems have no locks: there two runs have to be kept apart by who starts them.
    if ((code & 0xff) !== SQLITE_IOERR) throw fileError(error, path, 'lock');
  }
  return () => database?.close();
}

function runningError(partPath: string): NetloomError {
  return new NetloomError('DOWNLOAD_RUNNING', `another run is writing ${partPath}`, {
    remedy: 'Wait for it or end it, or give this one another file with -o.',
  });
}
