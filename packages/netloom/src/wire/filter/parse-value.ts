import { FilterMistake } from './filter-error.ts';
import { CONSTANTS, PROTOCOLS, protocolOf } from './protocols.ts';
import type { Operator, Relation, Value } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

const RELATIONS: readonly Relation[] = ['=', '!=', '<', '<=', '>', '>='];

/** How strongly each operator binds, as in pcap-filter(7). */
const STRENGTHS: ReadonlyMap<string, number> = new Map([
  ['|', 1],
  ['&', 2],
  ['<<', 3],
  ['>>', 3],
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
]);

/** Operators for which libpcap's grammar has no strength: beside another they take all that follows, which nobody expects. */
const UNRANKED: readonly Operator[] = ['%', '^'];

/** Whether what comes next can only be the beginning of a value. */
export function beginsValue(tokens: TokenStream): boolean {
  return tokens.is('-') || tokens.is('len') || isLoad(tokens) || isConstant(tokens);
}

/** The relation between two values, taken; undefined if none comes next. */
export function acceptRelation(tokens: TokenStream): Relation | undefined {
  return RELATIONS.find((relation) => tokens.accept(relation));
}

/** Reads a value. Throws {@link FilterMistake}. */
export function parseValue(tokens: TokenStream): Value {
  const first = parseOperand(tokens);
  const unranked = acceptUnranked(tokens);
  const { at } = tokens.next;
  const value =
    unranked === undefined
      ? parseRanked(tokens, first, 0)
      : operation(unranked, first, parseOperand(tokens), at);
  const { text } = tokens.next;
  if (STRENGTHS.has(text) || UNRANKED.some((operator) => operator === text)) {
    throw new FilterMistake(
      tokens.next.at,
      `'${text}' beside another operator wants parentheses that say what goes together`,
    );
  }
  return value;
}

function acceptUnranked(tokens: TokenStream): Operator | undefined {
  return UNRANKED.find((operator) => tokens.accept(operator));
}

/** Operators that bind more strongly than `weakest`, from the left. */
function parseRanked(tokens: TokenStream, first: Value, weakest: number): Value {
  let left = first;
  for (;;) {
    const { text, at } = tokens.next;
    const strength = STRENGTHS.get(text);
    if (strength === undefined || strength <= weakest) return left;
    tokens.take();
    const right = parseRanked(tokens, parseOperand(tokens), strength);
    left = operation(text as Operator, left, right, at);
  }
}

/** An operation; what can be seen to go wrong in it is said at once, as tcpdump does. */
function operation(operator: Operator, left: Value, right: Value, at: number): Value {
  if (right.kind === 'constant') {
    if ((operator === '/' || operator === '%') && right.value === 0) {
      throw new FilterMistake(at, 'it divides by zero');
    }
    if ((operator === '<<' || operator === '>>') && right.value > 31) {
      throw new FilterMistake(at, 'it shifts by more than 31 bits');
    }
  }
  return { kind: 'operation', operator, left, right };
}

function parseOperand(tokens: TokenStream): Value {
  if (tokens.accept('-')) {
    return tokens.nested(() => ({ kind: 'negative', operand: parseOperand(tokens) }));
  }
  if (tokens.accept('(')) {
    const value = tokens.nested(() => parseValue(tokens));
    tokens.expect(')');
    return value;
  }
  if (tokens.accept('len')) return { kind: 'length' };
  if (isLoad(tokens)) return parseLoad(tokens);
  const { next } = tokens;
  const constant = next.kind === 'number' ? next.value : CONSTANTS.get(next.text);
  if (constant === undefined) throw tokens.mistake('a number', CONSTANTS.keys());
  tokens.take();
  return { kind: 'constant', value: constant };
}

function isLoad(tokens: TokenStream): boolean {
  return tokens.is('[', 1) && isUnescaped(tokens);
}

function isUnescaped(tokens: TokenStream): boolean {
  return tokens.next.kind === 'word' && !tokens.next.isEscaped;
}

function isConstant(tokens: TokenStream): boolean {
  return isUnescaped(tokens) && CONSTANTS.has(tokens.next.text);
}

/** `protocol[index]` or `protocol[index:size]`. */
function parseLoad(tokens: TokenStream): Value {
  const protocol = protocolOf(tokens.next.text);
  if (protocol === undefined || protocol === 'stp') {
    throw tokens.mistake('the name of a protocol', Object.keys(PROTOCOLS));
  }
  tokens.take();
  tokens.expect('[');
  const index = tokens.nested(() => parseValue(tokens));
  const size = tokens.accept(':') ? parseSize(tokens) : 1;
  tokens.expect(']');
  return { kind: 'load', protocol, index, size };
}

function parseSize(tokens: TokenStream): 1 | 2 | 4 {
  const { next } = tokens;
  const value = next.kind === 'number' ? next.value : undefined;
  if (value !== 1 && value !== 2 && value !== 4) throw tokens.mistake('a size of 1, 2 or 4 bytes');
  tokens.take();
  return value;
}
