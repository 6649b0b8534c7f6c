import {
  NetloomError,
  abortError,
  hostError,
  type Abortable,
  type Connection,
  type Host,
} from '../../core/index.ts';
import type { Http1ClientLimits } from '../http1/index.ts';
import { ClientConnection, type ClientConnectionOwner } from './connection.ts';

/** The limits of a client: those of each connection, and its own. Times are milliseconds. */
export interface ClientLimits extends Http1ClientLimits {
  /** Connections to one origin at once; who wants one more waits. */
  readonly connectionsPerOrigin: number;
  /** Requests that wait for a connection, for each origin. */
  readonly waiting: number;
  /** How long an unused connection is kept. Short, since servers close theirs after some seconds. */
  readonly idleTimeout: number;
  /** Origins with connections at once. */
  readonly origins: number;
}

/** What {@link ConnectionPool.acquire} takes. */
export interface AcquireOptions extends Abortable {
  /** A connection that was never used: one that was may have been closed by the server meanwhile. */
  readonly fresh?: boolean;
  readonly connectTimeout?: number;
}

/** Keeps connections of a host to be used again, by origin. */
export class ConnectionPool {
  readonly #host: Host;
  readonly #limits: ClientLimits;
  readonly #origins = new Map<string, OriginPool>();
  #closed = false;

  constructor(host: Host, limits: ClientLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  /** A connection to the URL's origin that takes a request. Rejects as `Host.connect` does. */
  acquire(url: URL, options: AcquireOptions): Promise<ClientConnection> {
    const what = `the connection to ${url.origin}`;
    if (this.#closed) return Promise.reject(clientClosed(what));
    if (options.signal?.aborted) return Promise.reject(abortError(options.signal, what));
    let origin = this.#origins.get(url.origin);
    if (origin === undefined) {
      if (this.#origins.size >= this.#limits.origins) return Promise.reject(exhausted(what));
      const empty = (): void => void this.#origins.delete(url.origin);
      origin = new OriginPool(this.#host, url, this.#limits, empty);
      this.#origins.set(url.origin, origin);
    }
    return origin.acquire(options);
  }

  /** Connections open or being opened. */
  get size(): number {
    let size = 0;
    for (const origin of this.#origins.values()) size += origin.size;
    return size;
  }

  /** Closes idle connections, cuts off those in use. */
  close(): void {
    this.#closed = true;
    for (const origin of this.#origins.values()) origin.close();
  }
}

/** Somebody who waits for a connection. */
interface Waiter {
  readonly options: AcquireOptions;
  resolve(connection: ClientConnection): void;
  reject(error: unknown): void;
}

class OriginPool implements ClientConnectionOwner {
  readonly #host: Host;
  readonly #url: URL;
  readonly #limits: ClientLimits;
  readonly #emptied: () => void;
  /** Used last, taken first: what the others are kept for is rarer. */
  readonly #idle: ClientConnection[] = [];
  readonly #open = new Set<ClientConnection>();
  readonly #waiters = new Set<Waiter>();
  #connecting = 0;
  #closed = false;

  constructor(host: Host, url: URL, limits: ClientLimits, emptied: () => void) {
    this.#host = host;
    this.#url = url;
    this.#limits = limits;
    this.#emptied = emptied;
  }

  get size(): number {
    return this.#open.size + this.#connecting;
  }

  acquire(options: AcquireOptions): Promise<ClientConnection> {
    const kept = options.fresh ? undefined : this.#takeIdle();
    if (kept !== undefined) return Promise.resolve(kept);
    if (this.size >= this.#limits.connectionsPerOrigin && options.fresh) this.#takeIdle()?.close();
    if (this.size < this.#limits.connectionsPerOrigin) return this.#connect(options);
    return this.#wait(options);
  }

  idle(connection: ClientConnection): void {
    const waiter = this.#takeWaiter();
    if (waiter !== undefined) {
      waiter.resolve(connection);
    } else if (this.#closed) {
      connection.close();
    } else {
      this.#idle.push(connection);
      connection.watchIdle(this.#limits.idleTimeout);
    }
  }

  closed(connection: ClientConnection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#freed();
  }

  idleTooLong(connection: ClientConnection): void {
    if (connection.isIdle) connection.close();
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(clientClosed(this.#what()));
    this.#waiters.clear();
    for (const connection of this.#open) {
      if (connection.isIdle) connection.close();
      else connection.abort(clientClosed(this.#what()));
    }
  }

  #takeIdle(): ClientConnection | undefined {
    for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
      if (kept.isIdle) return kept;
    }
    return undefined;
  }

  async #connect({ signal, connectTimeout }: AcquireOptions): Promise<ClientConnection> {
    this.#connecting++;
    let connection: Connection;
    try {
      connection = await this.#host.connect({
        host: this.#url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: Number(this.#url.port || '80'),
        ...(signal === undefined ? {} : { signal }),
        ...(connectTimeout === undefined ? {} : { timeout: connectTimeout }),
      });
    } catch (error) {
      this.#connecting--;
      this.#freed();
      throw error;
    }
    this.#connecting--;
    if (this.#closed) {
      connection.abort(clientClosed(this.#what()));
      throw clientClosed(this.#what());
    }
    const made = new ClientConnection(connection, this.#host.clock, this.#limits, this);
    this.#open.add(made);
    return made;
  }

  #wait(options: AcquireOptions): Promise<ClientConnection> {
    if (this.#waiters.size >= this.#limits.waiting) return Promise.reject(exhausted(this.#what()));
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(abortError(signal!, this.#what()));
      };
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        options,
        resolve: (connection) => {
          settled();
          resolve(connection);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #takeWaiter(): Waiter | undefined {
    const [first] = this.#waiters;
    if (first !== undefined) this.#waiters.delete(first);
    return first;
  }

  /** There is room for a connection: for who waits, or the pool has served its time. */
  #freed(): void {
    const waiter = this.size < this.#limits.connectionsPerOrigin ? this.#takeWaiter() : undefined;
    if (waiter !== undefined) this.#connect(waiter.options).then(waiter.resolve, waiter.reject);
    else if (this.size === 0) this.#emptied();
  }

  #what(): string {
    return `the connection to ${this.#url.origin}`;
  }
}

function clientClosed(what: string): NetloomError {
  return hostError('ABORTED', `${what}: the client was closed`);
}

function exhausted(what: string): NetloomError {
  return new NetloomError('HTTP_POOL_EXHAUSTED', `${what}: too many are waited for already`, {
    remedy: 'Ask for less at once, read or cancel the bodies of responses, or raise the limits.',
  });
}
