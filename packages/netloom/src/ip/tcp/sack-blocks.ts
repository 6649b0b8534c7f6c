import { after, before } from './sequence.ts';

/** The index of the block from `first` up to `count` that ends lowest beyond `from`; -1: there is none. `edges` are pairs (RFC 2018, section 3). */
export function lowestBlock(edges: Int32Array, first: number, count: number, from: number): number {
  let lowest = -1;
  for (let i = first; i < count; i++) {
    const end = edges[2 * i + 1]!;
    if (after(end, from) && (lowest < 0 || before(end, edges[2 * lowest + 1]!))) lowest = i;
  }
  return lowest;
}
