import {
  IpAddress,
  abortError,
  formatSocketAddress,
  type Clock,
  type ListenOptions,
  type SocketAddress,
} from '../../core/index.ts';
import {
  DescriptorPoll,
  Failure,
  Readiness,
  StreamSocket,
  SystemCallError,
  systemErrorCode,
  type PollEntry,
} from '../../native/index.ts';
import type { OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';
import { NativeStream } from './native-stream.ts';
import { BACKLOG, whereOf, type Acceptor, type Arrival, type ConnectedStream } from './stream.ts';

/** Connections accepted in one turn of the loop, before others have their turn. */
const ACCEPTED_IN_TURN = 64;

/** Milliseconds until accepting is tried again when it has failed, as when too many files are open. */
const ACCEPT_AGAIN = 100;

/** Connects a socket by system calls. Rejects with a named error, or as the signal says. */
export function connectNative(
  clock: Clock,
  remote: SocketAddress,
  local: Partial<SocketAddress> | undefined,
  signal: AbortSignal,
): Promise<ConnectedStream> {
  const what = `the connection to ${formatSocketAddress(remote)}`;
  return new Promise((resolve, reject) => {
    let attempt: Attempt | undefined;
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      outcome();
    };
    const onAbort = (): void => {
      attempt!.close();
      settle(() => reject(abortError(signal, what)));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const failed = (error: unknown): void => settle(() => reject(fromSystemError(error, what)));
    try {
      attempt = new Attempt(clock, remote, local, {
        connected: (connected) => settle(() => resolve(connected)),
        failed,
      });
    } catch (error) {
      failed(error);
    }
  });
}

interface AttemptHandler {
  connected(connected: ConnectedStream): void;
  failed(error: unknown): void;
}

/** A socket that is being connected. */
class Attempt {
  readonly #clock: Clock;
  readonly #remote: SocketAddress;
  readonly #socket: StreamSocket;
  readonly #entry: PollEntry;
  readonly #handler: AttemptHandler;

  /** Throws a SystemCallError. */
  constructor(
    clock: Clock,
    remote: SocketAddress,
    local: Partial<SocketAddress> | undefined,
    handler: AttemptHandler,
  ) {
    const { family } = remote.address;
    this.#clock = clock;
    this.#remote = remote;
    this.#handler = handler;
    this.#socket = StreamSocket.open(family);
    try {
      this.#socket.setNoDelay(true);
      if (local !== undefined) {
        const any = family === 4 ? IpAddress.ANY4 : IpAddress.ANY6;
        this.#socket.bind({ address: local.address ?? any, port: local.port ?? 0 });
      }
      this.#socket.connect(remote);
      this.#entry = DescriptorPoll.shared.add(this.#socket.descriptor, this);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  ready(events: number): void {
    try {
      const errno = events & Readiness.ERROR ? this.#socket.takeError() : 0;
      if (errno !== 0) throw new SystemCallError(errno, 'connect');
      const { local } = this.#socket;
      const stream = new NativeStream(this.#clock, this.#socket, this.#entry, events);
      this.#handler.connected({ stream, local, remote: this.#remote });
    } catch (error) {
      this.close();
      this.#handler.failed(error);
    }
  }

  close(): void {
    DescriptorPoll.shared.remove(this.#entry);
    this.#socket.close();
  }
}

/** Opens a listening TCP socket by system calls. Throws a named error. */
export function listenNative(context: OsContext, options: ListenOptions): Acceptor {
  const { address } = options;
  try {
    if (address !== undefined) return new NativeAcceptor(context.clock, options, address);
    try {
      return new NativeAcceptor(context.clock, options, IpAddress.ANY6);
    } catch (error) {
      // A machine without IPv6.
      const code = systemErrorCode(error);
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
      return new NativeAcceptor(context.clock, options, IpAddress.ANY4);
    }
  } catch (error) {
    throw fromSystemError(error, `cannot listen on ${whereOf(options)}`);
  }
}

class NativeAcceptor implements Acceptor {
  readonly local: SocketAddress;
  readonly #clock: Clock;
  readonly #socket: StreamSocket;
  #entry: PollEntry | undefined;
  #arrived!: (arrival: Arrival) => void;
  #failed!: () => void;

  /** Throws a SystemCallError. */
  constructor(clock: Clock, { port, backlog }: ListenOptions, address: IpAddress) {
    this.#clock = clock;
    this.#socket = StreamSocket.open(address.family);
    try {
      this.#socket.listen({ address, port }, backlog ?? BACKLOG);
      this.local = this.#socket.local;
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  get where(): string {
    return formatSocketAddress(this.local);
  }

  start(arrived: (arrival: Arrival) => void, failed: () => void): void {
    this.#arrived = arrived;
    this.#failed = failed;
    this.#entry = DescriptorPoll.shared.add(this.#socket.descriptor, { ready: this.#accept });
  }

  async close(): Promise<void> {
    if (this.#entry === undefined) return;
    DescriptorPoll.shared.remove(this.#entry);
    this.#entry = undefined;
    this.#socket.close();
  }

  readonly #accept = (): void => {
    for (let left = ACCEPTED_IN_TURN; left > 0; left--) {
      if (this.#entry === undefined) return;
      const accepted = this.#socket.accept();
      if (accepted === Failure.WOULD_BLOCK) return;
      if (typeof accepted !== 'number') {
        this.#arrived(arrivalOf(this.#clock, accepted));
      } else if (accepted !== Failure.INTERRUPTED && accepted !== Failure.CONNECTION_ABORTED) {
        this.#failed();
        // Those who wait are not told of again.
        const again = this.#clock.timer(this.#accept);
        again.set(this.#clock.now() + ACCEPT_AGAIN);
        return;
      }
    }
    setImmediate(this.#accept);
  };
}

function arrivalOf(
  clock: Clock,
  { socket, remote }: { socket: StreamSocket; remote: SocketAddress },
): Arrival {
  return {
    accept: () => ({ stream: new NativeStream(clock, socket), local: socket.local, remote }),
    refuse: () => socket.reset(),
  };
}
