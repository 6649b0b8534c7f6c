import { parseIdentifier, parseQualifiers, type Qualifiers } from './parse-identifier.ts';
import { acceptRelation, beginsValue, parseValue } from './parse-value.ts';
import { FilterMistake } from './filter-error.ts';
import { CONSTANTS, PROTOCOLS, protocolOf } from './protocols.ts';
import type { Expression, Value } from './syntax.ts';
import { TokenStream } from './token-stream.ts';
import { tokenize } from './tokens.ts';

/** VLAN identifiers have 12 bits (IEEE 802.1Q, clause 9.6). */
const LARGEST_VLAN = 0xfff;

/** What an expression says, and the qualifiers that hold for a bare number or address after it. */
interface Parsed {
  readonly expression: Expression;
  readonly qualifiers: Qualifiers | undefined;
}

/** Reads an expression of at least one primitive. `deepest`: how deep it may be nested. Throws {@link FilterMistake}. */
export function parseFilter(text: string, deepest: number): Expression {
  const tokens = new TokenStream(tokenize(text), deepest);
  const { expression } = new Parser(tokens).expression(undefined);
  if (tokens.next.kind !== 'end') throw tokens.mistake("'and', 'or' or the end");
  return expression;
}

/** Recursive descent; the grammar is that of pcap-filter(7). */
class Parser {
  readonly #tokens: TokenStream;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  /** `and` and `or` bind alike, from the left. `context`: what holds for a bare identifier. */
  expression(context: Qualifiers | undefined): Parsed {
    let { expression: left, qualifiers } = this.#term(context);
    for (;;) {
      const kind = this.#tokens.is('and') ? 'and' : this.#tokens.is('or') ? 'or' : undefined;
      if (kind === undefined) return { expression: left, qualifiers };
      this.#tokens.take();
      const right = this.#term(qualifiers);
      left = { kind, left, right: right.expression };
      qualifiers = right.qualifiers;
    }
  }

  #term(context: Qualifiers | undefined): Parsed {
    if (!this.#tokens.accept('not')) return this.#primitive(context);
    const { expression, qualifiers } = this.#tokens.nested(() => this.#term(context));
    return { expression: { kind: 'not', operand: expression }, qualifiers };
  }

  #primitive(context: Qualifiers | undefined): Parsed {
    const tokens = this.#tokens;
    const relation = this.#relation();
    if (relation !== undefined) return { expression: relation, qualifiers: undefined };
    if (tokens.accept('(')) {
      const inner = tokens.nested(() => this.expression(context));
      tokens.expect(')');
      // As in libpcap, what was said within the parentheses does not hold after them.
      return { expression: inner.expression, qualifiers: context };
    }
    const other = this.#other();
    if (other !== undefined) return { expression: other, qualifiers: undefined };
    const qualifiers = parseQualifiers(tokens);
    if (qualifiers !== undefined) return this.#identifiers(qualifiers);
    const protocol = tokens.next.kind === 'word' ? protocolOf(tokens.next.text) : undefined;
    if (protocol !== undefined) {
      tokens.take();
      return { expression: { kind: 'protocol', protocol }, qualifiers: undefined };
    }
    return this.#bareIdentifier(context);
  }

  /** What stands after qualifiers: one identifier, or several in parentheses. */
  #identifiers(qualifiers: Qualifiers): Parsed {
    const tokens = this.#tokens;
    if (!tokens.accept('(')) {
      return { expression: parseIdentifier(tokens, qualifiers), qualifiers };
    }
    const { expression } = tokens.nested(() => this.expression(qualifiers));
    tokens.expect(')');
    return { expression, qualifiers };
  }

  #bareIdentifier(context: Qualifiers | undefined): Parsed {
    const tokens = this.#tokens;
    const { kind, at, text } = tokens.next;
    if (context !== undefined) {
      return { expression: parseIdentifier(tokens, context), qualifiers: context };
    }
    if (kind === 'word' || kind === 'mark' || kind === 'end') {
      throw tokens.mistake('a condition', [...Object.keys(PROTOCOLS), ...CONSTANTS.keys()]);
    }
    const word = kind === 'number' ? 'port' : kind === 'mac' ? 'ether host' : 'host';
    throw new FilterMistake(at, `say what '${text}' is, as in '${word} ${text}'`);
  }

  /**
   * A comparison of values; undefined if none comes next. A parenthesis or a number may begin one, and may not: that is known when the
   * sign between the values comes.
   */
  #relation(): Expression | undefined {
    const tokens = this.#tokens;
    if (beginsValue(tokens)) {
      return this.#comparison(parseValue(tokens)) ?? fail(tokens.mistake('a comparison'));
    }
    if (!tokens.is('(') && tokens.next.kind !== 'number') return undefined;
    const start = tokens.place;
    let left: Value;
    try {
      left = parseValue(tokens);
    } catch (error) {
      if (!(error instanceof FilterMistake)) throw error;
      tokens.rewind(start);
      return undefined;
    }
    const comparison = this.#comparison(left);
    if (comparison === undefined) tokens.rewind(start);
    return comparison;
  }

  #comparison(left: Value): Expression | undefined {
    const relation = acceptRelation(this.#tokens);
    if (relation === undefined) return undefined;
    return { kind: 'relation', relation, left, right: parseValue(this.#tokens) };
  }

  /** Primitives that are a word of their own. */
  #other(): Expression | undefined {
    const tokens = this.#tokens;
    if (tokens.accept('broadcast')) return { kind: 'broadcast' };
    if (tokens.accept('multicast')) return { kind: 'multicast', of: 'ether' };
    if (tokens.accept('less')) return this.#lengthRelation('<=');
    if (tokens.accept('greater')) return this.#lengthRelation('>=');
    if (tokens.accept('vlan')) return { kind: 'vlan', identifier: this.#vlanIdentifier() };
    return this.#qualifiedCast();
  }

  /** `less 100`, which means at most. */
  #lengthRelation(relation: '<=' | '>='): Expression {
    const { next } = this.#tokens;
    if (next.kind !== 'number') throw this.#tokens.mistake('a number of bytes');
    this.#tokens.take();
    const right: Value = { kind: 'constant', value: next.value };
    return { kind: 'relation', relation, left: { kind: 'length' }, right };
  }

  #vlanIdentifier(): number | undefined {
    const { next } = this.#tokens;
    if (next.kind !== 'number') return undefined;
    if (next.value > LARGEST_VLAN) throw this.#tokens.mistake('a VLAN from 0 to 4095');
    this.#tokens.take();
    return next.value;
  }

  /** `ip multicast`, `ether broadcast`. */
  #qualifiedCast(): Expression | undefined {
    const tokens = this.#tokens;
    const isBroadcast = tokens.is('broadcast', 1);
    if (!isBroadcast && !tokens.is('multicast', 1)) return undefined;
    const { text, at } = tokens.next;
    const of = protocolOf(text);
    if (of !== 'ether' && (isBroadcast || (of !== 'ip' && of !== 'ip6'))) {
      const known = isBroadcast ? "'ether broadcast'" : "'ether', 'ip' or 'ip6 multicast'";
      throw new FilterMistake(at, `there is no '${text} ${tokens.peek(1).text}', only ${known}`);
    }
    tokens.take();
    tokens.take();
    return isBroadcast ? { kind: 'broadcast' } : { kind: 'multicast', of };
  }
}

function fail(mistake: FilterMistake): never {
  throw mistake;
}
