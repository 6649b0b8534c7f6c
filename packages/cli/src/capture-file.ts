import { closeSync, openSync, writevSync } from 'node:fs';
import type { Clock, NetloomError } from 'netloom/core';
import { CapturedLink, PcapngSink, type Link } from 'netloom/link';
import { fileError } from './file-error.ts';

/**
 * A pcapng file of what passes some links. Blocks are written once a turn of the event loop and each is whole, so that the file can be
 * opened at any time, and whatever ends the process.
 */
export class CaptureFile {
  /** Rejects when the file cannot be written any more; the links go on. */
  readonly failed: Promise<never>;
  /** Takes frames of any link: see {@link capture} for one alone. */
  readonly sink: PcapngSink;
  readonly #path: string;
  readonly #file: number;
  readonly #fail: (error: NetloomError) => void;
  #blocks: Uint8Array[] = [];
  #isOpen = true;

  /** Makes the file, or empties it. Throws a named error. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = openSync(path, 'w');
    } catch (error) {
      throw fileError(error, path, 'write the capture');
    }
    const { promise, reject } = Promise.withResolvers<never>();
    // Whether anybody waits for it or not.
    promise.catch(() => undefined);
    this.failed = promise;
    this.#fail = reject;
    this.sink = new PcapngSink((block) => this.#put(block));
  }

  /** The link with every frame of it written to the file. */
  capture(link: Link, clock: Clock): Link {
    return new CapturedLink(link, clock, this.sink);
  }

  /** Writes what is left. Idempotent. Throws a named error if the disk is full. */
  close(): void {
    if (!this.#isOpen) return;
    const error = this.#flush();
    if (!this.#isOpen) throw error;
    this.#isOpen = false;
    closeSync(this.#file);
  }

  #put(block: Uint8Array): void {
    if (!this.#isOpen) return;
    if (this.#blocks.push(block) === 1) setImmediate(() => this.#flush());
  }

  #flush(): NetloomError | undefined {
    const blocks = this.#blocks;
    this.#blocks = [];
    if (!this.#isOpen || blocks.length === 0) return undefined;
    try {
      writeAll(this.#file, blocks);
      return undefined;
    } catch (thrown) {
      this.#isOpen = false;
      closeSync(this.#file);
      const error = fileError(thrown, this.#path, 'write the capture');
      this.#fail(error);
      return error;
    }
  }
}

/** Writes blocks to a file; the kernel may take less than it is given. Throws what the platform does. */
export function writeAll(file: number, blocks: readonly Uint8Array[]): void {
  const left = [...blocks];
  while (left.length > 0) {
    // IOV_MAX is 1,024 on Linux.
    let written = writevSync(file, left.slice(0, 1024));
    while (left.length > 0 && written >= left[0]!.length) written -= left.shift()!.length;
    if (written > 0) left[0] = left[0]!.subarray(written);
  }
}
