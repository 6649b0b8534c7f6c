import { copyBytes, type Random } from 'netloom/core';

/** Values that length fields, counts and types are most easily wrong with. */
const INTERESTING: readonly number[] = [0, 1, 2, 3, 4, 7, 8, 16, 32, 63, 64, 127, 128, 254, 255];

/** How many changes an input gets at most. */
const MOST_CHANGES = 6;

type Mutation = (input: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;

/** An input made from one of the seeds, or (every eighth, or without seeds) of random bytes alone. */
export function makeInput(
  seeds: readonly Uint8Array[],
  maximumLength: number,
  random: Random,
): Uint8Array {
  if (seeds.length === 0 || random.below(8) === 0) {
    // Short ones more often: most headers are.
    const most = random.below(2) === 0 ? Math.min(64, maximumLength) : maximumLength;
    return random.fill(new Uint8Array(random.below(most + 1)));
  }
  let input: Uint8Array = copyBytes(seeds[random.below(seeds.length)]!);
  for (let changes = random.below(MOST_CHANGES + 1); changes > 0; changes--) {
    input = MUTATIONS[random.below(MUTATIONS.length)]!(input, random, seeds);
  }
  return input.subarray(0, maximumLength);
}

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  setInteresting,
  setInteresting,
  setLength,
  truncate,
  extend,
  remove,
  repeat,
  splice,
];

function flipBit(input: Uint8Array, random: Random): Uint8Array {
  if (input.length > 0) input[random.below(input.length)]! ^= 1 << random.below(8);
  return input;
}

function setByte(input: Uint8Array, random: Random): Uint8Array {
  if (input.length > 0) input[random.below(input.length)] = random.below(256);
  return input;
}

function setInteresting(input: Uint8Array, random: Random): Uint8Array {
  if (input.length > 0) {
    input[random.below(input.length)] = INTERESTING[random.below(INTERESTING.length)]!;
  }
  return input;
}

/** Sets two bytes to what is left behind them, give or take a little: a length field that is nearly right. */
function setLength(input: Uint8Array, random: Random): Uint8Array {
  if (input.length < 2) return input;
  const at = random.below(input.length - 1);
  const length = Math.max(input.length - at - 2 + random.below(5) - 2, 0);
  input[at] = length >>> 8;
  input[at + 1] = length;
  return input;
}

function truncate(input: Uint8Array, random: Random): Uint8Array {
  return copyBytes(input, 0, random.below(input.length + 1));
}

function extend(input: Uint8Array, random: Random): Uint8Array {
  return joined(input, random.fill(new Uint8Array(1 + random.below(32))));
}

function remove(input: Uint8Array, random: Random): Uint8Array {
  const [start, end] = range(input, random);
  return joined(input.subarray(0, start), input.subarray(end));
}

function repeat(input: Uint8Array, random: Random): Uint8Array {
  const [start, end] = range(input, random);
  return joined(input.subarray(0, end), input.subarray(start));
}

/** The start of this input and the end of another seed. */
function splice(input: Uint8Array, random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  const other = seeds[random.below(seeds.length)]!;
  const start = random.below(input.length + 1);
  return joined(input.subarray(0, start), other.subarray(random.below(other.length + 1)));
}

function range(input: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(input.length + 1);
  return [start, start + random.below(Math.min(input.length - start, 32) + 1)];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
