/** The size of either side's table before SETTINGS have said anything (RFC 9113, section 6.5.2). */
export const INITIAL_TABLE_SIZE = 4096;

/** What a {@link DynamicTable} asks of an entry. */
interface Sized {
  /** What it takes of the table (RFC 7541, section 4.1). */
  readonly size: number;
}

/** Places of a ring at first: a power of two, as all its lengths are. */
const INITIAL_PLACES = 16;

/**
 * A dynamic table (RFC 7541, section 2.3.2): first in, first out, bounded by the size of its entries together. Inserting, evicting
 * and finding by index take the same time however many entries there are.
 */
export class DynamicTable<Entry extends Sized> {
  readonly #evicted: ((entry: Entry) => void) | undefined;
  /** The entries, the one that was inserted as number n at n modulo the ring's length. */
  #ring: (Entry | undefined)[] = emptyRing(INITIAL_PLACES);
  #inserted = 0;
  #length = 0;
  #size = 0;
  #maximumSize: number;

  /** `evicted` is called with each entry that has been taken out. */
  constructor(maximumSize: number, evicted?: (entry: Entry) => void) {
    this.#maximumSize = maximumSize;
    this.#evicted = evicted;
  }

  /** How many entries were ever inserted. */
  get inserted(): number {
    return this.#inserted;
  }

  /** The number of entries. */
  get length(): number {
    return this.#length;
  }

  /** The size of the entries together. */
  get size(): number {
    return this.#size;
  }

  /** The size that {@link size} never exceeds. Lowering it evicts what no longer fits (RFC 7541, section 4.3). */
  get maximumSize(): number {
    return this.#maximumSize;
  }

  set maximumSize(size: number) {
    this.#maximumSize = size;
    this.#evictTo(size);
  }

  /** The entry before which `newer` others were inserted later: 0 is the newest. Undefined if there is none. */
  at(newer: number): Entry | undefined {
    if (newer >= this.#length) return undefined;
    return this.#ring[(this.#inserted - 1 - newer) & (this.#ring.length - 1)];
  }

  /** All entries, the newest first. */
  entries(): Entry[] {
    return Array.from({ length: this.#length }, (_, newer) => this.at(newer)!);
  }

  /**
   * Inserts an entry, evicting the oldest for it. One that is larger than the table empties it, and is not an error (RFC 7541,
   * section 4.4); the answer is then false.
   */
  insert(entry: Entry): boolean {
    const { size } = entry;
    this.#evictTo(Math.max(this.#maximumSize - size, 0));
    if (size > this.#maximumSize) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#inserted & (this.#ring.length - 1)] = entry;
    this.#inserted++;
    this.#length++;
    this.#size += size;
    return true;
  }

  #evictTo(size: number): void {
    while (this.#size > size) {
      const place = (this.#inserted - this.#length) & (this.#ring.length - 1);
      const entry = this.#ring[place]!;
      this.#ring[place] = undefined;
      this.#length--;
      this.#size -= entry.size;
      this.#evicted?.(entry);
    }
  }

  #grow(): void {
    const larger = emptyRing<Entry>(2 * this.#ring.length);
    for (let number = this.#inserted - this.#length; number < this.#inserted; number++) {
      larger[number & (larger.length - 1)] = this.#ring[number & (this.#ring.length - 1)];
    }
    this.#ring = larger;
  }
}

function emptyRing<Entry>(places: number): (Entry | undefined)[] {
  return Array.from({ length: places }, () => undefined);
}
