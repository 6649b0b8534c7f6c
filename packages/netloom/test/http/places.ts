/** Where tests of HTTP run: in memory, on two of our own stacks, and in a simulated world that loses frames. */
import { test } from 'node:test';
import {
  ManualClock,
  seededRandom,
  type Clock,
  type ConnectOptions,
  type Connection,
  type Host,
  type ListenOptions,
  type Listener,
} from '../../src/core/index.ts';
import { simWorld, stackHost, type StackHost } from '../../src/host/index.ts';
import { linkPair } from '../../src/link/index.ts';
import { MemoryHost, driveClock, passTime, runInstant } from './memory-host.ts';

/** A host whose connections lead to itself, or seem to, in a time that a test lets go on. */
export interface TestHost extends Host {
  /** Every connection that was opened, in order. */
  readonly opened: readonly Connection[];
  /** Lets everything run, and time go on, until the promise is settled. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** Lets so many milliseconds pass. */
  elapse(milliseconds: number): Promise<void>;
  /** Lets everything run that is under way; where frames are lost, with the time that takes to be made good. */
  idle(): Promise<void>;
}

/** A kind of network that tests run on. */
export interface Place {
  readonly name: string;
  /** A host of this kind, and nothing else on its network. */
  host(): TestHost;
}

/** Two machines that look like one: what is listened to is on the second, what connects is on the first. */
class TwoMachines implements TestHost {
  readonly name = 'two machines';
  readonly clock: Clock;
  readonly random: Host['random'];
  readonly opened: Connection[] = [];
  readonly drive: TestHost['drive'];
  readonly elapse: TestHost['elapse'];
  readonly idle: TestHost['idle'];
  readonly #near: StackHost;
  readonly #far: StackHost;
  readonly #address: string;

  /** @param address the second machine's */
  constructor(
    near: StackHost,
    far: StackHost,
    address: string,
    time: Pick<TestHost, 'drive' | 'elapse' | 'idle'>,
  ) {
    this.#near = near;
    this.#far = far;
    this.#address = address;
    this.clock = near.clock;
    this.random = near.random;
    this.drive = time.drive;
    this.elapse = time.elapse;
    this.idle = time.idle;
  }

  async connect(options: ConnectOptions): Promise<Connection> {
    // Whatever name a test gives it: there is but one machine to connect to.
    const connection = await this.#near.connect({ ...options, host: this.#address });
    this.opened.push(connection);
    return connection;
  }

  listen(options: ListenOptions): Promise<Listener> {
    return this.#far.listen(options);
  }

  bind: Host['bind'] = (options) => this.#far.bind(options);
  resolve: Host['resolve'] = (name, options) => this.#near.resolve(name, options);
  ping: Host['ping'] = (target, options) => this.#near.ping(target, options);

  async close(): Promise<void> {
    await Promise.all([this.#near.close(), this.#far.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Connections in memory, each chunk as it was written. */
export const memory: Place = { name: 'memory', host: () => new MemoryHost() };

/** Our own stacks at both ends of a cable. */
export const stacks: Place = {
  name: 'two stacks',
  host() {
    const clock = new ManualClock();
    const ends = linkPair(clock);
    const [near, far] = ends.map((link, i) => {
      const host = stackHost({ clock, random: seededRandom(i) });
      host.addInterface(link, { addresses: [`10.0.0.${i + 1}/24`] });
      return host;
    });
    return new TwoMachines(near!, far!, '10.0.0.2', {
      drive: (work) => driveClock(clock, work),
      elapse: (milliseconds) => passTime(clock, milliseconds),
      idle: () => runInstant(clock),
    });
  },
};

/** Milliseconds in which a loss is made good: a few times what TCP waits for an acknowledgement at first. */
const RECOVERY = 5_000;

/** Two machines of a simulated world, on a line that loses one frame in fifty: which, the seed decides. */
export const lossyWorld = (seed: number): Place => ({
  name: `a world that loses 2 %, seed ${seed}`,
  host() {
    const world = simWorld({ seed });
    const line = world.network('line', { subnets: ['10.1.0.0/16'], delay: 3, loss: 0.02 });
    const near = world.machine('near', { on: line });
    const far = world.machine('far', { on: line });
    return new TwoMachines(near, far, `${far.address}`, {
      drive: (work) => world.run(work),
      elapse: (milliseconds) => world.run(world.now() + milliseconds),
      idle: () => world.run(world.now() + RECOVERY),
    });
  },
});

/** A seed for each test, so that not all lose the same frames, and the same on every run. */
function seedOf(name: string): number {
  return [...name].reduce((sum, character) => sum + character.charCodeAt(0), 0);
}

/** Declares a test for each of the places. */
export function testIn(
  places: readonly Place[],
  name: string,
  body: (place: Place) => Promise<void>,
): void {
  for (const place of places) test(`${name} [${place.name}]`, () => body(place));
}

/** Declares a test for every place. */
export function everywhere(name: string, body: (place: Place) => Promise<void>): void {
  testIn([memory, stacks, lossyWorld(seedOf(name))], name, body);
}
