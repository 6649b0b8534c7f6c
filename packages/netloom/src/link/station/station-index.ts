import type { Random } from '../../core/index.ts';

/** What a {@link StationIndex} holds: it is told its slot, which changes when others come and go. */
export interface Indexed {
  /** Kept by the index. */
  slot: number;
}

/**
 * A slot: the key in two words, the number of a port, and after a word that is not used a time of 64 bits. All that a frame needs lies in
 * one line of the processor's cache.
 */
const SLOT_BITS = 3;
const PORT_WORD = 2;
/** Where the time is in a slot, in units of 64 bits. */
const TIME_WORD = 2;

const FIRST_SLOTS = 256;
/** The bytes of a key. */
const KEY_BYTES = 8;

/**
 * Stations by VLAN and address: a hash table with open addressing and linear probing, at most half full, in one piece of memory. Finding one
 * allocates nothing and takes as long with ten thousand stations as with ten.
 *
 * The hash is simple tabulation: a table of random words for each byte of the key (Pătraşcu and Thorup, "The Power of Simple Tabulation
 * Hashing", 2012, who show that linear probing takes constant time with it). The tables are secret, so nobody outside can choose
 * addresses that collide.
 */
export class StationIndex<Item extends Indexed> {
  readonly #tables = new Int32Array(KEY_BYTES * 256);
  #mask = FIRST_SLOTS - 1;
  #words = new Int32Array(FIRST_SLOTS << SLOT_BITS);
  #times = new Float64Array(this.#words.buffer);
  #items: (Item | undefined)[] = [];
  #size = 0;

  constructor(random: Random) {
    for (let at = 0; at < this.#tables.length; at++) this.#tables[at] = random.uint32();
  }

  get size(): number {
    return this.#size;
  }

  /** The slot of a station; -1: it is not here. */
  find(vlan: number, macHigh: number, macLow: number): number {
    const words = this.#words;
    const key = (vlan << 16) | macHigh;
    let slot = this.#hash(key, macLow) & this.#mask;
    for (;;) {
      const at = slot << SLOT_BITS;
      const found = words[at]!;
      if (found === key && words[at + 1] === macLow) return slot;
      // VLANs begin with 1, so no key has a first word of 0.
      if (found === 0) return -1;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The number of the port that the station is behind. */
  port(slot: number): number {
    return this.#words[(slot << SLOT_BITS) + PORT_WORD]!;
  }

  setPort(slot: number, port: number): void {
    this.#words[(slot << SLOT_BITS) + PORT_WORD] = port;
  }

  /** The time that was last set. */
  time(slot: number): number {
    return this.#times[(slot << (SLOT_BITS - 1)) + TIME_WORD]!;
  }

  setTime(slot: number, time: number): void {
    this.#times[(slot << (SLOT_BITS - 1)) + TIME_WORD] = time;
  }

  item(slot: number): Item {
    return this.#items[slot]!;
  }

  /** All items, in a list of their own. */
  items(): Item[] {
    return this.#items.filter((item) => item !== undefined);
  }

  /** Adds a station that is not here. */
  add(vlan: number, macHigh: number, macLow: number, port: number, time: number, item: Item): void {
    if (2 * (this.#size + 1) > this.#mask + 1) this.#grow();
    this.#size++;
    this.#put((vlan << 16) | macHigh, macLow, port, time, item);
  }

  #put(key0: number, key1: number, port: number, time: number, item: Item): void {
    const words = this.#words;
    let slot = this.#hash(key0, key1) & this.#mask;
    while (words[slot << SLOT_BITS] !== 0) slot = (slot + 1) & this.#mask;
    const at = slot << SLOT_BITS;
    words[at] = key0;
    words[at + 1] = key1;
    words[at + PORT_WORD] = port;
    this.setTime(slot, time);
    this.#items[slot] = item;
    item.slot = slot;
  }

  /** Takes the station of a slot out. Those behind it move up, so that no search ends before it comes to them (Knuth, algorithm 6.4 R). */
  remove(slot: number): void {
    const words = this.#words;
    const mask = this.#mask;
    let free = slot;
    for (let next = (free + 1) & mask; words[next << SLOT_BITS] !== 0; next = (next + 1) & mask) {
      const at = next << SLOT_BITS;
      const home = this.#hash(words[at]!, words[at + 1]!) & mask;
      // It may move to the free slot unless that lies before its home, all counted round the table.
      if (((next - home) & mask) >= ((next - free) & mask)) {
        this.#move(next, free);
        free = next;
      }
    }
    words[free << SLOT_BITS] = 0;
    this.#items[free] = undefined;
    this.#size--;
  }

  #move(from: number, to: number): void {
    this.#words.copyWithin(to << SLOT_BITS, from << SLOT_BITS, (from + 1) << SLOT_BITS);
    const item = this.#items[from]!;
    this.#items[to] = item;
    item.slot = to;
  }

  #grow(): void {
    const words = this.#words;
    const times = this.#times;
    const items = this.#items;
    const slots = 2 * (this.#mask + 1);
    this.#mask = slots - 1;
    this.#words = new Int32Array(slots << SLOT_BITS);
    this.#times = new Float64Array(this.#words.buffer);
    this.#items = [];
    for (const item of items) {
      if (item === undefined) continue;
      const at = item.slot << SLOT_BITS;
      const time = times[(item.slot << (SLOT_BITS - 1)) + TIME_WORD]!;
      this.#put(words[at]!, words[at + 1]!, words[at + PORT_WORD]!, time, item);
    }
  }

  #hash(key0: number, key1: number): number {
    const tables = this.#tables;
    return (
      tables[key0 & 0xff]! ^
      tables[0x100 | ((key0 >>> 8) & 0xff)]! ^
      tables[0x200 | ((key0 >>> 16) & 0xff)]! ^
      tables[0x300 | (key0 >>> 24)]! ^
      tables[0x400 | (key1 & 0xff)]! ^
      tables[0x500 | ((key1 >>> 8) & 0xff)]! ^
      tables[0x600 | ((key1 >>> 16) & 0xff)]! ^
      tables[0x700 | (key1 >>> 24)]!
    );
  }
}
