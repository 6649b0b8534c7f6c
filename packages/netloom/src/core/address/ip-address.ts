import { readInt32, writeUint32 } from '../bytes.ts';
import { NetloomError } from '../errors.ts';
import { formatIpv6, parseIpv4, parseIpv6 } from './text.ts';

/**
 * An IPv4 or IPv6 address: an immutable value of four 32-bit words.
 *
 * The words are signed integers (V8 keeps those unboxed). An IPv4 address is held as its IPv4-mapped form
 * (RFC 4291, section 2.5.5.2), so one comparison and one hash serve both families.
 */
export class IpAddress {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** The zone of a link-local address (RFC 4007, section 11), as `eth0`; empty when there is none. */
  readonly zone: string;
  #text: string | undefined;

  private constructor(
    family: 4 | 6,
    word0: number,
    word1: number,
    word2: number,
    word3: number,
    zone: string,
  ) {
    this.family = family;
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.zone = zone;
  }

  /** 0.0.0.0 */
  static readonly ANY4: IpAddress = IpAddress.v4(0);
  /** :: */
  static readonly ANY6: IpAddress = IpAddress.v6(0, 0, 0, 0);
  /** 127.0.0.1 */
  static readonly LOOPBACK4: IpAddress = IpAddress.v4(0x7f00_0001);
  /** ::1 */
  static readonly LOOPBACK6: IpAddress = IpAddress.v6(0, 0, 0, 1);
  /** 255.255.255.255 */
  static readonly BROADCAST4: IpAddress = IpAddress.v4(-1);

  /** From the 32 bits of an IPv4 address. */
  static v4(word: number): IpAddress {
    return new IpAddress(4, 0, 0, 0xffff, word | 0, '');
  }

  /** From the four words of an IPv6 address. */
  static v6(word0: number, word1: number, word2: number, word3: number, zone = ''): IpAddress {
    return new IpAddress(6, word0 | 0, word1 | 0, word2 | 0, word3 | 0, zone);
  }

  /** From the 4 bytes at `at`; the caller has checked the bounds. */
  static readV4(bytes: Uint8Array, at: number): IpAddress {
    return IpAddress.v4(readInt32(bytes, at));
  }

  /** From the 16 bytes at `at`; the caller has checked the bounds. */
  static readV6(bytes: Uint8Array, at: number, zone = ''): IpAddress {
    return IpAddress.v6(
      readInt32(bytes, at),
      readInt32(bytes, at + 4),
      readInt32(bytes, at + 8),
      readInt32(bytes, at + 12),
      zone,
    );
  }

  /** From 4 or 16 bytes in network order. Throws `ADDRESS_INVALID` for another length. */
  static fromBytes(bytes: Uint8Array, zone = ''): IpAddress {
    if (bytes.length === 4) return IpAddress.readV4(bytes, 0);
    if (bytes.length === 16) return IpAddress.readV6(bytes, 0, zone);
    throw new NetloomError(
      'ADDRESS_INVALID',
      `an IP address has 4 or 16 bytes, not ${bytes.length}`,
    );
  }

  /** From text, exactly as RFC 4291, section 2.2 and RFC 6943, section 3.1.1 (dotted decimal, no octal) have it. Throws `ADDRESS_INVALID`. */
  static parse(text: string): IpAddress {
    const address = IpAddress.tryParse(text);
    if (address === undefined) {
      throw new NetloomError('ADDRESS_INVALID', `'${text}' is not an IP address`, {
        remedy: 'Write four decimal numbers as 192.0.2.1, or IPv6 as 2001:db8::1.',
      });
    }
    return address;
  }

  /** From text, or undefined if it is not an address. */
  static tryParse(text: string): IpAddress | undefined {
    const four = parseIpv4(text);
    if (four !== undefined) return IpAddress.v4(four);
    const percent = text.indexOf('%');
    const zone = percent < 0 ? '' : text.slice(percent + 1);
    if (percent >= 0 && !ZONE.test(zone)) return undefined;
    const words = parseIpv6(percent < 0 ? text : text.slice(0, percent));
    return words && IpAddress.v6(words[0], words[1], words[2], words[3], zone);
  }

  get isUnspecified(): boolean {
    return (
      this.word3 === 0 &&
      this.word0 === 0 &&
      this.word1 === 0 &&
      (this.family === 4 || this.word2 === 0)
    );
  }

  /** 127.0.0.0/8 or ::1. */
  get isLoopback(): boolean {
    return this.family === 4
      ? this.word3 >>> 24 === 127
      : this.word0 === 0 && this.word1 === 0 && this.word2 === 0 && this.word3 === 1;
  }

  /** 224.0.0.0/4 or ff00::/8. */
  get isMulticast(): boolean {
    return this.family === 4 ? this.word3 >>> 28 === 0xe : this.word0 >>> 24 === 0xff;
  }

  /** 169.254.0.0/16 (RFC 3927) or fe80::/10. */
  get isLinkLocal(): boolean {
    return this.family === 4 ? this.word3 >>> 16 === 0xa9fe : this.word0 >>> 22 === 0x3fa;
  }

  /** Same family, address and zone. */
  equals(other: IpAddress): boolean {
    return (
      this.word3 === other.word3 &&
      this.word2 === other.word2 &&
      this.word1 === other.word1 &&
      this.word0 === other.word0 &&
      this.family === other.family &&
      this.zone === other.zone
    );
  }

  /** 4 or 16 bytes in network order. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.family === 4 ? 4 : 16);
    this.copyTo(bytes, 0);
    return bytes;
  }

  /** Writes its 4 or 16 bytes at `at`. */
  copyTo(bytes: Uint8Array, at: number): void {
    if (this.family === 6) {
      writeUint32(bytes, at, this.word0);
      writeUint32(bytes, at + 4, this.word1);
      writeUint32(bytes, at + 8, this.word2);
      writeUint32(bytes, at + 12, this.word3);
    } else {
      writeUint32(bytes, at, this.word3);
    }
  }

  /** The canonical text: dotted decimal, or RFC 5952. */
  toString(): string {
    this.#text ??=
      this.family === 4
        ? formatIpv4(this.word3)
        : formatIpv6(this.word0, this.word1, this.word2, this.word3) +
          (this.zone === '' ? '' : `%${this.zone}`);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An address and a TCP or UDP port. */
export interface SocketAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  return address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** Whether two ends are the same one. */
export function isSameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.address.equals(b.address);
}

/** A zone is an interface's name: no white space, and neither of the marks that stand beside it in text (RFC 4007, section 11). */
const ZONE = /^[^\s%/]+$/;

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}
