import {
  IpAddress,
  NetloomError,
  abortError,
  formatSocketAddress,
  hostError,
  toNetloomError,
  type Clock,
  type ConnectOptions,
  type Connection,
  type ResolveOptions,
  type SocketAddress,
  type Timer,
} from '../core/index.ts';
import { checkPort } from './ports.ts';

/** Milliseconds between the start of one attempt and of the next: RFC 8305, section 5, "Connection Attempt Delay". */
const ATTEMPT_DELAY = 250;

/** The default of {@link ConnectOptions.timeout}. */
const CONNECT_TIMEOUT = 30_000;

/** Why attempts are ended when there is an outcome. Made once: without a reason, each abort would make an error with a stack trace. */
const SETTLED = 'there is an outcome already';

/** What {@link connectByName} needs of a Host. */
export interface Connector {
  readonly clock: Clock;
  resolve(name: string, options: ResolveOptions): Promise<readonly IpAddress[]>;
  /** Connects to one address. When the signal is aborted it gives up and rejects; with what does not matter. */
  connectAddress(remote: SocketAddress, signal: AbortSignal): Promise<Connection>;
}

/**
 * A Host's `connect`: resolves the name, tries its addresses as RFC 8305 ("Happy Eyeballs") says, minds the time-out and the
 * signal. The families take turns; an attempt is started when the one before has failed, or has not succeeded for
 * 250 ms; the first connection wins, and the other attempts are aborted.
 */
export async function connectByName(
  options: ConnectOptions,
  connector: Connector,
): Promise<Connection> {
  const { port, signal } = options;
  const what = `the connection to ${describe(options)}`;
  checkPort(port, 1, what);
  if (signal?.aborted) throw abortError(signal, what);
  const attempts = new Attempts(options, connector, what);
  const onAbort = (): void => attempts.fail(abortError(signal!, what));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await attempts.run();
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The addresses with their families taking turns, each family in its own order: RFC 8305, section 4. */
export function interleaveFamilies(addresses: readonly IpAddress[]): IpAddress[] {
  const first = addresses[0]?.family;
  const preferred = addresses.filter((address) => address.family === first);
  const others = addresses.filter((address) => address.family !== first);
  const turns: IpAddress[] = [];
  for (let i = 0; i < Math.max(preferred.length, others.length); i++) {
    if (i < preferred.length) turns.push(preferred[i]!);
    if (i < others.length) turns.push(others[i]!);
  }
  return turns;
}

function describe({ host, port }: ConnectOptions): string {
  return typeof host === 'string'
    ? `${host}:${port}`
    : formatSocketAddress({ address: host, port });
}

/** The attempts of one {@link connectByName}. */
class Attempts {
  readonly #options: ConnectOptions;
  readonly #connector: Connector;
  readonly #what: string;
  readonly #outcome = Promise.withResolvers<Connection>();
  /** Ends what is still under way once there is an outcome. */
  readonly #ending = new AbortController();
  readonly #next: Timer;
  #remaining: IpAddress[] = [];
  #running = 0;
  readonly #failures: NetloomError[] = [];

  constructor(options: ConnectOptions, connector: Connector, what: string) {
    this.#options = options;
    this.#connector = connector;
    this.#what = what;
    this.#next = connector.clock.timer(() => this.#startNext());
  }

  async run(): Promise<Connection> {
    const { clock } = this.#connector;
    const timeout = this.#options.timeout ?? CONNECT_TIMEOUT;
    const timer = clock.timer(() => {
      this.fail(hostError('TIMEOUT', `${this.#what} was not made within ${timeout} ms`));
    });
    timer.set(clock.now() + timeout);
    void this.#resolveAndStart();
    try {
      return await this.#outcome.promise;
    } finally {
      timer.clear();
      this.#next.clear();
      this.#ending.abort(SETTLED);
    }
  }

  /** Gives up. */
  fail(error: NetloomError): void {
    this.#remaining = [];
    this.#outcome.reject(error);
  }

  async #resolveAndStart(): Promise<void> {
    const { host, local } = this.#options;
    const family = local?.address?.family;
    try {
      const addresses =
        host instanceof IpAddress
          ? [host]
          : await this.#connector.resolve(host, {
              signal: this.#ending.signal,
              ...(family === undefined ? {} : { family }),
            });
      if (this.#ending.signal.aborted) return;
      this.#remaining = interleaveFamilies(addresses);
      this.#startNext();
    } catch (thrown) {
      this.#outcome.reject(thrown);
    }
  }

  #startNext(): void {
    const address = this.#remaining.shift();
    if (address === undefined) return;
    const { clock } = this.#connector;
    if (this.#remaining.length > 0) this.#next.set(clock.now() + ATTEMPT_DELAY);
    this.#running++;
    const remote = { address, port: this.#options.port };
    this.#connector.connectAddress(remote, this.#ending.signal).then(
      (connection) => this.#succeeded(connection),
      (error: unknown) => this.#failed(toNetloomError(error, 'NETWORK_FAILED', this.#what)),
    );
  }

  #succeeded(connection: Connection): void {
    // Too late: another won, or it was given up.
    if (this.#ending.signal.aborted) connection.abort();
    else {
      this.#remaining = [];
      this.#outcome.resolve(connection);
      this.#next.clear();
      this.#ending.abort(SETTLED);
    }
  }

  #failed(error: NetloomError): void {
    this.#running--;
    this.#failures.push(error);
    if (this.#remaining.length > 0) this.#startNext();
    else if (this.#running === 0) this.#outcome.reject(this.#allFailed());
  }

  /** The one failure as it is; of several, the code of the first (the best address), with all in message and cause. */
  #allFailed(): NetloomError {
    const first = this.#failures[0]!;
    if (this.#failures.length === 1) return first;
    const each = this.#failures.map((failure) => failure.message).join('; ');
    return new NetloomError(first.code, `${this.#what} failed at every address: ${each}`, {
      cause: new AggregateError(this.#failures),
      ...(first.remedy === undefined ? {} : { remedy: first.remedy }),
    });
  }
}
