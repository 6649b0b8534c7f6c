/** One case: a world, a number of attacks on it, and what must hold meanwhile and afterwards. */
import assert from 'node:assert/strict';
import { toHex, type Random } from 'netloom/core';
import type { IpStack } from 'netloom/ip';
import { ETHERNET_HEADER_LENGTH } from 'netloom/wire';
import { arpLies, blame, echoes, groups, icmpErrors, ndpLies, routerLies } from './control.ts';
import type { Conversation } from './conversation.ts';
import { oneOf, once, type Attack, type HostileFrame } from './hostile.ts';
import { checkAftermath, checkConversations, checkLimits } from './oracle.ts';
import {
  datagrams,
  ethernet,
  extensionHeaders,
  fragmentFlood,
  fragments,
  lieAboutOffload,
  mutate,
  noise,
  options,
  oversize,
  replay,
} from './packets.ts';
import { framesReceived, mayLeaveNoTrace, reckon } from './reckoning.ts';
import { floodWithSyns, hitVictim, land, missQuiet, scatter } from './segments.ts';
import { World, type SeenFrame } from './world.ts';

/** Attacks in one case. */
const LEAST_ATTACKS = 16;
const MORE_ATTACKS = 40;

/** By how often they come. */
const ATTACKS: readonly (readonly [number, Attack])[] = [
  [3, noise],
  [10, mutate],
  [2, replay],
  [3, lieAboutOffload],
  [1, oversize],
  [2, datagrams],
  [3, fragments],
  [3, extensionHeaders],
  [2, options],
  [2, ethernet],
  [2, icmpErrors],
  [4, blame],
  [2, echoes],
  [2, arpLies],
  [3, ndpLies],
  [2, routerLies],
  [2, groups],
  [12, hitVictim],
  [2, scatter],
  [12, missQuiet],
  [1, floodWithSyns],
  [1, land],
];
const WEIGHTED: readonly Attack[] = ATTACKS.flatMap(([times, attack]) =>
  Array.from({ length: times }, () => attack),
);
/** Each of them once. */
export const ATTACK_KINDS: readonly Attack[] = [
  ...ATTACKS.map(([, attack]) => attack),
  fragmentFlood,
];
const WITHOUT_LIES = WEIGHTED.filter((attack) => attack !== arpLies && attack !== ndpLies);

/** Runs one case; `input` is the first frame that the attackers send. Throws if something does not hold. */
export function besiege(input: Uint8Array, random: Random): void {
  const world = new World(random);
  // What may forge what victims hear tells nothing of whether they hear right, so it is left out of every second case; and
  // so are lies about neighbours, which may cost those in peace their conversations.
  const mayForge = once(random, 2);
  const attacks = once(random, 2) ? WEIGHTED : WITHOUT_LIES;
  const lan = once(random, 2) ? 0 : 1;
  const first: HostileFrame = { lan, bytes: input, offload: undefined, isForgery: true };
  explain('the input', () => strike(world, [first], random));
  // Rare, because it takes as long as all others together.
  if (once(random, 16)) {
    explain('fragmentFlood', () => strike(world, fragmentFlood(world, random), random));
  }
  for (let left = LEAST_ATTACKS + random.below(MORE_ATTACKS); left > 0; left--) {
    const attack = oneOf(random, attacks);
    explain(attack.name, () => {
      const frames = attack(world, random);
      strike(world, mayForge ? frames : frames.filter(({ isForgery }) => !isForgery), random);
      goOn(world, random);
    });
  }
  explain('the aftermath', () => checkAftermath(world, random));
}

/** Sends the frames, one by one or together. */
function strike(world: World, frames: readonly HostileFrame[], random: Random): void {
  for (const frame of frames) noteForgery(world, frame);
  const isBatch = frames.length > 1 && once(random, 2);
  if (isBatch) {
    for (const frame of frames) world.queue(frame);
    world.settle();
  } else {
    for (const frame of frames) injectTraced(world, frame);
  }
  checkLimits(world);
  checkConversations(world);
}

/** Time goes by, in which the innocents talk. */
function goOn(world: World, random: Random): void {
  if (once(random, 2)) world.talk(random);
  world.pass(once(random, 16) ? 1000 + random.below(10_000) : random.below(50));
  checkConversations(world);
}

/** No frame that a stack was given may vanish: it is counted as dropped, or it changes something, or it is answered. */
function injectTraced(world: World, frame: SeenFrame): void {
  world.settle();
  if (frame.bytes.length < ETHERNET_HEADER_LENGTH || mayLeaveNoTrace(frame.bytes)) {
    world.inject(frame);
    return;
  }
  const stacks = world.stacksOn(frame.lan);
  const before = stacks.map(traceOf);
  const { datagrams: heard } = world;
  world.inject(frame);
  if (world.datagrams !== heard) return;
  for (const [i, stack] of stacks.entries()) {
    const { received, value } = traceOf(stack);
    // Where there is another one, it is what the frame has brought about.
    if (received !== before[i]!.received + 1 || value !== before[i]!.value) continue;
    assert.fail(`a frame that left no trace: ${toHex(frame.bytes)}`);
  }
}

function traceOf(stack: IpStack): { received: number; value: number } {
  return { received: framesReceived(stack), value: reckon(stack) };
}

/** From now on nobody can tell what the victims hear whose ports the frame has in it. */
function noteForgery({ victims }: World, { bytes, isForgery }: HostileFrame): void {
  if (isForgery !== true) return;
  for (const victim of victims) victim.isForged ||= hasPortsOf(bytes, victim);
}

function hasPortsOf(bytes: Uint8Array, { clientPort, serverPort }: Conversation): boolean {
  const there = (clientPort << 16) | serverPort;
  const back = (serverPort << 16) | clientPort;
  let word = 0;
  for (const byte of bytes) {
    word = (word << 8) | byte;
    if (word === there || word === back) return true;
  }
  return false;
}

/** Says which attack it was that something went wrong in. */
function explain(attack: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${attack}: ${text}`, { cause: error });
  }
}
