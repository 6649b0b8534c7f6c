import { usageError } from '../command.ts';

/** A duration with its unit, in milliseconds each. */
const TIME_UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };
/** The units that tc(8) has too, in bits per second. */
const RATE_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

const NUMBER = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
const TIME = new RegExp(`^${NUMBER}(us|ms|s)$`);
const RATE = new RegExp(`^${NUMBER}(bit|kbit|mbit|gbit)$`, 'i');
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

/** Bits per second, from text as `10mbit`. Throws `USAGE`. */
export function readRate(option: string, text: string): number {
  const [, number, unit] = RATE.exec(text) ?? [];
  const rate = Number(number) * RATE_UNITS[unit?.toLowerCase() ?? '']!;
  if (rate > 0) return rate;
  throw usageError('run', `${option} wants a rate, as 512kbit, 10mbit or 1gbit, not '${text}'`);
}

/** Milliseconds, from text as `80ms`. Undefined: it is none. */
function parseTime(text: string | undefined): number | undefined {
  const [, number, unit] = TIME.exec(text ?? '') ?? [];
  return number === undefined ? undefined : Number(number) * TIME_UNITS[unit!]!;
}

/** Milliseconds and their spread, from text as `80ms`, `80ms±10ms` or `80ms+-10ms`. Throws `USAGE`. */
export function readDelay(option: string, text: string): Spread {
  const [first, second, ...others] = text.split(/±|\+-/);
  const value = parseTime(first);
  const spread = second === undefined ? 0 : parseTime(second);
  if (value !== undefined && spread !== undefined && spread <= value && others.length === 0) {
    return { value, spread };
  }
  const example = '80ms, 80ms±10ms or 1.5s+-100ms';
  throw usageError(
    'run',
    `${option} wants a time, and if need be by how much it varies, as ${example}, not '${text}'`,
  );
}

/** A probability, from text as `2%`. Throws `USAGE`. */
export function readPercent(option: string, text: string): number {
  const [, number] = PERCENT.exec(text) ?? [];
  const share = Number(number) / 100;
  if (share >= 0 && share <= 1) return share;
  throw usageError('run', `${option} wants a share from 0% to 100%, as 0.5%, not '${text}'`);
}

/** From text as `10s..15s`. Throws `USAGE`. */
export function readPeriod(option: string, text: string): Period {
  const [first, second, ...others] = text.split('..');
  const from = parseTime(first);
  const to = parseTime(second);
  if (from !== undefined && to !== undefined && from < to && others.length === 0) {
    return { from, to };
  }
  throw usageError(
    'run',
    `${option} wants two times, counted from the start, as 10s..15s, not '${text}'`,
  );
}
