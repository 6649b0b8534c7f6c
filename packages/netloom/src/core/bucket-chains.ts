/** What a {@link BucketChains} holds: it carries the link of its own chain, so that adding allocates nothing. */
export interface Chained<Item> {
  /** The next item of the same hash. Kept by the chains. */
  nextInBucket: Item | undefined;
}

/**
 * Items by a hash of 32 bits: what tables are made of whose keys are several words. Those with one hash hang in a chain, which the table walks
 * by itself, since only it knows how to tell them apart.
 */
export class BucketChains<Item extends Chained<Item>> {
  readonly #first = new Map<number, Item>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first item of this hash; the others follow by {@link Chained.nextInBucket}. */
  first(hash: number): Item | undefined {
    return this.#first.get(hash);
  }

  /** Adds an item that is in no chain. */
  add(hash: number, item: Item): void {
    item.nextInBucket = this.#first.get(hash);
    this.#first.set(hash, item);
    this.#size++;
  }

  /** Takes an item out, if it is there. */
  remove(hash: number, item: Item): void {
    const first = this.#first.get(hash);
    if (first === item) {
      if (item.nextInBucket === undefined) this.#first.delete(hash);
      else this.#first.set(hash, item.nextInBucket);
    } else {
      let before = first;
      while (before !== undefined && before.nextInBucket !== item) before = before.nextInBucket;
      if (before === undefined) return;
      before.nextInBucket = item.nextInBucket;
    }
    item.nextInBucket = undefined;
    this.#size--;
  }

  /** All items; the one that was given last may be removed meanwhile. */
  *values(): Generator<Item> {
    for (const first of this.#first.values()) {
      let item: Item | undefined = first;
      while (item !== undefined) {
        const next: Item | undefined = item.nextInBucket;
        yield item;
        item = next;
      }
    }
  }
}
