/** Bytes to be transferred and compared: no two blocks are alike, so that one lost, doubled or out of place changes the hash. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { seededRandom } from 'netloom/core';

const BLOCK = 1 << 18;
const NOISE = seededRandom(1).fill(new Uint8Array(BLOCK));

/** The hash of bytes, in hexadecimal digits. */
export class Sum {
  readonly #hash = createHash('sha256');
  length = 0;

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.length += chunk.length;
  }

  /** The hash; nothing can be added any more. */
  toString(): string {
    return this.#hash.digest('hex');
  }
}

/** The pattern's first bytes, block by block: each a fresh array, to be given away. */
export function* pattern(length: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < length; start += BLOCK) {
    const block = NOISE.slice(0, Math.min(BLOCK, length - start));
    // The same noise with its own number in it.
    if (block.length >= 4) new DataView(block.buffer).setUint32(0, start / BLOCK);
    yield block;
  }
}

/** The hash of so much of the pattern. */
export function patternSum(length: number): string {
  const sum = new Sum();
  for (const block of pattern(length)) sum.add(block);
  return sum.toString();
}

/** Writes so much of the pattern to a file; answers the hash. */
export function writePattern(path: string, length: number): string {
  const sum = new Sum();
  const file = openSync(path, 'wx', 0o644);
  try {
    for (const block of pattern(length)) {
      sum.add(block);
      writeSync(file, block);
    }
  } finally {
    closeSync(file);
  }
  return sum.toString();
}

/** The pattern as the body of a response. */
export function patternStream(length: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const blocks = pattern(length);
  return new ReadableStream({
    pull(controller) {
      const { value, done } = blocks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}
