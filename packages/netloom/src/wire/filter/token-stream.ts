import { suggest } from '../../core/index.ts';
import { FilterMistake } from './filter-error.ts';
import { spelling, type Token } from './tokens.ts';

/** Words of the language that are not the name of anything. */
const KEYWORDS: readonly string[] = [
  'and',
  'or',
  'not',
  'src',
  'dst',
  'host',
  'net',
  'mask',
  'port',
  'portrange',
  'proto',
  'broadcast',
  'multicast',
  'vlan',
  'less',
  'greater',
  'len',
];

/** The pieces of an expression, with a place in them. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  readonly #deepest: number;
  #at = 0;
  #depth = 0;

  /** `deepest`: how many parentheses may be open at once. */
  constructor(tokens: readonly Token[], deepest: number) {
    this.#tokens = tokens;
    this.#deepest = deepest;
  }

  /** The place, to come back to by {@link rewind}. */
  get place(): number {
    return this.#at;
  }

  get next(): Token {
    return this.peek(0);
  }

  /** The piece that comes `ahead` after the next. */
  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  rewind(place: number): void {
    this.#at = place;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** Whether the next piece (or the one `ahead` after it) is this word or mark, however it is spelt. */
  is(text: string, ahead = 0): boolean {
    return spelling(this.peek(ahead)) === text;
  }

  /** Takes the next piece if it is this word or mark. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  /** Takes this mark. */
  expect(text: string): void {
    if (!this.accept(text)) throw this.mistake(`'${text}'`);
  }

  /** Reads what is nested one level deeper. */
  nested<T>(read: () => T): T {
    if (this.#depth >= this.#deepest) {
      throw new FilterMistake(this.next.at, `it is nested more than ${this.#deepest} deep`);
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  /** The mistake that the next piece is, where `expected` should stand; a word may have been misspelt for one of `names`. */
  mistake(expected: string, names: Iterable<string> = []): FilterMistake {
    const { kind, text, at } = this.next;
    if (kind === 'end') return new FilterMistake(at, `it ends where ${expected} should follow`);
    const near = kind === 'word' ? suggest(text, [...KEYWORDS, ...names]) : undefined;
    const question = near === undefined ? '' : `; did you mean '${near}'?`;
    return new FilterMistake(at, `'${text}' stands where ${expected} should${question}`);
  }
}
