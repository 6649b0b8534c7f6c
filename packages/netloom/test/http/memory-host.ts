import {
  IpAddress,
  ManualClock,
  concatBytes,
  hostError,
  seededRandom,
  type ConnectOptions,
  type Connection,
  type ConnectionHandler,
  type Host,
  type ListenOptions,
  type Listener,
  type NetloomError,
  type SocketAddress,
} from '../../src/core/index.ts';

/** Bytes on their way before `write` asks to wait. */
const SEND_BUFFER = 64 * 1024;

/** What a connection does when its time has come, one thing for each deferral. */
type Arrival = { readonly chunk: Uint8Array } | 'end';

/** A host whose connections lead to itself, in virtual time: what the adapters of HTTP are tested on. */
export class MemoryHost implements Host {
  readonly name = 'memory';
  readonly clock = new ManualClock();
  readonly random = seededRandom(1);
  readonly #listeners = new Map<number, ListenOptions>();
  /** Every client's side of a connection that was ever opened, in order. */
  readonly opened: MemoryConnection[] = [];
  #nextPort = 40_000;

  connect({ port, signal }: ConnectOptions): Promise<Connection> {
    const listening = this.#listeners.get(port);
    if (signal?.aborted) return Promise.reject(hostError('ABORTED', 'the connection was aborted'));
    if (listening === undefined) {
      return Promise.reject(hostError('CONNECTION_REFUSED', `nothing listens on port ${port}`));
    }
    const local = { address: IpAddress.LOOPBACK4, port: this.#nextPort++ };
    const remote = { address: IpAddress.LOOPBACK4, port };
    const client = new MemoryConnection(this.clock, local, remote);
    const server = new MemoryConnection(this.clock, remote, local);
    client.peer = server;
    server.peer = client;
    this.opened.push(client);
    return new Promise((resolve) => {
      this.clock.defer(() => {
        listening.accept(server);
        resolve(client);
      });
    });
  }

  listen(options: ListenOptions): Promise<Listener> {
    const port = options.port || this.#nextPort++;
    if (this.#listeners.has(port)) return Promise.reject(hostError('ADDRESS_IN_USE', `${port}`));
    this.#listeners.set(port, options);
    const close = (): Promise<void> => {
      this.#listeners.delete(port);
      return Promise.resolve();
    };
    const local = { address: IpAddress.LOOPBACK4, port };
    return Promise.resolve({ local, close, [Symbol.asyncDispose]: close });
  }

  bind(): never {
    throw new Error('there are no datagrams here');
  }

  resolve(): Promise<readonly IpAddress[]> {
    return Promise.resolve([IpAddress.LOOPBACK4]);
  }

  ping(): never {
    throw new Error('there is no ping here');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Lets everything run, and time go on when nothing is left to run, until the promise is settled. */
  drive<T>(work: Promise<T>): Promise<T> {
    return driveClock(this.clock, work);
  }

  /** Lets so many milliseconds pass. */
  elapse(milliseconds: number): Promise<void> {
    return passTime(this.clock, milliseconds);
  }

  /** Lets everything run that can without time going on. */
  idle(): Promise<void> {
    return runInstant(this.clock);
  }
}

/** Lets everything run, and the clock's time go on when nothing is left to run, until the promise is settled. */
export async function driveClock<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  work.then(done, done);
  for (let turns = 0; ; turns++) {
    await runInstant(clock);
    if (settled) return work;
    const next = clock.deadline();
    if (next === Infinity || turns > 100_000) throw new Error('nothing will settle this any more');
    clock.advance(next);
  }
}

/** Lets so many milliseconds of the clock pass, stopping wherever something is due. */
export async function passTime(clock: ManualClock, milliseconds: number): Promise<void> {
  const until = clock.now() + milliseconds;
  for (await runInstant(clock); clock.deadline() <= until; await runInstant(clock)) {
    clock.advance(clock.deadline());
  }
  clock.advance(until);
}

/** Lets everything run that can without the clock's time going on. */
export async function runInstant(clock: ManualClock): Promise<void> {
  for (;;) {
    // The platform's streams and promises are done within a turn of its loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.deadline() > clock.now()) return;
    clock.advance(clock.now());
  }
}

/** One side of a connection in memory. */
export class MemoryConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  peer!: MemoryConnection;
  readonly #clock: ManualClock;
  #handler: ConnectionHandler | undefined;
  readonly #arrived: Arrival[] = [];
  #scheduled = false;
  #paused = false;
  #ended = false;
  #peerEnded = false;
  #leaving = false;
  #gone = false;
  #error: NetloomError | undefined;
  #bytesUnderWay = 0;
  #drainWanted = false;
  readonly #closed = Promise.withResolvers<void>();

  constructor(clock: ManualClock, local: SocketAddress, remote: SocketAddress) {
    this.#clock = clock;
    this.local = local;
    this.remote = remote;
  }

  get bufferedAmount(): number {
    return this.#bytesUnderWay;
  }

  /** Whether it is over. */
  get gone(): boolean {
    return this.#gone;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#gone) this.#tellClosed();
    else this.#schedule();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ended) throw hostError('WRITE_AFTER_END', 'written after the end');
    if (this.#gone) return false;
    this.#bytesUnderWay += chunk.length;
    this.peer.#arrive({ chunk });
    this.#drainWanted ||= this.#bytesUnderWay >= SEND_BUFFER;
    return !this.#drainWanted;
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.peer.#arrive('end');
    this.#checkGone();
  }

  close(): Promise<void> {
    this.#leaving = true;
    this.end();
    this.resume();
    return this.#closed.promise;
  }

  abort(error?: NetloomError): void {
    this.#ended = true;
    this.#leaving = true;
    this.#finish(error ?? hostError('ABORTED', 'aborted'));
    this.peer.#finish(hostError('CONNECTION_RESET', 'the peer has reset the connection'));
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #arrive(arrival: Arrival): void {
    this.#arrived.push(arrival);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#arrived.length === 0 || this.#gone) return;
    if (this.#paused || (this.#handler === undefined && !this.#leaving)) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      if (!this.#paused && !this.#gone) this.#deliver();
      this.#schedule();
    });
  }

  #deliver(): void {
    const chunks: Uint8Array[] = [];
    while (this.#arrived.length > 0 && this.#arrived[0] !== 'end' && chunks.length < 16) {
      chunks.push((this.#arrived.shift() as { chunk: Uint8Array }).chunk);
    }
    if (chunks.length > 0) {
      // A copy, destroyed afterwards: it is borrowed.
      const borrowed = concatBytes(chunks);
      if (!this.#leaving) this.#handler?.data?.(borrowed);
      this.peer.#taken(borrowed.length);
      borrowed.fill(0xee);
    } else {
      this.#arrived.shift();
      this.#peerEnded = true;
      if (!this.#leaving) this.#handler?.end?.();
      this.#checkGone();
    }
  }

  #taken(length: number): void {
    this.#bytesUnderWay -= length;
    if (!this.#drainWanted || this.#bytesUnderWay > SEND_BUFFER / 2 || this.#gone) return;
    this.#drainWanted = false;
    if (!this.#leaving) this.#handler?.drain?.();
  }

  #checkGone(): void {
    if (this.#ended && this.#peerEnded) this.#finish(undefined);
  }

  #finish(error: NetloomError | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#error = error;
    if (this.#handler !== undefined) this.#tellClosed();
    this.#closed.resolve();
  }

  #tellClosed(): void {
    this.#clock.defer(() => this.#handler?.closed?.(this.#error));
  }
}
