import { NetloomError } from '../../core/index.ts';
import { isFieldValue, isToken } from './characters.ts';

/**
 * Header or trailer fields (RFC 9110, section 5), in the order they were sent, names in lower case. A name may be there more
 * than once: each is a field line of its own.
 */
export class Fields {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  /** From pairs (a web `Headers` too), checked: throws `HTTP_FIELD_INVALID` for a name or value that could not be sent. */
  static from(pairs: Iterable<readonly [string, string]>): Fields {
    const fields = new Fields();
    for (const [name, value] of pairs) fields.append(name, value);
    return fields;
  }

  /** The number of field lines. */
  get size(): number {
    return this.#names.length;
  }

  /** Adds a field line. Throws `HTTP_FIELD_INVALID`: a line break in a value would make another field, or another message, of it. */
  append(name: string, value: string): void {
    if (!isToken(name) || !isFieldValue(value)) {
      throw new NetloomError(
        'HTTP_FIELD_INVALID',
        `the field ${JSON.stringify(name)} has a character in its name or value that HTTP does not allow`,
        { remedy: 'Names are tokens; values have no control characters and none beyond Latin-1.' },
      );
    }
    this.appendParsed(name.toLowerCase(), value);
  }

  /** Adds a field line that a parser has checked already; the name is in lower case. */
  appendParsed(name: string, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  /** Puts one field line in place of all of this name. */
  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  /** Takes out all lines of this name, given in lower case. */
  delete(name: string): void {
    for (let at = this.#names.indexOf(name); at >= 0; at = this.#names.indexOf(name, at)) {
      this.#names.splice(at, 1);
      this.#values.splice(at, 1);
    }
  }

  /** Whether there is a line of this name, given in lower case. */
  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /** The values of this name (in lower case) joined by commas (RFC 9110, section 5.3); undefined if there is none. */
  get(name: string): string | undefined {
    const first = this.#names.indexOf(name);
    if (first < 0) return undefined;
    let value = this.#values[first]!;
    for (let at = first + 1; at < this.#names.length; at++) {
      if (this.#names[at] === name) value += `, ${this.#values[at]}`;
    }
    return value;
  }

  /** How many lines have this name, given in lower case. */
  count(name: string): number {
    let count = 0;
    for (const other of this.#names) if (other === name) count++;
    return count;
  }

  /** Name and value of each line, in order. */
  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let at = 0; at < this.#names.length; at++) yield [this.#names[at]!, this.#values[at]!];
  }
}

/** The members of a comma-separated list of tokens, in lower case; empty members are passed over (RFC 9110, section 5.6.1.2). */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}
