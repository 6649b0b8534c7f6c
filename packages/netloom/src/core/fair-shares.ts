/**
 * Items of a table that several holders share, by who holds them: for a limit that one holder alone cannot exhaust.
 *
 * Where a full table refuses, {@link hasRoom} leaves each newcomer something: a holder may add as long as it has fewer than are free, so that of N holders who
 * want all there is none gets more than a share of N + 1 (the dynamic threshold of Choudhury and Hahne, 1998). Where it makes room, the holder of most gives, as
 * fair queueing drops from the longest queue (McKenney, 1990). Each step costs the same however many there are.
 */
export class FairShares<Holder, Item> {
  /** Of each holder, oldest first. */
  readonly #items = new Map<Holder, Set<Item>>();
  /** The holders by how many they have. */
  readonly #levels = new Map<number, Set<Holder>>();
  #most = 0;
  #size = 0;

  /** Over all holders. */
  get size(): number {
    return this.#size;
  }

  /** How many a holder has. */
  of(holder: Holder): number {
    return this.#items.get(holder)?.size ?? 0;
  }

  /** All, by holder, in no order of theirs; of each holder oldest first. */
  *items(): Generator<Item> {
    for (const items of this.#items.values()) yield* items;
  }

  /** Whether a holder may add to a table of `limit`, of which it may have `most` at the most. */
  hasRoom(holder: Holder, limit: number, most: number = Infinity): boolean {
    const own = this.of(holder);
    return own < most && own < limit - this.#size;
  }

  /** Adds an item, or puts it behind the others of its holder. */
  add(holder: Holder, item: Item): void {
    let items = this.#items.get(holder);
    if (items === undefined) this.#items.set(holder, (items = new Set()));
    if (items.delete(item)) {
      items.add(item);
      return;
    }
    items.add(item);
    this.#size++;
    this.#move(holder, items.size - 1, items.size);
  }

  /** Takes an item out. False: it was not there. */
  remove(holder: Holder, item: Item): boolean {
    const items = this.#items.get(holder);
    if (items === undefined || !items.delete(item)) return false;
    if (items.size === 0) this.#items.delete(holder);
    this.#size--;
    this.#move(holder, items.size + 1, items.size);
    return true;
  }

  /** The oldest item of a holder. */
  oldestOf(holder: Holder): Item | undefined {
    return this.#items.get(holder)?.values().next().value;
  }

  /** The oldest item of the holder who has most; among equals, of the one who has had as many for longest. */
  oldestOfLargest(): Item | undefined {
    const largest = this.#levels.get(this.#most)?.values().next();
    return largest === undefined || largest.done === true
      ? undefined
      : this.oldestOf(largest.value);
  }

  #move(holder: Holder, from: number, to: number): void {
    const before = this.#levels.get(from);
    before?.delete(holder);
    if (before?.size === 0) this.#levels.delete(from);
    if (to > 0) {
      const level = this.#levels.get(to);
      if (level === undefined) this.#levels.set(to, new Set([holder]));
      else level.add(holder);
    }
    // One step at a time: whoever had most has moved to the next level, or another is there still.
    if (to > this.#most || !this.#levels.has(this.#most)) this.#most = to;
  }
}
