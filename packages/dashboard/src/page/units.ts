/** Quantities as people read them. */

const RATE_UNITS = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'];
const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bits per second, as `1.2 Mbit/s`. */
export function formatRate(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, 1000, RATE_UNITS);
}

/** Bytes, as `1.2 MiB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, SIZE_UNITS);
}

/** A whole number with its thousands apart. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** So many each second; few are told exactly. */
export function formatPerSecond(count: number): string {
  return `${count > 0 && count < 10 ? Number(count.toPrecision(2)) : formatCount(count)}/s`;
}

/** A delay, as `80 ms` or `1.5 s`. */
export function formatDelay(milliseconds: number): string {
  if (milliseconds >= 1000) return `${threeDigits(milliseconds / 1000)} s`;
  return `${threeDigits(milliseconds)} ms`;
}

/** A probability, as `2 %`. */
export function formatShare(share: number): string {
  return `${threeDigits(share * 100)} %`;
}

/** A stretch of time in its two largest units, as `1 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min ${seconds % 60} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  // What would be rounded up to the base is one of the next unit.
  while (rest >= base - 0.5 && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  return `${unit === 0 ? Math.round(rest) : threeDigits(rest)} ${units[unit]}`;
}

function threeDigits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
