/** Where things stand, and the paths between them, as SVG has it. */

/** A place in the picture, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The radius of a path's corners. */
const CORNER = 8;

/** Moves places, in rising order, as little as may be so that they keep their distance, within bounds. */
export function spread(
  wanted: readonly number[],
  { spacing, least, most }: { spacing: number; least: number; most: number },
): number[] {
  const right: number[] = [];
  for (const x of wanted) right.push(Math.max(x, least, (right.at(-1) ?? -Infinity) + spacing));
  const left: number[] = [];
  for (const x of wanted.toReversed())
    left.unshift(Math.min(x, most, (left[0] ?? Infinity) - spacing));
  const between = right.map((x, i) => (x + left[i]!) / 2);
  // Between two that keep their distance everything does; the bounds may still be left at either end.
  const over = Math.max(0, (between.at(-1) ?? most) - most);
  const under = Math.max(0, least - ((between[0] ?? least) - over));
  return between.map((x) => x - over + under);
}

/** A path between two places, one above the other, that leaves and arrives upright. */
export function curve(from: Point, to: Point): string {
  const middle = (from.y + to.y) / 2;
  return `M${from.x} ${from.y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
}

/** A path of straight pieces with round corners. */
export function polyline(points: readonly Point[]): string {
  const [first, ...others] = points;
  const pieces = others.map((corner, i) => {
    const next = others[i + 1];
    if (next === undefined) return `L${corner.x} ${corner.y}`;
    const before = i === 0 ? first! : others[i - 1]!;
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, next) / 2);
    const begin = towards(corner, before, radius);
    const end = towards(corner, next, radius);
    return `L${begin.x} ${begin.y}Q${corner.x} ${corner.y} ${end.x} ${end.y}`;
  });
  return `M${first!.x} ${first!.y}${pieces.join('')}`;
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function towards(from: Point, to: Point, length: number): Point {
  const share = length / (distance(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}
