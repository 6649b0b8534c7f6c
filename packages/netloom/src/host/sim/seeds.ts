import { SipHash, seededRandom, type Random } from '../../core/index.ts';

/**
 * The randomness of one part of a world: a function of the world's seed and the part's name and of nothing else, so
 * that what is added to a world leaves the dice of the others as they were.
 */
export function randomOf(seed: number, name: string): Random {
  const key = new Uint8Array(16);
  const view = new DataView(key.buffer);
  view.setFloat64(0, seed);
  const hash = new SipHash(key);
  const low = hash.hash(Int32Array.from(name, (letter) => letter.codePointAt(0)!)) >>> 0;
  // A seed is a whole number below 2^53.
  return seededRandom((hash.high & 0x1f_ffff) * 0x1_0000_0000 + low);
}
