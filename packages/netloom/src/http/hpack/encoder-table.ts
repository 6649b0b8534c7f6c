import { DynamicTable } from './dynamic-table.ts';
import { fieldSize } from './header-field.ts';
import { STATIC_TABLE } from './static-table.ts';

/** An entry, with what is needed to find its index and to forget it. */
export interface EncoderEntry {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  /** How many entries were inserted before it. */
  readonly number: number;
}

/** The entries of one name. */
interface Name {
  newest: EncoderEntry;
  /** All of them. Undefined while there is one only, as for nearly every name. */
  byValue: Map<string, EncoderEntry> | undefined;
}

/** The encoder's dynamic table: it finds indexes by name and by name and value, in a time that does not depend on how many entries there are. */
export class EncoderTable {
  readonly #names = new Map<string, Name>();
  readonly #table: DynamicTable<EncoderEntry>;

  constructor(maximumSize: number) {
    this.#table = new DynamicTable<EncoderEntry>(maximumSize, (entry) => this.#forget(entry));
  }

  /** See {@link DynamicTable.maximumSize}. */
  get maximumSize(): number {
    return this.#table.maximumSize;
  }

  set maximumSize(size: number) {
    this.#table.maximumSize = size;
  }

  /** See {@link DynamicTable.entries}. */
  entries(): EncoderEntry[] {
    return this.#table.entries();
  }

  /** The index of the field; 0 if it is not there. */
  indexOf(name: string, value: string): number {
    const known = this.#names.get(name);
    if (known === undefined) return 0;
    const entry = known.newest.value === value ? known.newest : known.byValue?.get(value);
    return entry === undefined ? 0 : this.#index(entry);
  }

  /** The index of the newest field of this name; 0 if there is none. */
  indexOfName(name: string): number {
    const known = this.#names.get(name);
    return known === undefined ? 0 : this.#index(known.newest);
  }

  /** Inserts a field that is not there. */
  insert(name: string, value: string): void {
    const entry = { name, value, size: fieldSize(name, value), number: this.#table.inserted };
    if (!this.#table.insert(entry)) return;
    const known = this.#names.get(name);
    if (known === undefined) {
      this.#names.set(name, { newest: entry, byValue: undefined });
      return;
    }
    known.byValue ??= new Map([[known.newest.value, known.newest]]);
    known.byValue.set(value, entry);
    known.newest = entry;
  }

  /** RFC 7541, section 2.3.3: the newest entry has the index after those of the static table. */
  #index(entry: EncoderEntry): number {
    return STATIC_TABLE.length + this.#table.inserted - entry.number;
  }

  #forget(entry: EncoderEntry): void {
    const known = this.#names.get(entry.name)!;
    // Entries go in the order they came: when the newest of a name goes, it is the last.
    if (known.newest === entry) this.#names.delete(entry.name);
    else known.byValue?.delete(entry.value);
  }
}
