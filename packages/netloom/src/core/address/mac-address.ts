import { NetloomError } from '../errors.ts';
import type { Random } from '../random.ts';

/** A 48-bit Ethernet address (EUI-48): an immutable value, held as 16 upper and 32 lower bits. */
export class MacAddress {
  /** The first two octets. */
  readonly high: number;
  /** The last four octets, as a signed integer. */
  readonly low: number;
  #text: string | undefined;

  constructor(high: number, low: number) {
    this.high = high & 0xffff;
    this.low = low | 0;
  }

  /** ff:ff:ff:ff:ff:ff */
  static readonly BROADCAST: MacAddress = new MacAddress(0xffff, -1);
  /** 00:00:00:00:00:00 */
  static readonly ZERO: MacAddress = new MacAddress(0, 0);

  /** From the six bytes at `at`; the caller has checked the bounds. */
  static read(bytes: Uint8Array, at: number): MacAddress {
    return new MacAddress(
      (bytes[at]! << 8) | bytes[at + 1]!,
      (bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!,
    );
  }

  /** From text as `52:54:00:12:34:56` or with hyphens. Throws `ADDRESS_INVALID`. */
  static parse(text: string): MacAddress {
    if (!/^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)) {
      throw new NetloomError('ADDRESS_INVALID', `'${text}' is not a MAC address`, {
        remedy: 'Write six octets in hexadecimal, as 52:54:00:12:34:56.',
      });
    }
    const digits = text.replaceAll(/[:-]/g, '');
    return new MacAddress(parseInt(digits.slice(0, 4), 16), parseInt(digits.slice(4), 16));
  }

  /** A random unicast address from the locally administered space (IEEE 802, section 8.2). */
  static random(random: Random): MacAddress {
    return new MacAddress((random.below(0x10000) & 0xfcff) | 0x0200, random.uint32());
  }

  /** The address of an IPv4 group (RFC 1112, section 6.4) or an IPv6 group (RFC 2464, section 7). */
  static ofMulticast(family: 4 | 6, lastWord: number): MacAddress {
    return family === 4
      ? new MacAddress(0x0100, 0x5e00_0000 | (lastWord & 0x7f_ffff))
      : new MacAddress(0x3333, lastWord);
  }

  /** The group bit is set: multicast or broadcast. */
  get isGroup(): boolean {
    return (this.high & 0x0100) !== 0;
  }

  /** Whether a station can have it: it is no group's, and not all zeros. */
  get isStation(): boolean {
    return !this.isGroup && !this.equals(MacAddress.ZERO);
  }

  get isBroadcast(): boolean {
    return this.high === 0xffff && this.low === -1;
  }

  equals(other: MacAddress): boolean {
    return this.low === other.low && this.high === other.high;
  }

  /** Exact as a number: a key for tables. */
  toNumber(): number {
    return this.high * 0x1_0000_0000 + (this.low >>> 0);
  }

  /** Writes its six bytes at `at`. */
  copyTo(bytes: Uint8Array, at: number): void {
    bytes[at] = this.high >>> 8;
    bytes[at + 1] = this.high;
    bytes[at + 2] = this.low >>> 24;
    bytes[at + 3] = this.low >>> 16;
    bytes[at + 4] = this.low >>> 8;
    bytes[at + 5] = this.low;
  }

  /** Lower case with colons. */
  toString(): string {
    this.#text ??= this.toNumber()
      .toString(16)
      .padStart(12, '0')
      .replaceAll(/..(?=.)/g, '$&:');
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}
