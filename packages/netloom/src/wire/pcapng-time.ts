/** The unit of an interface's time stamps: a second divided by a power of 2 or of 10. */
export interface TimeUnit {
  readonly base: 2 | 10;
  readonly exponent: number;
}

/** What holds without the option (draft-ietf-opsawg-pcapng, section 4.2, `if_tsresol`). */
export const microsecondUnit: TimeUnit = { base: 10, exponent: 6 };

/** The unit that a byte of `if_tsresol` names: the highest bit chooses the base. */
export function readTimeUnit(byte: number): TimeUnit {
  return { base: byte >= 0x80 ? 2 : 10, exponent: byte & 0x7f };
}

/** A time stamp in nanoseconds; what is finer is cut off. */
export function toNanoseconds(units: bigint, { base, exponent }: TimeUnit): bigint {
  if (base === 2) return (units * 1_000_000_000n) >> BigInt(exponent);
  return exponent <= 9 ? units * 10n ** BigInt(9 - exponent) : units / 10n ** BigInt(exponent - 9);
}
