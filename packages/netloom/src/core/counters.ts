import type { Channel } from './diagnostics.ts';

/** A count as it is published: whose it is, of what, and how many more there are. */
export interface PublishedCount<Subject> {
  /** What the counters are of: the stack, the link. Live, so look at it and keep what you need. */
  readonly subject: Subject;
  readonly name: string;
  readonly amount: number;
}

/**
 * Counts by name: what was dropped and why, what was refused, what was seen.
 * A name appears with its first count, so that a table of counters shows only what happened.
 */
export class Counters {
  readonly #counts = new Map<string, number>();
  readonly #channel: Channel<PublishedCount<unknown>> | undefined;
  readonly #subject: unknown;

  /** With a channel each count is published there, as one of `subject`. */
  constructor(channel?: Channel<PublishedCount<unknown>>, subject?: unknown) {
    this.#channel = channel;
    this.#subject = subject;
  }

  add(name: string, amount = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount);
    if (this.#channel?.hasSubscribers) {
      this.#channel.publish({ subject: this.#subject, name, amount });
    }
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The sum of all counts. */
  total(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }

  /** A copy, sorted by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}
