/** What a field takes of a table or a list beside its name and value (RFC 7541, section 4.1). */
const FIELD_OVERHEAD = 32;

/** A field of a list or of a table: characters stand for bytes, and nothing has been checked about them. */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Whoever sends it on has to keep it out of tables too (RFC 7541, section 6.2.3). */
  readonly neverIndexed: boolean;

  constructor(name: string, value: string, neverIndexed = false) {
    this.name = name;
    this.value = value;
    this.neverIndexed = neverIndexed;
  }

  /** What it takes of a table or a list. */
  get size(): number {
    return fieldSize(this.name, this.value);
  }
}

/** What a field takes of a table or a list (RFC 7541, section 4.1). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + FIELD_OVERHEAD;
}
