import { IpAddress, NetloomError, readUint16, writeUint16, type Cidr } from '../../core/index.ts';
import { foldSum, sumWords } from '../../wire/index.ts';

/** A prefix inside and the one it is seen as, of the same length. */
export interface PrefixPair {
  readonly inside: Cidr;
  readonly outside: Cidr;
}

const ADDRESS_LENGTH = 16;
/** A prefix of at most so many bits leaves the subnet's word free to take up the difference. */
const SITE_BITS = 48;
const MAX_BITS = 64;

/**
 * One prefix for another, so that no checksum over the address changes (RFC 6296, section 3.1): by what the sum of the prefix changes, a word behind it changes the
 * other way.
 */
export class PrefixMapping {
  readonly inside: Cidr;
  readonly outside: Cidr;
  /** By what the sum shrinks when the inside prefix becomes the outside one. */
  readonly #outbound: number;
  readonly #inbound: number;

  /** Throws `NAT_PREFIX_INVALID`. */
  constructor({ inside, outside }: PrefixPair) {
    const bits = inside.prefixLength;
    if (inside.address.family !== 6 || outside.address.family !== 6 || bits > MAX_BITS) {
      throw invalid(`${inside} and ${outside} are not IPv6 prefixes of up to ${MAX_BITS} bits`);
    }
    if (bits !== outside.prefixLength) {
      throw invalid(`${inside} and ${outside} are not of the same length`);
    }
    this.inside = inside;
    this.outside = outside;
    const [from, to] = [prefixSum(inside), prefixSum(outside)];
    this.#outbound = foldSum(from + (~to & 0xffff));
    this.#inbound = foldSum(to + (~from & 0xffff));
  }

  /** The address at `at` with the other prefix, in place. False: it has no word that can take up the difference, and stays (RFC 6296, section 3.7, with its erratum). */
  rewrite(bytes: Uint8Array, at: number, isOutbound: boolean): boolean {
    const word = this.#freeWord(bytes, at);
    if (word < 0) return false;
    const { prefixLength, network } = isOutbound ? this.outside : this.inside;
    writePrefix(bytes, at, network.toBytes(), prefixLength);
    const change = isOutbound ? this.#outbound : this.#inbound;
    const sum = foldSum(readUint16(bytes, word) + change);
    // Of the two zeros of ones' complement the one that can be found again.
    writeUint16(bytes, word, sum === 0xffff ? 0 : sum);
    return true;
  }

  /** As {@link rewrite}, of a value. */
  translate(address: IpAddress, isOutbound: boolean): IpAddress | undefined {
    const bytes = address.toBytes();
    return this.rewrite(bytes, 0, isOutbound) ? IpAddress.fromBytes(bytes) : undefined;
  }

  /** Index of the word that takes up the difference: the subnet, or the first of the interface identifier that is not all ones. */
  #freeWord(bytes: Uint8Array, at: number): number {
    const isSite = this.inside.prefixLength <= SITE_BITS;
    const first = at + (isSite ? SITE_BITS / 8 : MAX_BITS / 8);
    // An identifier of zeros is the routers' anycast address (RFC 4291, section 2.6.1), and no host's.
    if (!isSite && isZero(bytes, first, at + ADDRESS_LENGTH)) return -1;
    const end = isSite ? first + 2 : at + ADDRESS_LENGTH;
    for (let word = first; word < end; word += 2) {
      if (readUint16(bytes, word) !== 0xffff) return word;
    }
    return -1;
  }
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function prefixSum({ network }: Cidr): number {
  return foldSum(sumWords(network.toBytes(), 0, ADDRESS_LENGTH));
}

function writePrefix(bytes: Uint8Array, at: number, prefix: Uint8Array, length: number): void {
  const whole = length >>> 3;
  bytes.set(prefix.subarray(0, whole), at);
  const mask = (0xff00 >>> (length & 7)) & 0xff;
  bytes[at + whole] = (prefix[whole]! & mask) | (bytes[at + whole]! & ~mask);
}

function invalid(message: string): NetloomError {
  return new NetloomError('NAT_PREFIX_INVALID', message, {
    remedy: 'Give two IPv6 prefixes of one length, as fd00:1::/48 and 2001:db8:1::/48.',
  });
}
