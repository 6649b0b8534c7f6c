import { NetloomError } from '../errors.ts';
import { IpAddress } from './ip-address.ts';

/** An address with a prefix length: a network (`10.0.0.0/8`), or an interface's address in one (`10.1.2.3/8`; RFC 4632). */
export class Cidr {
  readonly address: IpAddress;
  /** 0 to 32, or 0 to 128. */
  readonly prefixLength: number;

  constructor(address: IpAddress, prefixLength: number) {
    const longest = address.family === 4 ? 32 : 128;
    if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > longest) {
      throw new NetloomError(
        'CIDR_INVALID',
        `a prefix length of ${address} is 0 to ${longest}, not ${prefixLength}`,
      );
    }
    this.address = address;
    this.prefixLength = prefixLength;
  }

  /** From text as `10.0.0.0/8` or `2001:db8::/32`. Throws `CIDR_INVALID`. */
  static parse(text: string): Cidr {
    const [, address, length] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
    const parsed = address === undefined ? undefined : IpAddress.tryParse(address);
    if (parsed === undefined) {
      throw new NetloomError('CIDR_INVALID', `'${text}' is not an address with a prefix length`, {
        remedy: 'Write it as 10.0.0.0/8 or 2001:db8::/32.',
      });
    }
    return new Cidr(parsed, Number(length));
  }

  /** Whether `address` is of this network. */
  contains(address: IpAddress): boolean {
    return (
      address.family === this.address.family && samePrefix(this.address, address, bitsOfWords(this))
    );
  }

  /** The network's first address: all host bits 0. */
  get network(): IpAddress {
    return this.#withHostBits(0);
  }

  /** The IPv4 network's last address: all host bits 1 (RFC 919). */
  get broadcast(): IpAddress {
    return this.#withHostBits(-1);
  }

  #withHostBits(fill: number): IpAddress {
    const bits = bitsOfWords(this);
    const { word0, word1, word2, word3, family } = this.address;
    const masked = (word: number, index: number): number => {
      const mask = wordMask(bits, index);
      return (word & mask) | (fill & ~mask);
    };
    return family === 4
      ? IpAddress.v4(masked(word3, 3))
      : IpAddress.v6(masked(word0, 0), masked(word1, 1), masked(word2, 2), masked(word3, 3));
  }

  equals(other: Cidr): boolean {
    return this.prefixLength === other.prefixLength && this.address.equals(other.address);
  }

  toString(): string {
    return `${this.address}/${this.prefixLength}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Whether the first `bits` of the 128 (IPv4 in its mapped form) are the same. */
function samePrefix(a: IpAddress, b: IpAddress, bits: number): boolean {
  return (
    ((a.word0 ^ b.word0) & wordMask(bits, 0)) === 0 &&
    ((a.word1 ^ b.word1) & wordMask(bits, 1)) === 0 &&
    ((a.word2 ^ b.word2) & wordMask(bits, 2)) === 0 &&
    ((a.word3 ^ b.word3) & wordMask(bits, 3)) === 0
  );
}

/** The prefix length counted over all four words, where IPv4 is the last. */
function bitsOfWords({ address, prefixLength }: Cidr): number {
  return address.family === 4 ? 96 + prefixLength : prefixLength;
}

/** The mask of word `index` for a prefix of `bits`. */
function wordMask(bits: number, index: number): number {
  const own = bits - 32 * index;
  return own >= 32 ? -1 : own <= 0 ? 0 : -1 << (32 - own);
}
