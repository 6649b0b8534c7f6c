import { createHash } from 'node:crypto';
import type { DownloadChecksum } from 'netloom/http';

/** Checks a download's SHA-256. */
export class Sha256Check implements DownloadChecksum {
  /** Lower-case hexadecimal. */
  readonly expected: string;
  readonly #readBack: (length: number) => AsyncIterable<Uint8Array>;
  #hash = createHash('sha256');
  #actual = '';

  /** @param readBack reads the first so many bytes of what is there already */
  constructor(expected: string, readBack: (length: number) => AsyncIterable<Uint8Array>) {
    this.expected = expected;
    this.#readBack = readBack;
  }

  /** What it came to, once verified. */
  get actual(): string {
    return this.#actual;
  }

  async restart(position: number): Promise<void> {
    this.#hash = createHash('sha256');
    if (position === 0) return;
    for await (const chunk of this.#readBack(position)) this.#hash.update(chunk);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  verify(): boolean {
    this.#actual = this.#hash.digest('hex');
    return this.#actual === this.expected;
  }
}
