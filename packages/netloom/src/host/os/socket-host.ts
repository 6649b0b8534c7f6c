import {
  Counters,
  hostError,
  secureRandom,
  withLimits,
  type Clock,
  type Random,
} from '../../core/index.ts';
import { PendingOperations } from '../pending.ts';
import { SystemClock } from './clock.ts';
import { OS_HOST_LIMITS, type OsContext, type OsHostLimits, type SocketKind } from './context.ts';

/** What every host on the operating system's sockets takes. */
export interface SocketHostOptions {
  /** Default: `os`, or the path of the socket. */
  readonly name?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<OsHostLimits>;
}

/** What hosts on the operating system's sockets have in common: how much they may have open, and that it ends with them. */
export abstract class SocketHost implements AsyncDisposable {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What was dropped or refused, by reason. */
  readonly drops: Counters = new Counters();
  protected readonly context: OsContext;
  protected readonly pending: PendingOperations = new PendingOperations();
  #closed: Promise<void> | undefined;

  /** @param name unless the options have one */
  constructor(name: string, sockets: SocketKind, options: SocketHostOptions) {
    this.name = options.name ?? name;
    this.clock = options.clock ?? new SystemClock();
    this.random = options.random ?? secureRandom();
    this.context = {
      name: this.name,
      sockets,
      clock: this.clock,
      limits: withLimits(OS_HOST_LIMITS, options.limits),
      drops: this.drops,
      open: new Set(),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Throws `TOO_MANY_OPEN`. */
  protected checkLimit(): void {
    const { open, limits } = this.context;
    if (open.size < limits.open) return;
    this.drops.add('open-limit');
    throw hostError('TOO_MANY_OPEN', `${this.name} has ${open.size} open, which is its limit`);
  }

  async #closeAll(): Promise<void> {
    this.pending.close();
    await Promise.all([...this.context.open].map((thing) => thing.close()));
  }
}
