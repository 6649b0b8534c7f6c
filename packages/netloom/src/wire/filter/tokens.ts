import { IpAddress, MacAddress } from '../../core/index.ts';
import { FilterMistake } from './filter-error.ts';

/** A piece of an expression, and where it stands. */
export type Token = { readonly at: number; readonly text: string } & (
  | { readonly kind: 'word'; readonly isEscaped: boolean }
  | { readonly kind: 'number'; readonly value: number }
  /** One to four decimal numbers with dots: an IPv4 address, or the first bytes of one. */
  | { readonly kind: 'dotted'; readonly bytes: readonly number[] }
  | { readonly kind: 'ipv6'; readonly address: IpAddress }
  | { readonly kind: 'mac'; readonly address: MacAddress }
  | { readonly kind: 'mark' }
  | { readonly kind: 'end' }
);

const SPACE = /\s+/y;
const MAC = /[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(?:\1[0-9a-f]{1,2}){4}(?![\w:.-])/iy;
const IPV6 = /(?=[0-9a-f:.]*:[0-9a-f:.]*:)[0-9a-f:.]+/iy;
const DOTTED = /[0-9]+(?:\.[0-9]+){1,3}(?![\w.])/y;
const NUMBER = /(?:0x[0-9a-f]+|[0-9]+)(?!\w)/iy;
const WORD = /\\?[a-z_][\w.]*(?:-[\w.]+)*/iy;
const MARK = /&&|\|\||<<|>>|<=|>=|==|!=|[!&|^()[\]:/<>=+*%-]/y;

/** A mark that is only another spelling. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
  ['==', '='],
]);

/** Cuts an expression into its pieces; the last is the end. Throws {@link FilterMistake}. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  // Between brackets a colon stands before a size, and nothing there is an address.
  let brackets = 0;
  let at = 0;
  while ((at = skipSpace(text, at)) < text.length) {
    const token = tokenAt(text, at, brackets === 0);
    if (token.text === '[') brackets++;
    else if (token.text === ']') brackets--;
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', at: text.length, text: '' });
  return tokens;
}

/** What a mark or a word says, whichever way it is spelt. */
export function spelling(token: Token): string {
  if (token.kind === 'word') return token.isEscaped ? '' : token.text;
  return token.kind === 'mark' ? (SPELLINGS.get(token.text) ?? token.text) : '';
}

function skipSpace(text: string, at: number): number {
  return at + (match(SPACE, text, at)?.length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function tokenAt(text: string, at: number, mayBeAddress: boolean): Token {
  const address = mayBeAddress ? addressAt(text, at) : undefined;
  if (address !== undefined) return address;
  const number = match(NUMBER, text, at);
  if (number !== undefined) return { kind: 'number', at, text: number, value: read(number, at) };
  const word = match(WORD, text, at);
  if (word !== undefined) {
    return { kind: 'word', at, text: word, isEscaped: word.startsWith('\\') };
  }
  const mark = match(MARK, text, at);
  if (mark !== undefined) return { kind: 'mark', at, text: mark };
  throw new FilterMistake(at, `'${visible(text.codePointAt(at)!)}' means nothing here`);
}

/** A character, or its number if it has no form. */
function visible(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  const number = codePoint.toString(16).toUpperCase().padStart(4, '0');
  return /\p{C}/u.test(character) ? `U+${number}` : character;
}

function addressAt(text: string, at: number): Token | undefined {
  const mac = match(MAC, text, at);
  if (mac !== undefined) {
    const octets = mac.split(/[:-]/).map((octet) => octet.padStart(2, '0'));
    return { kind: 'mac', at, text: mac, address: MacAddress.parse(octets.join(':')) };
  }
  const ipv6 = match(IPV6, text, at);
  if (ipv6 !== undefined) {
    const address = IpAddress.tryParse(ipv6);
    if (address?.family === 6) return { kind: 'ipv6', at, text: ipv6, address };
    throw new FilterMistake(at, `'${ipv6}' is neither an IPv6 nor an Ethernet address`);
  }
  const dotted = match(DOTTED, text, at);
  if (dotted === undefined) return undefined;
  const bytes = dotted.split('.').map(Number);
  if (bytes.some((byte) => byte > 255)) {
    throw new FilterMistake(at, `'${dotted}' is no IPv4 address: a number in it is over 255`);
  }
  return { kind: 'dotted', at, text: dotted, bytes };
}

/** Decimal, hexadecimal after `0x`, octal after `0`, as in C. */
function read(text: string, at: number): number {
  const isOctal = /^0[0-9]+$/.test(text);
  if (isOctal && /[89]/.test(text)) {
    throw new FilterMistake(at, `'${text}' begins with 0 and so is octal, which has no 8 and 9`);
  }
  const value = isOctal ? parseInt(text, 8) : Number(text);
  if (value <= 0xffff_ffff) return value;
  throw new FilterMistake(at, `${text} does not fit into 32 bits`);
}
