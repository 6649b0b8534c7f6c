import { NetloomError } from './errors.ts';

/**
 * A cursor that reads big-endian fields from a `Uint8Array` without allocating.
 *
 * Bounds are checked once per field. Reading past the end does not throw: it answers 0 and sets
 * {@link overrun}, so that a parser reads all its fields and asks once whether they were there.
 * (A throw per truncated packet would hand an attacker our stack-trace collector.)
 */
export class ByteReader {
  bytes: Uint8Array;
  /** Index of the next byte to be read, counted from the start of {@link bytes}. */
  offset: number;
  /** Index one past the last byte that may be read. */
  end: number;
  /** A read went past {@link end}; every value since then is 0. */
  overrun = false;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = Math.min(end, bytes.length);
  }

  /** Starts again on other bytes, so that one reader can serve many packets. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.bytes = bytes;
    this.offset = start;
    this.end = Math.min(end, bytes.length);
    this.overrun = false;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Moves the cursor if `length` bytes are there; otherwise marks the overrun. Answers the old offset or -1. */
  #take(length: number): number {
    const at = this.offset;
    if (length < 0 || at + length > this.end) {
      this.overrun = true;
      this.offset = this.end;
      return -1;
    }
    this.offset = at + length;
    return at;
  }

  uint8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  uint24(): number {
    const at = this.#take(3);
    return at < 0 ? 0 : (this.bytes[at]! << 16) | (this.bytes[at + 1]! << 8) | this.bytes[at + 2]!;
  }

  /** 32 bits as a signed integer: the form that stays an integer inside the engine (see {@link readInt32}). */
  int32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : readInt32(this.bytes, at);
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** 48 bits, exact as a number. */
  uint48(): number {
    const at = this.#take(6);
    if (at < 0) return 0;
    return readUint16(this.bytes, at) * 0x1_0000_0000 + (readInt32(this.bytes, at + 2) >>> 0);
  }

  uint64(): bigint {
    const at = this.#take(8);
    if (at < 0) return 0n;
    const high = BigInt(readInt32(this.bytes, at) >>> 0);
    return (high << 32n) | BigInt(readInt32(this.bytes, at + 4) >>> 0);
  }

  /** A view of the next `length` bytes, not a copy; empty after an overrun. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }
}

/**
 * A cursor that writes big-endian fields into a `Uint8Array` of fixed size.
 * Writing past the end throws `BYTES_OVERFLOW`: the writer's caller chose the size, so it is a defect.
 */
export class ByteWriter {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = Math.min(end, bytes.length);
  }

  #claim(length: number): number {
    const at = this.offset;
    if (length < 0 || at + length > this.end) {
      throw new NetloomError(
        'BYTES_OVERFLOW',
        `${length} bytes do not fit: ${this.end - at} are left of the buffer`,
      );
    }
    this.offset = at + length;
    return at;
  }

  uint8(value: number): void {
    const at = this.#claim(1);
    this.bytes[at] = value;
  }

  uint16(value: number): void {
    const at = this.#claim(2);
    writeUint16(this.bytes, at, value);
  }

  uint24(value: number): void {
    const at = this.#claim(3);
    this.bytes[at] = value >>> 16;
    this.bytes[at + 1] = value >>> 8;
    this.bytes[at + 2] = value;
  }

  /** Writes the low 32 bits, of a signed or an unsigned number. */
  uint32(value: number): void {
    const at = this.#claim(4);
    writeUint32(this.bytes, at, value);
  }

  uint48(value: number): void {
    this.uint16(Math.floor(value / 0x1_0000_0000));
    this.uint32(value % 0x1_0000_0000);
  }

  uint64(value: bigint): void {
    this.uint32(Number((value >> 32n) & 0xffff_ffffn));
    this.uint32(Number(value & 0xffff_ffffn));
  }

  /** Copies `source` in. */
  put(source: Uint8Array): void {
    const at = this.#claim(source.length);
    this.bytes.set(source, at);
  }

  /** Writes `length` zeros. */
  zero(length: number): void {
    const at = this.#claim(length);
    this.bytes.fill(0, at, at + length);
  }

  /** A view of what was written since `start`. */
  written(start = 0): Uint8Array {
    return this.bytes.subarray(start, this.offset);
  }
}

/** No bytes. Shared, since there is nothing in it to change. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/** 16 bits at `at`, big-endian. The caller has checked the bounds. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/**
 * 32 bits at `at`, big-endian, as a signed integer. The caller has checked the bounds.
 * Signed, because V8 keeps integers of that range unboxed in fields; half of the unsigned ones it does not.
 */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes 16 bits at `at`, big-endian. */
export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes the low 32 bits of `value` at `at`, big-endian. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** One array with the parts one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * The bytes in an array of their own: for borrowed ones that are kept.
 *
 * Not `bytes.slice()`: Node's `Buffer` is a `Uint8Array` whose `slice` answers a view of the same memory, so that a copy made
 * by it would change with the next packet. And not a `Buffer` either, whatever was given: the next one to copy it may trust in `slice`.
 */
export function copyBytes(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  const isWhole = start === 0 && end === bytes.length;
  return new Uint8Array(isWhole ? bytes : bytes.subarray(start, end));
}

/** Whether both hold the same bytes. Not in constant time: not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lower-case hexadecimal, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

/** Bytes from hexadecimal; white space and colons between digits are passed over. Throws `HEX_INVALID`. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) {
    throw new NetloomError('HEX_INVALID', 'not an even number of hexadecimal digits');
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
