import { NetloomError } from '../../core/index.ts';
import { INITIAL_TABLE_SIZE } from './dynamic-table.ts';
import { EncoderTable } from './encoder-table.ts';
import { defaultIndexing, type IndexingPolicy } from './indexing.ts';
import { INTEGER_BYTES_AT_MOST, writeInteger, writeString } from './primitive-writer.ts';
import { STATIC_NAMES } from './static-table.ts';

/** What an {@link HpackEncoder} may be told. */
export interface HpackEncoderOptions {
  /** The size that the table has at most, however much the peer allows (4,096). */
  readonly tableSize?: number;
  /** Which fields go into the table ({@link defaultIndexing}). */
  readonly indexing?: IndexingPolicy;
}

/** The bytes that {@link HpackEncoder.begin} writes at most. */
export const BLOCK_START_BYTES_AT_MOST: number = 2 * INTEGER_BYTES_AT_MOST;

/** The bytes that {@link HpackEncoder.field} writes at most for this field. */
export function encodedFieldBytesAtMost(name: string, value: string): number {
  return name.length + value.length + 3 * INTEGER_BYTES_AT_MOST;
}

/**
 * Writes field lists as blocks (RFC 7541), into memory that it is given: {@link begin} a block, then each {@link field}.
 *
 * A block changes the table that the next one is written with, so all that was written has to be sent, in the order it was written.
 */
export class HpackEncoder {
  readonly #ownLimit: number;
  readonly #indexing: IndexingPolicy;
  readonly #table = new EncoderTable(INITIAL_TABLE_SIZE);
  /** The size that the peer's table has, as far as it has been told. */
  #toldSize = INITIAL_TABLE_SIZE;
  /** The smallest size that the table has had since the peer was told last. */
  #smallestSize = INITIAL_TABLE_SIZE;

  constructor(options: HpackEncoderOptions = {}) {
    this.#ownLimit = options.tableSize ?? INITIAL_TABLE_SIZE;
    this.#indexing = options.indexing ?? defaultIndexing;
    this.setTableSize(INITIAL_TABLE_SIZE);
  }

  /** The dynamic table, the newest entry first: a copy, for those who look into it. */
  get table(): readonly { readonly name: string; readonly value: string }[] {
    return this.#table.entries();
  }

  /** Takes the peer's SETTINGS_HEADER_TABLE_SIZE. The next block tells it what was made of that. */
  setTableSize(size: number): void {
    const table = this.#table;
    table.maximumSize = Math.min(size, this.#ownLimit);
    this.#smallestSize = Math.min(this.#smallestSize, table.maximumSize);
  }

  /** Begins a block: writes the table's size if that has changed (RFC 7541, section 4.2). Answers the index after it. */
  begin(output: Uint8Array, at: number): number {
    const size = this.#table.maximumSize;
    const smallest = this.#smallestSize;
    const hasShrunk = smallest < this.#toldSize;
    if (size === this.#toldSize && !hasShrunk) return at;
    requireRoom(output, at, BLOCK_START_BYTES_AT_MOST);
    this.#toldSize = this.#smallestSize = size;
    let next = at;
    // The peer evicts what does not fit the smallest size, as was done here when it was set.
    if (hasShrunk) next = writeInteger(smallest, 5, 0x20, output, next);
    if (size !== smallest) next = writeInteger(size, 5, 0x20, output, next);
    return next;
  }

  /**
   * Writes a field: its name is in lower case, and no character of it or of the value is beyond 255. There has to be room for
   * {@link encodedFieldBytesAtMost}. With `neverIndexed` it is kept out of every table, whatever it is; that is to be said of a field which
   * came so from another connection (RFC 7541, section 6.2.3). Answers the index after it.
   */
  field(output: Uint8Array, at: number, name: string, value: string, neverIndexed = false): number {
    requireRoom(output, at, encodedFieldBytesAtMost(name, value));
    const known = STATIC_NAMES.get(name);
    if (neverIndexed) return this.#literal(output, at, 4, 0x10, name, value, known?.index);
    const index = known?.values.get(value) ?? this.#table.indexOf(name, value);
    if (index > 0) return writeInteger(index, 7, 0x80, output, at);
    const indexing = this.#indexing(name, value, this.#table.maximumSize);
    if (indexing !== 'incremental') {
      const flags = indexing === 'never' ? 0x10 : 0;
      return this.#literal(output, at, 4, flags, name, value, known?.index);
    }
    const next = this.#literal(output, at, 6, 0x40, name, value, known?.index);
    this.#table.insert(name, value);
    return next;
  }

  /** RFC 7541, section 6.2: the name, as an index if a table has it, and the value. */
  #literal(
    output: Uint8Array,
    at: number,
    indexBits: number,
    flags: number,
    name: string,
    value: string,
    staticIndex: number | undefined,
  ): number {
    const index = staticIndex ?? this.#table.indexOfName(name);
    let next = writeInteger(index, indexBits, flags, output, at);
    if (index === 0) next = writeString(name, output, next);
    return writeString(value, output, next);
  }
}

function requireRoom(output: Uint8Array, at: number, length: number): void {
  if (at + length <= output.length) return;
  throw new NetloomError(
    'BYTES_OVERFLOW',
    `a field may take ${length} bytes, and ${output.length - at} are left of the buffer`,
  );
}
