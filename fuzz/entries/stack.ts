/** The whole stack: a router and the hosts on both its sides, attacked with everything at once. */
import { seededRandom } from 'netloom/core';
import type { FuzzEntry } from '../entry.ts';
import { mendFrame } from '../stack/mend.ts';
import { besiege } from '../stack/siege.ts';
import { World } from '../stack/world.ts';

/** The entry. A case is a world of its own and some hundred frames; its input is the first of them. */
export const STACK_ENTRIES: readonly FuzzEntry[] = [
  {
    name: 'stack',
    seeds: new World(seededRandom(1)).seen.map(({ bytes }) => bytes),
    maximumLength: 2000,
    repair: mendFrame,
    run: besiege,
  },
];
