import { Cidr, IpAddress } from '../../core/index.ts';
import { FilterMistake } from './filter-error.ts';
import { PORTS, PROTOCOLS, protocolOf, type Protocol } from './protocols.ts';
import type { Direction, Expression } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

/** What an identifier is said to be; it holds for the bare ones after it too. */
export interface Qualifiers {
  readonly protocol: Protocol | undefined;
  readonly direction: Direction;
  readonly type: 'host' | 'net' | 'port' | 'portrange' | 'proto';
  /** Where they begin. */
  readonly at: number;
}

const TYPES = ['host', 'net', 'port', 'portrange'] as const;
const LARGEST_PORT = 0xffff;

/** Reads the words before an identifier; undefined if none come next (a protocol alone is none). */
export function parseQualifiers(tokens: TokenStream): Qualifiers | undefined {
  const start = tokens.place;
  const { at } = tokens.next;
  const protocol = tokens.next.kind === 'word' ? protocolOf(tokens.next.text) : undefined;
  if (protocol !== undefined) tokens.take();
  const direction = parseDirection(tokens);
  const type = TYPES.find((word) => tokens.accept(word));
  if (type === undefined && direction === undefined && tokens.accept('proto')) {
    return { protocol, direction: 'either', type: 'proto', at };
  }
  if (type === undefined && direction === undefined) {
    tokens.rewind(start);
    return undefined;
  }
  return { protocol, direction: direction ?? 'either', type: type ?? 'host', at };
}

function parseDirection(tokens: TokenStream): Direction | undefined {
  const first = tokens.is('src') ? 'src' : tokens.is('dst') ? 'dst' : undefined;
  if (first === undefined) return undefined;
  tokens.take();
  const other = first === 'src' ? 'dst' : 'src';
  if (!tokens.is(other, 1)) return first;
  const direction = tokens.is('or') ? 'either' : tokens.is('and') ? 'both' : undefined;
  // `src or dst port 80` is one direction; `src 10.0.0.1 or dst 10.0.0.2` does not come here.
  if (direction === undefined) return first;
  tokens.take();
  tokens.take();
  return direction;
}

/** Reads an identifier of the kind that the qualifiers name. Throws {@link FilterMistake}. */
export function parseIdentifier(tokens: TokenStream, qualifiers: Qualifiers): Expression {
  switch (qualifiers.type) {
    case 'port':
    case 'portrange':
      return parsePorts(tokens, qualifiers);
    case 'proto':
      return parseNumber(tokens, qualifiers);
    default:
      return qualifiers.protocol === 'ether'
        ? parseStation(tokens, qualifiers)
        : parseAddress(tokens, qualifiers);
  }
}

function wrongProtocol({ protocol, type, at }: Qualifiers, fitting: string): FilterMistake {
  return new FilterMistake(at, `'${protocol} ${type}' means nothing: ${fitting}`);
}

function parsePorts(tokens: TokenStream, qualifiers: Qualifiers): Expression {
  const { protocol, direction, type } = qualifiers;
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw wrongProtocol(qualifiers, 'tcp, udp and sctp have ports');
  }
  const one = parsePort(tokens);
  const other = type === 'portrange' && tokens.accept('-') ? parsePort(tokens) : one;
  const first = Math.min(one, other);
  return { kind: 'port', protocol, direction, first, last: Math.max(one, other) };
}

function parsePort(tokens: TokenStream): number {
  const { next } = tokens;
  const port = next.kind === 'number' ? next.value : PORTS.get(withoutEscape(next.text));
  if (port === undefined || port > LARGEST_PORT) {
    throw tokens.mistake('a port from 0 to 65535', PORTS.keys());
  }
  tokens.take();
  return port;
}

function withoutEscape(text: string): string {
  return text.startsWith('\\') ? text.slice(1) : text;
}

function parseNumber(tokens: TokenStream, qualifiers: Qualifiers): Expression {
  const { protocol } = qualifiers;
  if (protocol !== undefined && protocol !== 'ether' && protocol !== 'ip' && protocol !== 'ip6') {
    throw wrongProtocol(qualifiers, "write 'ether proto', 'ip proto', 'ip6 proto' or 'proto'");
  }
  const { next } = tokens;
  const over = protocol === 'ether' ? 'ether' : 'ip';
  const named = protocolOf(withoutEscape(next.text));
  const mark = named === undefined ? undefined : PROTOCOLS[named];
  const number =
    next.kind === 'number' ? next.value : mark?.over === over ? mark.number : undefined;
  if (number === undefined) {
    const names = Object.entries(PROTOCOLS).flatMap(([name, it]) => (it.over === over ? name : []));
    throw tokens.mistake(`a number, or the name of a protocol over ${over}`, names);
  }
  tokens.take();
  return { kind: 'number', of: protocol ?? 'any-ip', number };
}

