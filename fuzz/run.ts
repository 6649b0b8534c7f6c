import { copyBytes, seededRandom, toHex, type Random } from 'netloom/core';
import type { FuzzEntry } from './entry.ts';
import { makeInput } from './mutate.ts';

/** Bytes of an input where an entry does not say otherwise. */
const MAXIMUM_LENGTH = 2048;

/** A case that threw, or did not return. */
export interface Failure {
  readonly entry: string;
  readonly seed: number;
  readonly index: number;
  readonly input: Uint8Array;
  /** What was thrown, with its stack; or that it did not return. */
  readonly reason: string;
}

/** Input and randomness of one case: a function of the entry's name, the seed, and the case's number, so that one can be run alone. */
export function makeCase(
  entry: FuzzEntry,
  seed: number,
  index: number,
): { input: Uint8Array; random: Random } {
  // 21 bits of name and seed and 32 of the number fit in a number that is exact.
  const own = (hash(`${entry.name} ${seed}`) >>> 11) * 0x1_0000_0000 + index;
  const random = seededRandom(own);
  const input = makeInput(entry.seeds, entry.maximumLength ?? MAXIMUM_LENGTH, random);
  if (random.below(2) === 0) entry.repair?.(input);
  return { input, random };
}

/** Runs the cases from `first` up to `end`, to the first that fails. `started` hears of each before it runs. */
export function runCases(
  entry: FuzzEntry,
  seed: number,
  first: number,
  end: number,
  started: (index: number) => void = () => {},
): Failure | undefined {
  for (let index = first; index < end; index++) {
    started(index);
    const { input, random } = makeCase(entry, seed, index);
    // What a case does to its input must not change what is reported.
    const given = copyBytes(input);
    try {
      entry.run(given, random);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { entry: entry.name, seed, index, input, reason };
    }
  }
  return undefined;
}

/** A failure as it is printed: what, with which bytes, and the command that shows it again. */
export function formatFailure({ entry, seed, index, input, reason }: Failure): string {
  const indented = reason.replaceAll('\n', '\n    ');
  return [
    `${entry}: case ${index} of seed ${seed} failed`,
    `    ${indented}`,
    `    input, ${input.length} bytes: ${toHex(input)}`,
    `    again: npm run fuzz -- ${entry} --seed ${seed} --case ${index}`,
  ].join('\n');
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
