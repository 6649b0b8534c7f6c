import {
  IpAddress,
  MacAddress,
  NetloomError,
  abortError,
  hostError,
  toNetloomError,
  withLimits,
  type Clock,
  type Random,
  type ResolveOptions,
} from '../../core/index.ts';
import { deadlockError } from './deadlock.ts';
import { SIM_LIMITS, type SimLimits } from './limits.ts';
import { SimHost, type SimMachineOptions } from './machine.ts';
import { SimNetwork, type SimNetworkOptions } from './network.ts';
import { randomOf } from './seeds.ts';
import { SimClock } from './sim-clock.ts';
import { SimTrace, type SimFrame } from './trace.ts';
import { runTurns } from './turns.ts';

/** What a world is made from. */
export interface SimWorldOptions {
  /** A whole number from 0 on. Everything that happens is a function of it. */
  readonly seed: number;
  /** Is shown every frame with its fate. It must neither throw nor touch the world. */
  readonly trace?: (frame: SimFrame) => void;
  /** Ends a run that is under way, with `ABORTED`. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<SimLimits>;
}

/** What has happened in a world so far. */
export interface SimReport {
  /** Milliseconds. */
  readonly virtualTime: number;
  /** Callbacks run: timers, and what was deferred. */
  readonly events: number;
  /** Frames whose fate was sealed, and how many of them were lost. */
  readonly frames: number;
  readonly lost: number;
  /** The hash of all frames with their times and fates. Two runs with the same hash were the same. */
  readonly hash: string;
}

/**
 * A world of machines and networks in virtual time: what runs in it is a function of the seed, on every machine. It takes as long as it has
 * work to do, since time jumps from one event to the next.
 */
export function simWorld(options: SimWorldOptions): SimWorld {
  return new SimWorld(options);
}

/** See {@link simWorld}. */
export class SimWorld implements AsyncDisposable {
  readonly seed: number;
  readonly #clock: SimClock;
  readonly #limits: SimLimits;
  readonly #trace: SimTrace;
  readonly #signal: AbortSignal | undefined;
  readonly #machines = new Map<string, SimHost>();
  readonly #networks = new Map<string, SimNetwork>();
  readonly #names = new Map<string, readonly IpAddress[]>();
  #macs = 0;
  #running = false;
  #closed: Promise<void> | undefined;

