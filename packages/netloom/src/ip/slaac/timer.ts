import type { TimerEntry } from '../../core/index.ts';

/** What all timers of autoconfiguration have in common, so that one queue serves them. */
export interface SlaacTimer extends TimerEntry {
  elapsed(now: number): void;
}

/** A lifetime of a router's message, in seconds, as milliseconds: all bits set are for ever (RFC 4861, section 4.6.2). */
export function lifetimeOf(seconds: number): number {
  return seconds === 0xffff_ffff ? Infinity : seconds * 1000;
}
