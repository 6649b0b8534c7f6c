import type { Random } from 'netloom/core';

/** The input in up to four pieces. */
export function* cut(input: Uint8Array, random: Random): Generator<Uint8Array> {
  let from = 0;
  for (let cuts = random.below(4); cuts > 0; cuts--) {
    const to = from + random.below(input.length - from + 1);
    yield input.subarray(from, to);
    from = to;
  }
  yield input.subarray(from);
}
