import { NetloomError } from './errors.ts';

/** Where randomness comes from: the platform's secure source, or a seed's. */
export interface Random {
  /** A uniform integer of 32 bits, 0 to 4,294,967,295. */
  uint32(): number;
  /** A uniform number, at least 0 and below 1. */
  float(): number;
  /** A uniform integer, at least 0 and below `bound` (an integer, 1 to 2^32; otherwise throws `RANDOM_BOUND_INVALID`). */
  below(bound: number): number;
  /** Fills with uniform bytes, and answers the array. */
  fill(bytes: Uint8Array): Uint8Array;
}

/** What {@link Random} can make from a source of 32-bit integers. */
class RandomFrom implements Random {
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  uint32(): number {
    return this.#next() >>> 0;
  }

  float(): number {
    return (this.#next() >>> 0) / 0x1_0000_0000;
  }

  below(bound: number): number {
    // Checked, because no value would ever pass the loop below.
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= 0x1_0000_0000)) {
      throw new NetloomError(
        'RANDOM_BOUND_INVALID',
        `a bound is an integer from 1 to 2^32, not ${bound}`,
      );
    }
    // Rejection, so that no value is likelier than another.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    for (;;) {
      const value = this.#next() >>> 0;
      if (value < limit) return value % bound;
    }
  }

  fill(bytes: Uint8Array): Uint8Array {
    for (let i = 0; i < bytes.length; i += 4) {
      let word = this.#next();
      for (let j = i; j < i + 4 && j < bytes.length; j++) {
        bytes[j] = word;
        word >>>= 8;
      }
    }
    return bytes;
  }
}

/**
 * Randomness that is a function of `seed`, for simulations and tests. Never for secrets.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), mixed in from the seed for 12 rounds.
 */
export function seededRandom(seed: number): Random {
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 0x1_0000_0000) | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum;
  };
  for (let round = 0; round < 12; round++) next();
  return new RandomFrom(next);
}

/** The platform's secure randomness (`crypto.getRandomValues`), drawn 4 KiB at a time. */
export function secureRandom(): Random {
  const pool = new Uint32Array(1024);
  let left = 0;
  const next = (): number => {
    if (left === 0) {
      crypto.getRandomValues(pool);
      left = pool.length;
    }
    const value = pool[--left]!;
    // What has been given out is not kept: a memory dump must not show it.
    pool[left] = 0;
    return value;
  };
  return new RandomFrom(next);
}
