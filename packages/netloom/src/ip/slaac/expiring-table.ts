import { NOT_QUEUED, type TimerQueue } from '../../core/index.ts';
import type { SlaacTimer } from './timer.ts';

interface Entry<Value> extends SlaacTimer {
  value: Value;
}

/** A bounded table of what routers lend for a time: default routers, prefixes, DNS servers. */
export class ExpiringTable<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #timers: TimerQueue<SlaacTimer>;
  readonly #limit: number;
  readonly #expired: (value: Value) => void;

  /** `timers` is the engine's; `expired` is called when an entry's time is over, after it has gone. */
  constructor(timers: TimerQueue<SlaacTimer>, limit: number, expired: (value: Value) => void) {
    this.#timers = timers;
    this.#limit = limit;
    this.#expired = expired;
  }

  /** In the order they came. */
  values(): Value[] {
    return Array.from(this.#entries.values(), ({ value }) => value);
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Puts a value in, or in the place of another, until then. False: the table is full. */
  set(key: string, value: Value, until: number): boolean {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#entries.size >= this.#limit) return false;
      entry = {
        ...NOT_QUEUED,
        value,
        elapsed: () => {
          const last = this.delete(key);
          if (last !== undefined) this.#expired(last);
        },
      };
      this.#entries.set(key, entry);
    }
    entry.value = value;
    this.#timers.set(entry, until);
    return true;
  }

  /** Takes a value out and answers it. */
  delete(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#timers.clear(entry);
    this.#entries.delete(key);
    return entry.value;
  }

  /** Takes all out and answers them. */
  clear(): Value[] {
    const values = this.values();
    for (const entry of this.#entries.values()) this.#timers.clear(entry);
    this.#entries.clear();
    return values;
  }
}
