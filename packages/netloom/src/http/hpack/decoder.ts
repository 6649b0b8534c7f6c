import { EMPTY, withLimits } from '../../core/index.ts';
import { DynamicTable, INITIAL_TABLE_SIZE } from './dynamic-table.ts';
import type { HpackFault } from './fault.ts';
import { HeaderField } from './header-field.ts';
import { HPACK_DECODER_LIMITS, type HpackDecoderLimits } from './limits.ts';
import { NOT_READ, PrimitiveReader } from './primitive-reader.ts';
import { STATIC_TABLE } from './static-table.ts';

/** Why fields of a list were dropped: the list is to be refused (RFC 6585, section 5), the connection goes on. */
export type HpackExcess = 'fields-too-large' | 'too-many-fields';

/**
 * Reads field lists out of blocks, which come in fragments of any cut (RFC 7541): {@link read} each, then {@link end} the block.
 *
 * Fields are read where they stand in a fragment; only one that is spread over several is copied together. A field of a table
 * is the same object each time it is sent. It is total: any bytes give lists or a fault, and after a fault there is
 * nothing any more.
 */
export class HpackDecoder {
  /** After {@link end}: the fields of the block, in order. The array is the caller's. */
  list: HeaderField[] = [];
  /** After {@link end}: why {@link list} is not whole, if it is not. */
  excess: HpackExcess | undefined;
  /** After {@link end}: how many fields were dropped for that. */
  dropped = 0;
  readonly #limits: HpackDecoderLimits;
  readonly #table = new DynamicTable<HeaderField>(INITIAL_TABLE_SIZE);
  readonly #reader = new PrimitiveReader();
  /** What SETTINGS_HEADER_TABLE_SIZE is, as the peer has acknowledged it. */
  #tableSize = INITIAL_TABLE_SIZE;
  /** What the next block has to make the table's size first, at most; Infinity: nothing has to be done. */
  #updateDue = Infinity;
  /** Some of a block has come, and not its end. */
  #isWithinBlock = false;
  /** A field of the block has been read. */
  #hasField = false;
  #blockBytes = 0;
  /** The size of the block's fields, those that were dropped too. */
  #decodedSize = 0;
  /** The beginning of a field whose end has not come. */
  #kept: Uint8Array = EMPTY;
  #keptLength = 0;

  constructor(limits?: Partial<HpackDecoderLimits>) {
    this.#limits = withLimits(HPACK_DECODER_LIMITS, limits);
  }

  /** Why nothing can be decoded any more. */
  get fault(): HpackFault | undefined {
    return this.#reader.fault;
  }

  /** The dynamic table, the newest entry first: a copy, for those who look into it. */
  get table(): readonly HeaderField[] {
    return this.#table.entries();
  }

