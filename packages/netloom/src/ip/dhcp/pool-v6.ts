import { Cidr, IpAddress, NetloomError } from '../../core/index.ts';

/** The most addresses or prefixes of one pool: they are numbered, and the numbers are to stay exact and cheap. */
const LARGEST_POOL = 2 ** 32;

/**
 * What a DHCPv6 server gives out of one kind, numbered: the addresses of a range, as /128, or the prefixes of one length in a
 * block. It knows which are in use, and finds one that is not.
 */
export class Dhcpv6Pool {
  readonly #first: bigint;
  /** Bits that stand behind what is numbered. */
  readonly #shift: bigint;
  readonly #size: number;
  readonly #prefixLength: number;
  readonly #used = new Set<number>();
  /** Numbers that are not for everybody. */
  readonly #kept = new Set<number>();
  /** Where the search goes on: so that what was free longest comes first. */
  #next = 0;
  /** Numbers that are neither used nor kept. */
  #free: number;

  private constructor(first: bigint, size: number, prefixLength: number) {
    this.#first = first;
    this.#size = size;
    this.#free = size;
    this.#prefixLength = prefixLength;
    this.#shift = BigInt(128 - prefixLength);
  }

  /** No addresses, or no prefixes. */
  static readonly EMPTY: Dhcpv6Pool = new Dhcpv6Pool(0n, 0, 128);

  /** The addresses from first to last, both included. Throws `DHCP_POOL_INVALID`. */
  static ofAddresses(subnet: Cidr, first: IpAddress, last: IpAddress): Dhcpv6Pool {
    const size = Number(toBigInt(last) - toBigInt(first)) + 1;
    if (!subnet.contains(first) || !subnet.contains(last) || size < 1 || size > LARGEST_POOL) {
      throw new NetloomError(
        'DHCP_POOL_INVALID',
        `the pool ${first} to ${last} is not a range of ${subnet}, or has more than 2^32 addresses`,
        { remedy: 'Give a first and a last address of the subnet, in this order.' },
      );
    }
    return new Dhcpv6Pool(toBigInt(first), size, 128);
  }

  /** The prefixes of `length` bits in the block. Throws `DHCP_POOL_INVALID`. */
  static ofPrefixes(block: Cidr, length: number): Dhcpv6Pool {
    const bits = length - block.prefixLength;
    if (block.address.family !== 6 || bits < 0 || bits > 32 || length > 127) {
      throw new NetloomError(
        'DHCP_POOL_INVALID',
        `prefixes of ${length} bits cannot be delegated out of ${block}`,
        {
          remedy: 'Give an IPv6 block, and a length of its prefixes at most 32 bits above its own.',
        },
      );
    }
    return new Dhcpv6Pool(toBigInt(block.network), 2 ** bits, length);
  }

  /** How many any client could be given. */
  get free(): number {
    return this.#free;
  }

  /** Whether any client may be given it now. */
  isFree(lease: Cidr): boolean {
    const number = this.#numberOf(lease);
    return number !== undefined && this.#isFree(number);
  }

  /** It is in use from now on. What is not of the pool may be in use as well, and does not matter here. */
  use(lease: Cidr): void {
    this.#change(lease, (number) => this.#used.add(number));
  }

  /** It is in use no longer. */
  unuse(lease: Cidr): void {
    this.#change(lease, (number) => this.#used.delete(number));
  }

  /** It is not for everybody. */
  keep(lease: Cidr): void {
    this.#change(lease, (number) => this.#kept.add(number));
  }

  /** It is for everybody again. */
  unkeep(lease: Cidr): void {
    this.#change(lease, (number) => this.#kept.delete(number));
  }

  /** Any that is free. */
  find(): Cidr | undefined {
    // Known without a search, so that an exhausted pool costs nothing to whoever asks again and again.
    if (this.#free === 0) return undefined;
    for (;;) {
      const number = this.#next;
      this.#next = (number + 1) % this.#size;
      if (this.#isFree(number)) return this.#at(number);
    }
  }

  #change(lease: Cidr, change: (number: number) => void): void {
    const number = this.#numberOf(lease);
    if (number === undefined) return;
    const before = this.#isFree(number);
    change(number);
    this.#free += Number(this.#isFree(number)) - Number(before);
  }

  #isFree(number: number): boolean {
    return !this.#used.has(number) && !this.#kept.has(number);
  }

  #at(number: number): Cidr {
    return new Cidr(fromBigInt(this.#first + (BigInt(number) << this.#shift)), this.#prefixLength);
  }

  #numberOf({ address, prefixLength }: Cidr): number | undefined {
    if (address.family !== 6 || prefixLength !== this.#prefixLength) return undefined;
    const offset = toBigInt(address) - this.#first;
    const number = Number(offset >> this.#shift);
    const isWhole = BigInt(number) << this.#shift === offset;
    return isWhole && number >= 0 && number < this.#size ? number : undefined;
  }
}

function toBigInt({ word0, word1, word2, word3 }: IpAddress): bigint {
  const high = (BigInt(word0 >>> 0) << 32n) | BigInt(word1 >>> 0);
  return (high << 64n) | (BigInt(word2 >>> 0) << 32n) | BigInt(word3 >>> 0);
}

function fromBigInt(value: bigint): IpAddress {
  const word = (index: bigint): number => Number(BigInt.asIntN(32, value >> (32n * (3n - index))));
  return IpAddress.v6(word(0n), word(1n), word(2n), word(3n));
}
