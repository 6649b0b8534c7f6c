import { constants } from 'node:fs';
import {
  open,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileLock } from 'netloom/host';
import type { DownloadInfo, DownloadSink, PartialFile } from 'netloom/http';
import { fileError } from '../file-error.ts';
import { lockPart } from './part-lock.ts';

/** Bytes that are gathered before they are written: chunks from a network may be small. */
const GATHERED = 256 * 1024;

/** What a {@link PartFile} needs to know. */
export interface PartFileOptions {
  /** The URL that was asked for: a part of another one's file is of no use. */
  readonly url: string;
  /** Where the part is kept, without `.part`. */
  readonly path: string;
  /** Where the file comes to stand. Asked when a server has answered, with the fields it answered with, and may refuse by throwing. */
  destination(headers: Headers | undefined): Promise<string>;
}

/** What is kept beside the part, in `FILE.part.json`. */
interface PartRecord {
  readonly url: string;
  readonly validators: PartialFile['validators'];
}

/**
 * A download on disk: its bytes in `FILE.part` and what the server said of their version in `FILE.part.json` until all is there; then
 * the part is renamed, which replaces a FILE that was there at once. Neither is touched before a server has answered with the file.
 * From {@link partial} until it is disposed of, no other run gets at them.
 */
export class PartFile implements DownloadSink, AsyncDisposable {
  readonly partPath: string;
  readonly #recordPath: string;
  readonly #options: PartFileOptions;
  #lock: FileLock | undefined;
  #file: FileHandle | undefined;
  #wasOpened = false;
  #destination: string | undefined;
  /** Bytes in the file, and behind them those that wait to be written. */
  #length = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #hasValidators = false;

  constructor(options: PartFileOptions) {
    this.#options = options;
    this.partPath = `${options.path}.part`;
    this.#recordPath = `${options.path}.part.json`;
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length + this.#waitingBytes;
  }

  /** A later run can go on from here. */
  get isResumable(): boolean {
    return this.#hasValidators && this.length > 0;
  }

  /** A server has answered, so the part is of this run. */
  get wasOpened(): boolean {
    return this.#wasOpened;
  }

  /** Where the file comes to stand, once a server has answered. */
  get destination(): string | undefined {
    return this.#destination;
  }

  /** What an earlier run has left. To be asked first. Rejects with `DOWNLOAD_RUNNING` if another run is at it. */
  async partial(): Promise<PartialFile | undefined> {
    this.#lock = await lockPart(this.partPath);
    const record = await this.#readRecord();
    if (record === undefined) return undefined;
    const size = await stat(this.partPath).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    );
    if (size === 0) return undefined;
    this.#length = size;
    this.#hasValidators = true;
    return { position: size, validators: record.validators };
  }

  async truncate(length: number): Promise<void> {
    const file = await this.#open();
    await this.#flush();
    await this.#during('shorten', () => file.truncate(length));
    this.#length = length;
  }

  async begin({ validators, headers }: DownloadInfo, position: number): Promise<void> {
    this.#destination ??= await this.#options.destination(headers);
    // Gone on from, a part is of the version that the record has already.
    if (position > 0) return;
    // Before the record is written: never are the bytes of one version and the record of another left by a crash.
    await this.truncate(0);
    const record: PartRecord = { url: this.#options.url, validators };
    this.#hasValidators = Object.keys(validators).length > 0;
    await this.#during('write', () => writeFile(this.#recordPath, `${JSON.stringify(record)}\n`));
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    return this.#waitingBytes < GATHERED ? undefined : this.#flush();
  }

  /** The first bytes of the part, from disk. */
  async *read(length: number): AsyncGenerator<Uint8Array> {
    const file = await this.#open();
    await this.#flush();
    const buffer = new Uint8Array(GATHERED);
    for (let at = 0; at < length;) {
      const wanted = Math.min(buffer.length, length - at);
      const { bytesRead } = await this.#during('read', () => file.read(buffer, 0, wanted, at));
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** On disk first, then renamed: whatever happens, FILE is the old one or all of the new one. */
  async finish(): Promise<void> {
    const file = await this.#open();
    await this.#flush();
    // Where all was there already, no server has answered with the file.
    this.#destination ??= await this.#options.destination(undefined);
    const destination = this.#destination;
    await this.#during('write', async () => {
      // Replacing a file leaves its permissions as they were.
      const replaced = await stat(destination).catch(() => undefined);
      if (replaced !== undefined) await file.chmod(replaced.mode & 0o777);
      await file.sync();
      await this.close();
      await rename(this.partPath, destination);
      await syncFolder(dirname(destination));
      await rm(this.#recordPath, { force: true });
    });
  }

  /** Gives the finished file the time of its last change, in milliseconds since 1970. */
  async setModified(time: number): Promise<void> {
    const destination = this.#destination!;
    await this.#during('write', () => utimes(destination, time / 1000, time / 1000));
  }

  /** Lets other runs at the part. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.#lock?.close();
    }
  }

  /** Writes what waits and lets go of the part, which stays. Idempotent. */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    try {
      await this.#flush();
    } finally {
      this.#file = undefined;
      await file.close();
    }
  }

  /** Removes the part. */
  async discard(): Promise<void> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.close();
    await rm(this.partPath, { force: true });
    await rm(this.#recordPath, { force: true });
    this.#length = 0;
  }

  async #open(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    // Never through a link that somebody has put there.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    this.#file = await this.#during('write', () => open(this.partPath, flags, 0o666));
    this.#wasOpened = true;
    return this.#file;
  }

  async #flush(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    let left = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    while (left.length > 0) {
      const buffers = left;
      const { bytesWritten } = await this.#during('write', () =>
        file.writev(buffers, this.#length),
      );
      this.#length += bytesWritten;
      left = after(buffers, bytesWritten);
    }
  }

  async #readRecord(): Promise<PartRecord | undefined> {
    try {
      const record = JSON.parse(await readFile(this.#recordPath, 'utf8')) as unknown;
      return isRecord(record) && record.url === this.#options.url ? record : undefined;
    } catch {
      // None, or not one of ours: then there is nothing to go on from.
      return undefined;
    }
  }

  async #during<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, this.partPath, action);
    }
  }
}

/** What is left of the buffers after the first so many bytes: the system may take less than it is given. */
function after(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  const left = [...buffers];
  let taken = count;
  while (left.length > 0 && taken >= left[0]!.length) taken -= left.shift()!.length;
  if (taken > 0) left[0] = left[0]!.subarray(taken);
  return left;
}

function isRecord(value: unknown): value is PartRecord {
  const { url, validators } = (value ?? {}) as Partial<Record<keyof PartRecord, unknown>>;
  if (typeof url !== 'string' || typeof validators !== 'object' || validators === null)
    return false;
  return Object.values(validators).every((validator) => typeof validator === 'string');
}

/** A rename is on disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
