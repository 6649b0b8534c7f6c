import type { Counters } from '../../core/index.ts';
import type { TcpConnection } from './connection.ts';
import type { FlowTable } from './flow-table.ts';
import type { TcpTimers } from './layer.ts';
import type { TcpLimits } from './limits.ts';
import { TimeWait } from './time-wait.ts';

/** The connections in TIME-WAIT: bounded, each for twice the maximum segment lifetime. */
export class TimeWaits {
  readonly #limits: TcpLimits;
  readonly #flows: FlowTable;
  readonly #timers: TcpTimers;
  readonly #drops: Counters;
  /** In the order they entered, which is nearly that of their expiry. */
  readonly #all = new Set<TimeWait>();

  constructor(limits: TcpLimits, flows: FlowTable, timers: TcpTimers, drops: Counters) {
    this.#limits = limits;
    this.#flows = flows;
    this.#timers = timers;
    this.#drops = drops;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Puts a small record in the place of a connection that has just been removed from the flows. */
  add(connection: TcpConnection, now: number): void {
    if (this.#all.size >= this.#limits.timeWait) {
      const [oldest] = this.#all;
      this.#drops.add('tcp-time-wait-limit');
      this.remove(oldest!);
    }
    const left = new TimeWait(connection);
    this.#all.add(left);
    this.#flows.add(left);
    this.extend(left, now);
  }

  /** Begins the wait anew: the peer's FIN has come again. */
  extend(left: TimeWait, now: number): void {
    this.#timers.set(left, now + this.#limits.timeWaitDuration);
  }

  remove(left: TimeWait): void {
    this.#all.delete(left);
    this.#flows.remove(left);
    this.#timers.clear(left);
  }

  clear(): void {
    for (const left of this.#all) this.remove(left);
  }
}
