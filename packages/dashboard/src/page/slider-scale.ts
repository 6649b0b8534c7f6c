/** What the positions of a slider mean: steps that grow with the value, since what matters between 1 and 2 ms does not between 1 and 2 s. */

/** Steps within each power of ten: numbers that people ask for. */
const MANTISSAS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/** See the file's head. Null is the position where there is nothing of it. */
export interface SliderScale {
  /** Positions are whole numbers from 0 to this. */
  readonly last: number;
  valueAt(position: number): number | null;
  /** The position of the value that is nearest. */
  positionOf(value: number | null): number;
}

/** From nothing at the left to the most at the right. */
export function growingScale(least: number, most: number): SliderScale {
  const steps = stepsBetween(least, most);
  return {
    last: steps.length,
    valueAt: (position) => (position === 0 ? null : steps[position - 1]!),
    positionOf: (value) => (value === null || value === 0 ? 0 : nearest(steps, value) + 1),
  };
}

/** From the least at the left to no limit at the right. */
export function limitScale(least: number, most: number): SliderScale {
  const steps = stepsBetween(least, most);
  return {
    last: steps.length,
    valueAt: (position) => (position === steps.length ? null : steps[position]!),
    positionOf: (value) => (value === null ? steps.length : nearest(steps, value)),
  };
}

function stepsBetween(least: number, most: number): number[] {
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const decades = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return decades
    .flatMap((decade) => MANTISSAS.map((one) => Number(`${one}e${decade}`)))
    .filter((step) => step >= least && step <= most);
}

function nearest(steps: readonly number[], value: number): number {
  const distances = steps.map((step) => Math.abs(Math.log(step / value)));
  return distances.indexOf(Math.min(...distances));
}
