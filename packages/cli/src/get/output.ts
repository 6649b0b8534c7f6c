import { access, open, realpath, stat } from 'node:fs/promises';
import { NetloomError } from 'netloom/core';
import type { DownloadSink, PartialFile } from 'netloom/http';
import type { CommandIo } from '../command.ts';
import { fileError } from '../file-error.ts';
import { nameOfDisposition, nameOfUrl } from './file-name.ts';
import { formatBytes } from '../format.ts';
import { PartFile } from './part-file.ts';
import { StreamSink } from './stream-sink.ts';

/** Where a download goes, and what becomes of it. */
export interface Output extends AsyncDisposable {
  readonly sink: DownloadSink;
  /** What it is called when it is told of. */
  name(): string;
  /** What an earlier run has left. */
  partial(): Promise<PartialFile | undefined>;
  /** The first bytes of what is there. */
  readBack(length: number): AsyncIterable<Uint8Array>;
  /** Gives what is finished the time of its last change, in milliseconds since 1970, if it is a file. */
  setModified(time: number): Promise<void>;
  /** After a failure: keeps what a later run can go on from, and answers a sentence that says so. */
  leave(): Promise<string | undefined>;
  /** After a failure: keeps nothing. */
  discard(): Promise<void>;
}

/** What {@link openOutput} takes. */
export interface OutputOptions {
  readonly url: URL;
  /** What -o says. */
  readonly path: string | undefined;
  readonly io: CommandIo;
}

/** Throws a named error if nothing can be written there at all. */
export async function openOutput(options: OutputOptions): Promise<Output> {
  const { path, url, io } = options;
  if (path === '-') return new StreamOutput('standard output', (chunk) => io.write(chunk));
  if (path === undefined) {
    const name = nameOfUrl(url);
    return new FileOutput(
      new PartFile({
        url: url.href,
        path: name ?? 'download',
        destination: (headers) => chooseName(name, headers?.get('content-disposition') ?? null),
      }),
    );
  }
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile() && !there.isDirectory()) return openDevice(path);
  if (there?.isDirectory()) {
    throw fileError(Object.assign(new Error('a folder'), { code: 'EISDIR' }), path, 'write');
  }
  // The file that a link leads to is replaced, not the link.
  const file = there === undefined ? path : await realpath(path);
  const destination = (): Promise<string> => Promise.resolve(file);
  return new FileOutput(new PartFile({ url: url.href, path: file, destination }));
}

/** A pipe or a device, which is written to as it is. */
async function openDevice(path: string): Promise<Output> {
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw fileError(error, path, 'write');
    }
  };
  const file = await during(() => open(path, 'w'));
  const write = async (chunk: Uint8Array): Promise<void> => {
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = await during(() => file.write(chunk, at));
      at += bytesWritten;
    }
  };
  return new StreamOutput(path, write, () => file.close());
}

/** The server's name for the file comes first; but what is there already is replaced only by a name the user has typed. */
async function chooseName(
  fromUrl: string | undefined,
  disposition: string | null,
): Promise<string> {
  const fromServer = nameOfDisposition(disposition);
  const name = fromServer ?? fromUrl;
  if (name === undefined) {
    throw new NetloomError('NAME_MISSING', 'neither the URL nor the server names the file', {
      remedy: 'Give a name with -o.',
    });
  }
  if (name !== fromUrl && (await isThere(name))) {
    throw new NetloomError('FILE_EXISTS', `the server calls the file '${name}', which is there`, {
      remedy: `To replace it, say so with -o ${name}.`,
    });
  }
  return name;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

class FileOutput implements Output {
  readonly sink: PartFile;

  constructor(part: PartFile) {
    this.sink = part;
  }

  name(): string {
    return this.sink.destination ?? this.sink.partPath;
  }

  partial(): Promise<PartialFile | undefined> {
    return this.sink.partial();
  }

  readBack(length: number): AsyncIterable<Uint8Array> {
    return this.sink.read(length);
  }

  async leave(): Promise<string | undefined> {
    const part = this.sink;
    // A full disk takes no more, and the reason is being told already.
    await part.close().catch(() => undefined);
    if (part.isResumable) {
      const kept = `${formatBytes(part.length)} of it are kept in ${part.partPath}`;
      return `${kept}: the same command goes on from there.`;
    }
    if (part.wasOpened) await part.discard();
    return undefined;
  }

  discard(): Promise<void> {
    return this.sink.discard();
  }

  setModified(time: number): Promise<void> {
    return this.sink.setModified(time);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sink[Symbol.asyncDispose]();
  }
}

class StreamOutput implements Output {
  readonly sink: StreamSink;
  readonly #name: string;
  readonly #close: () => Promise<void>;

  constructor(
    name: string,
    write: (chunk: Uint8Array) => Promise<void>,
    close: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#name = name;
    this.#close = close;
    this.sink = new StreamSink(write, close);
  }

  name(): string {
    return this.#name;
  }

  partial(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** What has gone out cannot be had back; nobody asks for it, as it is not thrown away either. */
  async *readBack(): AsyncGenerator<Uint8Array> {}

  async leave(): Promise<undefined> {
    await this.#close();
  }

  setModified(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  discard(): Promise<void> {
    return this.#close();
  }
}
