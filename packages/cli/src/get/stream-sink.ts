import { NetloomError } from 'netloom/core';
import type { DownloadSink } from 'netloom/http';

/** A download into something that cannot be rewound: standard output, a pipe, a device. */
export class StreamSink implements DownloadSink {
  readonly #write: (chunk: Uint8Array) => Promise<void>;
  readonly #close: () => Promise<void>;
  #length = 0;

  constructor(write: (chunk: Uint8Array) => Promise<void>, close: () => Promise<void>) {
    this.#write = write;
    this.#close = close;
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#length += chunk.length;
    return this.#write(chunk);
  }

  truncate(length: number): void {
    if (length === this.#length) return;
    throw new NetloomError(
      'OUTPUT_NOT_REWINDABLE',
      `the file has changed on the server after ${this.#length} bytes of it were put out`,
      { remedy: 'Throw away what came, and run the command again, or let it write to a file.' },
    );
  }

  finish(): Promise<void> {
    return this.#close();
  }
}