  /**
   * Takes another SETTINGS_HEADER_TABLE_SIZE: to be called when the peer has acknowledged it. From then on the next block has to
   * begin with an update if the table is larger than that (RFC 7541, section 4.2).
   */
  setTableSize(size: number): void {
    this.#tableSize = size;
    if (size < this.#table.maximumSize) this.#updateDue = Math.min(this.#updateDue, size);
  }

  /** Reads a fragment of a block, borrowed. */
  read(fragment: Uint8Array): HpackFault | undefined {
    if (this.fault !== undefined) return this.fault;
    if (!this.#isWithinBlock) this.#beginBlock();
    this.#blockBytes += fragment.length;
    if (this.#blockBytes > this.#limits.blockBytes) return this.#fail('block-too-large');
    if (this.#keptLength === 0) {
      const read = this.#readFields(fragment, fragment.length);
      if (this.fault === undefined) this.#keep(fragment.subarray(read));
    } else {
      this.#keep(fragment);
      const read = this.#readFields(this.#kept, this.#keptLength);
      if (this.fault === undefined) this.#forget(read);
    }
    return this.fault;
  }

  /** Ends the block: {@link list} is whole, unless there is an {@link excess}. */
  end(): HpackFault | undefined {
    if (this.fault !== undefined) return this.fault;
    if (!this.#isWithinBlock) this.#beginBlock();
    this.#isWithinBlock = false;
    if (this.#keptLength > 0) return this.#fail('truncated');
    this.#kept = EMPTY;
    return undefined;
  }

  #beginBlock(): void {
    this.#isWithinBlock = true;
    this.#hasField = false;
    this.#blockBytes = this.#decodedSize = this.dropped = 0;
    this.list = [];
    this.excess = undefined;
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#keptLength + bytes.length;
    if (length > this.#kept.length) {
      // Doubled, so that a field that trickles in is not copied once for each byte.
      const larger = new Uint8Array(Math.max(256, 2 * this.#kept.length, length));
      larger.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = length;
  }

  /** Takes the first bytes out of what was kept. */
  #forget(length: number): void {
    this.#kept.copyWithin(0, length, this.#keptLength);
    this.#keptLength -= length;
  }

  /** Reads the fields that are whole. Answers where the first one begins that is not. */
  #readFields(bytes: Uint8Array, length: number): number {
    const reader = this.#reader;
    reader.begin(bytes, length);
    let start = 0;
    while (start < length && this.#readField() && this.fault === undefined) start = reader.at;
    reader.release();
    return start;
  }

  /** Reads what comes next (RFC 7541, section 6), which is told by its first bits. False: it is not all there, or has a fault. */
  #readField(): boolean {
    const first = this.#reader.peek()!;
    if ((first & 0xe0) === 0x20) return this.#readTableSizeUpdate();
    if (!this.#hasField) {
      if (this.#updateDue !== Infinity) return this.#failField('table-size-update-missing');
      this.#hasField = true;
    }
    if ((first & 0x80) !== 0) return this.#readIndexed();
    return (first & 0x40) !== 0
      ? this.#readLiteral(6, true, false)
      : this.#readLiteral(4, false, (first & 0x10) !== 0);
  }

  /** RFC 7541, section 6.1. */
  #readIndexed(): boolean {
    const index = this.#reader.integer(7);
    if (index === NOT_READ) return false;
    const field = this.#entry(index);
    if (field === undefined) return this.#failField('index-invalid');
    this.#append(field);
    return true;
  }

  /** RFC 7541, section 6.2: the index of a name, or a name, and a value. */
  #readLiteral(indexBits: number, isIndexed: boolean, neverIndexed: boolean): boolean {
    const reader = this.#reader;
    const index = reader.integer(indexBits);
    if (index === NOT_READ) return false;
    const named = index === 0 ? undefined : this.#entry(index);
    if (index !== 0 && named === undefined) return this.#failField('index-invalid');
    // Strings are read when both are there: read again with each fragment, a long one would be work without end.
    const nameAt = reader.at;
    if (named === undefined && !reader.passString()) return false;
    const valueAt = reader.at;
    if (!reader.passString()) return false;
    reader.at = nameAt;
    const name = named === undefined ? reader.string() : named.name;
    reader.at = valueAt;
    const value = reader.string();
    if (reader.fault !== undefined) return false;
    const field = new HeaderField(name, value, neverIndexed);
    if (isIndexed) this.#table.insert(field);
    this.#append(field);
    return true;
  }

  /** RFC 7541, section 6.3. */
  #readTableSizeUpdate(): boolean {
    const size = this.#reader.integer(5);
    if (size === NOT_READ) return false;
    // RFC 7541, section 4.2: at the beginning of a block, before its first field.
    if (this.#hasField) return this.#failField('table-size-update-late');
    if (size > Math.min(this.#tableSize, this.#updateDue)) {
      return this.#failField('table-size-update-too-large');
    }
    this.#updateDue = Infinity;
    this.#table.maximumSize = size;
    return true;
  }

  /** The entry of an index in the address space of both tables (RFC 7541, section 2.3.3). */
  #entry(index: number): HeaderField | undefined {
    return index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table.at(index - STATIC_TABLE.length - 1);
  }

  /** Adds a field to the list, or drops it. */
  #append(field: HeaderField): void {
    this.#decodedSize += field.size;
    if (this.#decodedSize > this.#limits.decodedSize) {
      this.#fail('list-too-large');
      return;
    }
    if (this.#decodedSize > this.#limits.listSize) this.excess ??= 'fields-too-large';
    else if (this.list.length >= this.#limits.fieldCount) this.excess ??= 'too-many-fields';
    if (this.excess === undefined) this.list.push(field);
    else this.dropped++;
  }

  #failField(fault: HpackFault): false {
    this.#fail(fault);
    return false;
  }

  #fail(fault: HpackFault): HpackFault {
    this.#reader.fault = fault;
    this.#kept = EMPTY;
    this.#keptLength = 0;
    return fault;
  }
}
