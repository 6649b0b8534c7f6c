/** Quantities as people write them, on command lines and in files. Each reader answers undefined for text that it does not know. */

/** Milliseconds. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** The units that tc(8) has too, in bits per second. */
const RATE_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
/** Bytes: with a decimal prefix, and with a binary one (IEC 80000-13). */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  kib: 2 ** 10,
  mib: 2 ** 20,
};

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
const TIME = new RegExp(`^${NUMBER}(us|ms|s|m|h|d)$`);
const RATE = new RegExp(`^${NUMBER}(bit|kbit|mbit|gbit)$`, 'i');
const SIZE = new RegExp(`^${NUMBER}(b|kb|mb|kib|mib)$`, 'i');
const PERCENT = new RegExp(`^${NUMBER}%$`);

/** A value, and by how much it may differ, either way. */
export interface Spread {
  readonly value: number;
  readonly spread: number;
}

/** A stretch of time, in milliseconds from the start. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds, from text as `80ms`, `5m` or `12h`. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = TIME.exec(text) ?? [];
  return unit === undefined ? undefined : finite(Number(number) * TIME_UNITS[unit]!);
}

/** Milliseconds and their spread, from text as `80ms`, `80ms±10ms` or `80ms+-10ms`. The spread is not larger than the value. */
export function parseSpread(text: string): Spread | undefined {
  const [first, second, ...others] = text.split(/±|\+-/);
  const value = parseDuration(first!);
  const spread = second === undefined ? 0 : parseDuration(second);
  const isWhole = value !== undefined && spread !== undefined && others.length === 0;
  return isWhole && spread <= value ? { value, spread } : undefined;
}

/** Bits per second, more than 0, from text as `10mbit`. */
export function parseRate(text: string): number | undefined {
  const [, number, unit] = RATE.exec(text) ?? [];
  if (unit === undefined) return undefined;
  const rate = finite(Number(number) * RATE_UNITS[unit.toLowerCase()]!);
  return rate === 0 ? undefined : rate;
}

/** Whole bytes, from text as `256KiB`, `1.5MB` or `9000B`. */
export function parseSize(text: string): number | undefined {
  const [, number, unit] = SIZE.exec(text) ?? [];
  if (unit === undefined) return undefined;
  const size = Math.round(Number(number) * SIZE_UNITS[unit.toLowerCase()]!);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** A probability, 0 to 1, from text as `2%`. */
export function parsePercent(text: string): number | undefined {
  const [, number] = PERCENT.exec(text) ?? [];
  if (number === undefined) return undefined;
  const share = Number(number) / 100;
  return share <= 1 ? share : undefined;
}

/** From text as `10s..15s`: the second is later. */
export function parsePeriod(text: string): Period | undefined {
  const [first, second, ...others] = text.split('..');
  const from = parseDuration(first!);
  const to = second === undefined ? undefined : parseDuration(second);
  const isWhole = from !== undefined && to !== undefined && others.length === 0;
  return isWhole && from < to ? { from, to } : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