function parseStation(tokens: TokenStream, qualifiers: Qualifiers): Expression {
  const { next } = tokens;
  if (qualifiers.type !== 'host') throw wrongProtocol(qualifiers, "write 'ether host'");
  if (next.kind !== 'mac') throw tokens.mistake('an Ethernet address, as 02:00:00:00:00:01,');
  tokens.take();
  return { kind: 'station', direction: qualifiers.direction, address: next.address };
}

function parseAddress(tokens: TokenStream, qualifiers: Qualifiers): Expression {
  const { protocol, direction } = qualifiers;
  const isFitting =
    protocol === undefined ||
    protocol === 'ip' ||
    protocol === 'ip6' ||
    protocol === 'arp' ||
    protocol === 'rarp';
  if (!isFitting) throw wrongProtocol(qualifiers, 'ip, ip6, arp and rarp have such addresses');
  const { at } = tokens.next;
  const { address, mask } = parseMasked(tokens, qualifiers.type === 'net');
  if (protocol !== undefined && (protocol === 'ip6') !== (address.family === 6)) {
    throw new FilterMistake(at, `${address} is no address of ${protocol}`);
  }
  if (!isWithin(address, mask)) {
    throw new FilterMistake(at, `${address} has bits set that are not of the network`);
  }
  return { kind: 'host', protocol, direction, address, mask };
}

function isWithin(address: IpAddress, mask: IpAddress): boolean {
  return (
    (address.word0 & ~mask.word0) === 0 &&
    (address.word1 & ~mask.word1) === 0 &&
    (address.word3 & ~mask.word3) === 0 &&
    (address.family === 4 || (address.word2 & ~mask.word2) === 0)
  );
}

interface Masked {
  readonly address: IpAddress;
  readonly mask: IpAddress;
}

/** An address, alone or with a prefix length or a mask. */
function parseMasked(tokens: TokenStream, isNetwork: boolean): Masked {
  const { next } = tokens;
  if (next.kind === 'mac') {
    throw new FilterMistake(next.at, `an Ethernet address is written 'ether host ${next.text}'`);
  }
  if (next.kind === 'word' && !next.isEscaped) {
    const mistake = tokens.mistake('an address');
    throw new FilterMistake(next.at, `${mistake.message} (names are not looked up)`);
  }
  if (next.kind === 'ipv6') {
    tokens.take();
    return { address: next.address, mask: maskOf(6, parsePrefix(tokens, 128) ?? 128) };
  }
  const bytes = next.kind === 'dotted' ? next.bytes : isNetwork ? firstByte(tokens) : undefined;
  if (bytes === undefined) throw tokens.mistake('an address');
  if (bytes.length < 4 && !isNetwork) {
    throw new FilterMistake(next.at, `'${next.text}' is the beginning of an address: write net`);
  }
  tokens.take();
  const address = IpAddress.fromBytes(Uint8Array.from({ length: 4 }, (_, i) => bytes[i] ?? 0));
  if (isNetwork && tokens.accept('mask')) return { address, mask: parseMask(tokens) };
  return { address, mask: maskOf(4, parsePrefix(tokens, 32) ?? 8 * bytes.length) };
}

/** `net 10` is 10.0.0.0/8. */
function firstByte(tokens: TokenStream): readonly number[] | undefined {
  const { next } = tokens;
  return next.kind === 'number' && next.value > 0 && next.value <= 255 ? [next.value] : undefined;
}

function parsePrefix(tokens: TokenStream, longest: number): number | undefined {
  if (!tokens.accept('/')) return undefined;
  const { next } = tokens;
  if (next.kind !== 'number' || next.value > longest) {
    throw tokens.mistake(`a prefix length from 0 to ${longest}`);
  }
  tokens.take();
  return next.value;
}

function parseMask(tokens: TokenStream): IpAddress {
  const { next } = tokens;
  if (next.kind !== 'dotted' || next.bytes.length < 4) {
    throw tokens.mistake('a mask, as 255.255.0.0,');
  }
  tokens.take();
  return IpAddress.fromBytes(Uint8Array.from(next.bytes));
}

function maskOf(family: 4 | 6, prefixLength: number): IpAddress {
  const ones = family === 4 ? IpAddress.v4(-1) : IpAddress.v6(-1, -1, -1, -1);
  return new Cidr(ones, prefixLength).network;
}