  constructor({ seed, trace, signal, limits }: SimWorldOptions) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new NetloomError('SIM_SEED_INVALID', `a seed is a whole number from 0 on, not ${seed}`);
    }
    this.seed = seed;
    this.#signal = signal;
    this.#limits = withLimits(SIM_LIMITS, limits);
    this.#clock = new SimClock(this.#limits.callbacksPerInstant);
    this.#trace = new SimTrace(this.#clock, this.#limits.traceFrames, trace);
  }

  /** The world's time; it goes on in {@link run} only. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Milliseconds since the world began. */
  now(): number {
    return this.#clock.now();
  }

  /** Randomness of its own for whoever asks under this name, a function of the seed and the name. */
  random(name: string): Random {
    return randomOf(this.seed, `user:${name}`);
  }

  /** Makes a machine. Its name in the world's names is `NAME.sim`. */
  machine(name: string, options: SimMachineOptions = {}): SimHost {
    this.#checkName(name, 'machine', this.#machines, this.#limits.machines);
    const { on = [], ...rest } = options;
    const made = new SimHost({
      ...rest,
      name,
      clock: this.#clock,
      random: randomOf(this.seed, `machine:${name}`),
      resolver: (asked, resolving) => this.#resolve(asked, resolving),
    });
    this.#machines.set(name, made);
    for (const network of on instanceof SimNetwork ? [on] : on) made.attach(network);
    return made;
  }

  /** Makes a network that machines can be plugged into. */
  network(name: string, options: SimNetworkOptions = {}): SimNetwork {
    this.#checkName(name, 'network', this.#networks, this.#limits.networks);
    const number = this.#networks.size + 1;
    const subnets = [`10.${number}.0.0/16`, `fd00:${number.toString(16)}::/64`];
    const made = new SimNetwork(name, options, subnets, {
      clock: this.#clock,
      trace: this.#trace,
      random: (part) => randomOf(this.seed, part),
      nextMac: () => new MacAddress(0x0200, ++this.#macs),
    });
    this.#networks.set(name, made);
    return made;
  }

  /** A network of two machines, called `A-B` after them: a cable between the two. */
  link(a: SimHost, b: SimHost, options: SimNetworkOptions = {}): SimNetwork {
    const made = this.network(`${a.name}-${b.name}`, { maximumStations: 2, ...options });
    a.attach(made);
    b.attach(made);
    return made;
  }

  /** Makes a name known to all machines, beside `NAME.sim` for each machine. */
  addName(name: string, addresses: readonly (IpAddress | string)[]): void {
    const parsed = addresses.map((address) =>
      typeof address === 'string' ? IpAddress.parse(address) : address,
    );
    this.#names.set(name.toLowerCase(), parsed);
  }

  /** Settles after so many virtual milliseconds. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.timer(resolve).set(this.now() + milliseconds);
    });
  }

  /** The outcome of the work, or `SIM_OVERDUE` if that takes longer than so many virtual milliseconds. */
  async within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
    const overdue = Promise.withResolvers<never>();
    const timer = this.#clock.timer(() => {
      overdue.reject(
        new NetloomError(
          'SIM_OVERDUE',
          `${what} took more than ${milliseconds} ms of virtual time`,
        ),
      );
    });
    timer.set(this.now() + milliseconds);
    try {
      return await Promise.race([work, overdue.promise]);
    } finally {
      timer.clear();
    }
  }

  /**
   * Lets time go on until the work is settled, and answers what it gave; or until a time is reached. Between any two callbacks of
   * the clock every promise reaction runs that can. Rejects with `SIM_DEADLOCK` when nothing is under way and the work is not
   * settled, `SIM_OVERDUE` or `SIM_STUCK` past the world's limits, and with what a callback of the clock throws.
   */
  run(until: number): Promise<void>;
  run<T>(work: Promise<T>): Promise<T>;
  run<T>(work: Promise<T> | number): Promise<T | void> {
    if (this.#running) {
      return Promise.reject(
        new NetloomError('SIM_RUNNING', 'the world is run already', {
          remedy: 'Await the run that is under way, or what you want from within it.',
        }),
      );
    }
    this.#running = true;
    const running = typeof work === 'number' ? this.#runUntil(work) : this.#runWork(work);
    return running.finally(() => {
      this.#running = false;
    });
  }

  /** What has happened so far. */
  report(): SimReport {
    const { frames, lost, hash } = this.#trace;
    return { virtualTime: this.now(), events: this.#clock.steps, frames, lost, hash };
  }

  /** The last frames as lines, oldest first. */
  trace(): string[] {
    return this.#trace.lines();
  }

  /** Closes all machines, running the world for it where nobody does. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(): Promise<void> {
    const closing = Promise.all([...this.#machines.values()].map((machine) => machine.close()));
    // Whoever asks may be about to run the world: `world.run(work())` begins the work before the run.
    await Promise.resolve();
    await (this.#running ? closing : this.run(closing));
  }

  #runUntil(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#drive(until, reject, () => {
        this.#clock.skip(until);
        resolve();
      });
    });
  }

  #runWork<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (): void => {
        settled = true;
        resolve(work);
      };
      work.then(settle, settle);
      this.#drive(
        this.#limits.virtualTime,
        reject,
        () => reject(this.#neverSettled()),
        () => settled,
      );
    });
  }

  /** Steps until nothing is due by then (`idle` is called), or it is over. */
  #drive(
    until: number,
    fail: (error: NetloomError) => void,
    idle: () => void,
    isOver: () => boolean = () => false,
  ): void {
    runTurns(() => {
      if (isOver()) return false;
      try {
        if (this.#signal?.aborted) throw abortError(this.#signal, 'the run');
        if (this.#clock.step(until)) return true;
        idle();
      } catch (error) {
        fail(toNetloomError(error, 'SIM_CALLBACK_THREW', 'a callback of the clock threw'));
      }
      return false;
    });
  }

  #neverSettled(): NetloomError {
    if (this.#clock.deadline() === Infinity)
      return deadlockError(this.now(), this.#machines.values());
    const { virtualTime } = this.#limits;
    return new NetloomError(
      'SIM_OVERDUE',
      `the run took more than ${virtualTime} ms of virtual time`,
      {
        remedy: "Look for what waits in vain, or raise the world's limit 'virtualTime'.",
      },
    );
  }

  async #resolve(name: string, { family }: ResolveOptions): Promise<readonly IpAddress[]> {
    const asked = name.toLowerCase().replace(/\.$/, '');
    const machine = asked.endsWith('.sim') ? this.#machines.get(asked.slice(0, -4)) : undefined;
    const addresses = this.#names.get(asked) ?? machine?.addresses ?? [];
    const ofFamily = addresses.filter((address) => address.family === (family ?? address.family));
    if (ofFamily.length > 0) return ofFamily;
    throw hostError('NAME_NOT_FOUND', `the world knows no address of '${name}'`);
  }

  #checkName(name: string, kind: string, taken: ReadonlyMap<string, unknown>, limit: number): void {
    if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
      throw new NetloomError('SIM_NAME_INVALID', `'${name}' is no name for a ${kind}`, {
        remedy: 'A name has lower-case letters, digits and hyphens.',
      });
    }
    if (taken.has(name)) {
      throw new NetloomError('SIM_NAME_TAKEN', `there is a ${kind} '${name}' already`);
    }
    if (taken.size >= limit) {
      throw new NetloomError('SIM_TOO_MANY', `the world has ${limit} ${kind}s already`, {
        remedy: `Raise the world's limit '${kind}s'.`,
      });
    }
  }
}
