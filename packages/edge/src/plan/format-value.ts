import type { PlanValue } from './plan.ts';

/** Milliseconds, largest unit first. */
const DURATIONS: readonly (readonly [size: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
  [1, 'ms'],
];
/** Bits per second. */
const RATES: readonly (readonly [size: number, unit: string])[] = [
  [1e9, 'gbit'],
  [1e6, 'mbit'],
  [1e3, 'kbit'],
  [1, 'bit'],
];

/** How the numbers at the end of a path are written; others as they are. */
const FORMATS: Readonly<Record<string, (value: number) => string>> = {
  delay: duration,
  jitter: duration,
  lease: duration,
  ageing: duration,
  rate: (value) => inUnits(value, RATES),
  loss: percent,
  reorder: percent,
  duplicate: percent,
  corrupt: percent,
};

/** Keys whose values say what they are. */
const SPEAKING = new Set(['addresses', 'kind', 'mac', 'network', 'subject', 'verdict']);

/** A value at a path of a model as people write it in files: `10mbit`, `80ms`, `2%`. */
export function formatValue(path: string, value: PlanValue): string {
  if (value === null) return 'none';
  if (typeof value === 'number') {
    const format = FORMATS[path.slice(path.lastIndexOf('.') + 1)];
    return format === undefined ? String(value) : format(value);
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (isList(value)) {
    return value.length === 0 ? 'none' : value.map((one) => formatValue(path, one)).join(', ');
  }
  const parts = Object.entries(value).map(([key, one]) =>
    SPEAKING.has(key) ? formatValue(key, one) : `${key} ${formatValue(key, one)}`,
  );
  return parts.length === 0 ? 'none' : parts.join(' ');
}

function isList(value: PlanValue): value is readonly PlanValue[] {
  return Array.isArray(value);
}

function duration(value: number): string {
  return inUnits(value, DURATIONS);
}

function percent(value: number): string {
  return `${Number((value * 100).toPrecision(6))}%`;
}

/** In the largest unit of which it is a whole number, or else in the smallest. */
function inUnits(value: number, units: readonly (readonly [number, string])[]): string {
  const [size, unit] = units.find(([one]) => value >= one && value % one === 0) ?? units.at(-1)!;
  return `${value / size}${unit}`;
}
