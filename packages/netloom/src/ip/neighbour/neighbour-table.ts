import { BucketChains, HalfSipHash, type IpAddress } from '../../core/index.ts';
import type { Neighbour } from './neighbour.ts';

/**
 * Neighbours by the words of their addresses: every ARP packet that is overheard asks for its sender, and must not cost an object.
 * The hash is keyed, so that nobody on the link can choose addresses that collide. All are of one link, so zones do not count.
 */
export class NeighbourTable {
  readonly #hash: HalfSipHash;
  readonly #chains = new BucketChains<Neighbour>();
  readonly #words = new Int32Array(4);

  /** `key`: 8 random bytes. */
  constructor(key: Uint8Array) {
    this.#hash = new HalfSipHash(key);
  }

  get size(): number {
    return this.#chains.size;
  }

  /** The neighbour of this address, by its words as {@link IpAddress} has them. */
  find(
    family: 4 | 6,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
  ): Neighbour | undefined {
    let neighbour = this.#chains.first(this.#hashOf(word0, word1, word2, word3));
    while (neighbour !== undefined) {
      const { address } = neighbour;
      if (
        address.word3 === word3 &&
        address.word2 === word2 &&
        address.word1 === word1 &&
        address.word0 === word0 &&
        // ::ffff:10.0.0.1 has the words of 10.0.0.1.
        address.family === family
      ) {
        return neighbour;
      }
      neighbour = neighbour.nextInBucket;
    }
    return undefined;
  }

  get({ family, word0, word1, word2, word3 }: IpAddress): Neighbour | undefined {
    return this.find(family, word0, word1, word2, word3);
  }

  /** Adds one whose address is not there yet. */
  add(neighbour: Neighbour): void {
    const { word0, word1, word2, word3 } = neighbour.address;
    this.#chains.add(this.#hashOf(word0, word1, word2, word3), neighbour);
  }

  remove(neighbour: Neighbour): void {
    const { word0, word1, word2, word3 } = neighbour.address;
    this.#chains.remove(this.#hashOf(word0, word1, word2, word3), neighbour);
  }

  /** All neighbours; the one that was given last may be removed meanwhile. */
  values(): Iterable<Neighbour> {
    return this.#chains.values();
  }

  #hashOf(word0: number, word1: number, word2: number, word3: number): number {
    const words = this.#words;
    words[0] = word0;
    words[1] = word1;
    words[2] = word2;
    words[3] = word3;
    return this.#hash.hash(words);
  }
}
