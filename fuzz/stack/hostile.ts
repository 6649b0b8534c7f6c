/** What all attacks are made from: a frame and what is known of it, addresses that hurt, and numbers near the edge. */
import type { IpAddress, Random } from 'netloom/core';
import { type Ends } from '../../packages/netloom/test/ip/frames.ts';
import {
  ATTACKERS,
  GROUP_MACS,
  ODD_ADDRESSES_V4,
  ODD_ADDRESSES_V6,
  STATIONS,
  TARGETS,
  type Station,
} from './stations.ts';
import type { SeenFrame, World } from './world.ts';

/** A frame that an attacker sends. */
export interface HostileFrame extends SeenFrame {
  /** It may hold bytes that are taken for those of one of the world's victims. */
  readonly isForgery?: boolean;
}

/** Makes the frames of one attack, to be sent one after the other. */
export type Attack = (world: World, random: Random) => HostileFrame[];

/** One of several. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** True once in `times`. */
export function once(random: Random, times: number): boolean {
  return random.below(times) === 0;
}

/** Random bytes, at most so many. */
export function randomBytes(random: Random, most: number): Uint8Array {
  return random.fill(new Uint8Array(random.below(most + 1)));
}

/** IPv4 or IPv6. */
export function randomFamily(random: Random): 4 | 6 {
  return once(random, 2) ? 4 : 6;
}

/** One of the LANs. */
export function randomLan(random: Random): 0 | 1 {
  return random.below(2) as 0 | 1;
}

/** A station's address in one family; of IPv6 it has two. */
export function addressOf(station: Station, family: 4 | 6, random: Random): IpAddress {
  if (family === 4) return station.v4;
  return once(random, 4) ? station.linkLocal : station.v6;
}

/** Any address: a station's, the attacker's, one with a meaning of its own. */
export function anyAddress(random: Random, family: 4 | 6): IpAddress {
  const what = random.below(8);
  if (what === 0) return oneOf(random, family === 4 ? ODD_ADDRESSES_V4 : ODD_ADDRESSES_V6);
  if (what < 3) return addressOf(oneOf(random, ATTACKERS), family, random);
  return addressOf(oneOf(random, Object.values(STATIONS)), family, random);
}

/** Ends that make sense to one station of a LAN at least: it takes the frame, or passes it on. */
export function randomEnds(random: Random, lan: 0 | 1, family: 4 | 6 = randomFamily(random)): Ends {
  const target = oneOf(random, TARGETS[lan]);
  const isRouter = target === STATIONS.routerA || target === STATIONS.routerB;
  const isElsewhere = isRouter ? once(random, 2) : once(random, 16);
  return {
    source: anyAddress(random, family),
    destination: isElsewhere ? anyAddress(random, family) : addressOf(target, family, random),
    sourceMac: once(random, 16) ? target.mac : ATTACKERS[lan].mac,
    destinationMac: once(random, 12) ? oneOf(random, GROUP_MACS) : target.mac,
    ...(once(random, 8) && { hopLimit: oneOf(random, [0, 1, 2, 255]) }),
  };
}
