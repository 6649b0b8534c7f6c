/** What a spanning tree compares: priority vectors, and the times that come with them (IEEE 802.1D-2004, 17.5 and 17.6). */
import type { BpduConfiguration, BridgeIdentifier } from '../../../wire/index.ts';

/** How good a way to the root is: its components are compared in this order, and the lesser is the better (17.5). */
export interface PriorityVector {
  readonly root: BridgeIdentifier;
  readonly rootPathCost: number;
  readonly designatedBridge: BridgeIdentifier;
  readonly designatedPort: number;
}

/** The times that the root gives to all (17.5), in milliseconds. */
export interface Times {
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

/** The greatest cost a BPDU can tell. */
const GREATEST_COST = 0xffff_ffff;
/** The part of a port's identifier that is its number (9.2.7). */
const PORT_NUMBER = 0x0fff;
/** A neighbour's hello time is taken to be at least this (17.21.13). */
const SHORTEST_HELLO_TIME = 1000;

/** Negative: `a` is the better. 0: they are the same. */
export function comparePriority(a: PriorityVector, b: PriorityVector): number {
  return (
    a.root.compare(b.root) ||
    a.rootPathCost - b.rootPathCost ||
    a.designatedBridge.compare(b.designatedBridge) ||
    a.designatedPort - b.designatedPort
  );
}

/** Whether a message takes the place of what a port has: it is better, or it is the same port's newer word, though worse (17.6). */
export function isSuperior(message: PriorityVector, present: PriorityVector): boolean {
  const order = comparePriority(message, present);
  return order < 0 || (order !== 0 && isOfSamePort(message, present));
}

function isOfSamePort(a: PriorityVector, b: PriorityVector): boolean {
  return (
    a.designatedBridge.mac.equals(b.designatedBridge.mac) &&
    (a.designatedPort & PORT_NUMBER) === (b.designatedPort & PORT_NUMBER)
  );
}

/** The vector with the cost of the receiving port added: the way to the root through it (17.6). */
export function throughPort(vector: PriorityVector, cost: number): PriorityVector {
  return { ...vector, rootPathCost: Math.min(GREATEST_COST, vector.rootPathCost + cost) };
}

/** The vector that a BPDU conveys. */
export function messagePriority({
  root,
  rootPathCost,
  bridge,
  port,
}: BpduConfiguration): PriorityVector {
  return { root, rootPathCost, designatedBridge: bridge, designatedPort: port };
}

/** The times that a BPDU conveys. */
export function messageTimes(bpdu: BpduConfiguration): Times {
  const { messageAge, maxAge, forwardDelay } = bpdu;
  const helloTime = Math.max(SHORTEST_HELLO_TIME, bpdu.helloTime);
  return { messageAge, maxAge, helloTime, forwardDelay };
}

/** Whether all four are the same. */
export function sameTimes(a: Times, b: Times): boolean {
  return (
    a.messageAge === b.messageAge &&
    a.maxAge === b.maxAge &&
    a.helloTime === b.helloTime &&
    a.forwardDelay === b.forwardDelay
  );
}

/** The times one bridge further on: the age goes up by a second, and is rounded to whole ones (17.21.25). */
export function olderTimes(times: Times): Times {
  return { ...times, messageAge: (Math.round(times.messageAge / 1000) + 1) * 1000 };
}
