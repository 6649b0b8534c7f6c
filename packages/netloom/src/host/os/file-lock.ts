import { lstat, open, rm } from 'node:fs/promises';
import { NetloomError } from '../../core/index.ts';

/** SQLite's result codes (sqlite.org/rescode.html), without what the upper bits add: somebody has the lock; the file system has no locks. */
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;

/** How often it is begun anew when whoever had the lock takes its file away at that very moment. */
const ATTEMPTS = 10;

/**
 * A lock of the operating system's on an empty file, which is gone when the process is, however that ends, so that a file left by a
 * crash holds up nobody. The file is taken away with the lock.
 *
 * Node has no call for such a lock. SQLite, which is in Node, takes one on Linux and macOS alike (`fcntl`) when an exclusive transaction
 * begins; nothing is ever written, and the file stays empty.
 */
export class FileLock implements AsyncDisposable {
  readonly path: string;
  readonly #unlock: () => void;
  #closed: Promise<void> | undefined;

  private constructor(path: string, unlock: () => void) {
    this.path = path;
    this.#unlock = unlock;
  }

  /** Takes the lock; undefined if somebody else has it. Rejects with `FILE_LOCK_FAILED`, whose cause is what the system said. */
  static async take(path: string): Promise<FileLock | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await makeFile(path);
      const before = await fileNumber(path);
      const unlock = await lockFile(path);
      if (unlock === undefined) return undefined;
      // Whoever had it may have removed the file meanwhile: a lock on that would keep nobody out.
      if (before !== undefined && (await fileNumber(path)) === before) {
        return new FileLock(path, unlock);
      }
      unlock();
    }
    return undefined;
  }

  /** Gives it back, for the next to take. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    // While it is still held, so that it is not the next one's that is removed.
    await rm(this.path, { force: true }).catch(() => undefined);
    this.#unlock();
  }
}

async function makeFile(path: string): Promise<void> {
  try {
    // Opened only if it is new: closing a file that this process has locked would undo the lock (POSIX, fcntl).
    const made = await open(path, 'wx', 0o600);
    await made.close();
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw failed(path, error);
  }
}

/** The inode; undefined if there is no such file. */
async function fileNumber(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? found.ino : undefined;
}

/** Answers what gives the lock back; undefined: somebody has it. */
async function lockFile(path: string): Promise<(() => void) | undefined> {
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    const code = (error as { errcode?: number }).errcode ?? 0;
    // Some network file systems have no locks: there the two have to be kept apart by who starts them.
    if ((code & 0xff) !== SQLITE_IOERR) database?.close();
    if ((code & 0xff) === SQLITE_BUSY) return undefined;
    if ((code & 0xff) !== SQLITE_IOERR) throw failed(path, error);
  }
  return () => {
    if (database?.isOpen) database.close();
  };
}

function failed(path: string, cause: unknown): NetloomError {
  const { message } = cause as Error;
  return new NetloomError('FILE_LOCK_FAILED', `cannot lock ${path}: ${message}`, {
    cause,
    remedy: 'Check that its folder is there and may be written by this user.',
  });
}
