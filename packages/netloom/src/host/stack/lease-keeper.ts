import { toNetloomError, type Clock, type Counters, type NetloomError } from '../../core/index.ts';

/** Leases as they are kept: plain data. */
export interface KeptLeases<LeaseRecord> {
  /** When this was so: milliseconds since 1970. */
  readonly at: number;
  /** `remaining` counts from then. */
  readonly leases: readonly LeaseRecord[];
}

/** A place where leases outlive the process. */
export interface LeaseStore<LeaseRecord> {
  /** What was kept last; undefined: nothing ever was. Rejects with a named error where it cannot be read: nothing is lost silently. */
  load(): Promise<KeptLeases<LeaseRecord> | undefined>;
  /** Keeps this in place of what was kept: it settles when a crash of the machine cannot undo it. Either is there whenever the process ends, never half of one. */
  save(kept: KeptLeases<LeaseRecord>): Promise<void>;
}

/** Where a server keeps its leases. */
export interface LeaseKeeping<LeaseRecord> {
  readonly store: LeaseStore<LeaseRecord>;
  /** Something could not be kept. The server goes on, and keeps all with the next change. Counted as `not-kept` too. */
  readonly failed?: (error: NetloomError) => void;
}

/** Leases of an earlier run, with the time that is left of them now. */
export async function loadLeases<LeaseRecord extends { readonly remaining: number | null }>(
  store: LeaseStore<LeaseRecord>,
  clock: Clock,
): Promise<LeaseRecord[]> {
  const kept = await store.load();
  if (kept === undefined) return [];
  // A clock that was set back must not make leases longer.
  const passed = Math.max(clock.wallTime() - kept.at, 0);
  return kept.leases
    .map((lease) => ({
      ...lease,
      remaining: lease.remaining === null ? null : lease.remaining - passed,
    }))
    .filter(({ remaining }) => remaining === null || remaining > 0);
}

/** Messages that wait for leases to be kept; past it they are dropped, and clients ask again. */
const LONGEST_QUEUE = 4096;

/**
 * Keeps the leases of a running server: a binding is in persistent storage before the client is told of it (RFC 2131, section 3.1,
 * step 4). What many clients ask for at once is kept at once.
 */
export class LeaseKeeper<LeaseRecord extends { readonly isReserved?: true }> {
  readonly #clock: Clock;
  readonly #keeping: LeaseKeeping<LeaseRecord>;
  readonly #leases: () => readonly LeaseRecord[];
  readonly #drops: Counters;
  #isChanged = false;
  #isScheduled = false;
  #saving: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  /** @param leases the server's, as they are when it is called */
  constructor(
    clock: Clock,
    keeping: LeaseKeeping<LeaseRecord>,
    leases: () => readonly LeaseRecord[],
    drops: Counters,
  ) {
    this.#clock = clock;
    this.#keeping = keeping;
    this.#leases = leases;
    this.#drops = drops;
  }

  /** A lease was made, extended or has ended. */
  changed(): void {
    this.#isChanged = true;
    this.#schedule();
  }

  /** Calls back, in order, when all that has changed in this turn is kept. */
  whenKept(callback: () => void): void {
    if (this.#waiting.length >= LONGEST_QUEUE) {
      this.#drops.add('keeping-too-slow');
      return;
    }
    this.#waiting.push(callback);
    this.#schedule();
  }

  /** Keeps what is to be kept, then ends: what waits is not called. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    await this.#saving;
    if (this.#isChanged) await this.#save();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    // Behind the engine's work: it sends first, and tells of the lease after.
    this.#clock.defer(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#saving !== undefined || this.#isClosed) return;
    const ready = this.#waiting;
    this.#waiting = [];
    if (!this.#isChanged) {
      for (const callback of ready) callback();
      return;
    }
    this.#saving = this.#save().then(() => {
      this.#saving = undefined;
      if (this.#isClosed) return;
      for (const callback of ready) callback();
      this.#run();
    });
  }

  async #save(): Promise<void> {
    this.#isChanged = false;
    // What the owner has entered it enters again when it starts.
    const leases = this.#leases().filter(({ isReserved }) => isReserved !== true);
    try {
      await this.#keeping.store.save({ at: this.#clock.wallTime(), leases });
    } catch (error) {
      this.#drops.add('not-kept');
      this.#keeping.failed?.(toNetloomError(error, 'LEASE_FILE_FAILED', 'leases were not kept'));
    }
  }
}
