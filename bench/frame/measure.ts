/** A round is long enough for the clock and the scheduler to matter little, short enough for many of them. */
const ROUND_MILLISECONDS = 50;

/**
 * How many times `body` did its work per second. `body` is given a count, and loops itself, so that no call is between. `now` tells the time
 * in milliseconds.
 */
export function rate(
  body: (count: number) => void,
  now: () => number = () => performance.now(),
): number {
  let count = 1;
  for (;;) {
    const start = now();
    body(count);
    const elapsed = now() - start;
    if (elapsed >= ROUND_MILLISECONDS) return (1000 * count) / elapsed;
    // Not more than eightfold at once: the first, cold runs say too little.
    const wanted = (1.2 * ROUND_MILLISECONDS) / Math.max(elapsed, 0.001);
    count = Math.ceil(count * Math.min(Math.max(wanted, 1.1), 8));
  }
}

/** The middle value; of an even number the mean of both in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What one more `x` adds to `y`: the slope of the straight line that lies closest (least squares). */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  let above = 0;
  let below = 0;
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY);
    below += (x - meanX) ** 2;
  }
  return above / below;
}

/**
 * What one more byte costs, turned into a rate in gigabytes per second: the throughput that is left when the cost of a call no longer
 * matters. Points are sizes in bytes, and how many of that size are done per second.
 */
export function marginalThroughput(
  points: readonly (readonly [bytes: number, perSecond: number])[],
): number {
  return 1 / slope(points.map(([bytes, perSecond]) => [bytes, 1e9 / perSecond]));
}

/** What {@link keep} was given last. Exported, or the engine might see that nobody looks at it. */
export let kept: unknown;

/** Keeps a value, so that the work that made it cannot be left out. */
export function keep(value: unknown): void {
  kept = value;
}
