import {
  Counters,
  formatSocketAddress,
  hostError,
  withLimits,
  type Abortable,
  type Connection,
  type Host,
  type IpAddress,
  type Listener,
  type SocketAddress,
} from '../../core/index.ts';
import { HTTP1_SERVER_LIMITS, type Http1ServerLimits } from '../http1/index.ts';
import { formatDate } from '../semantics/index.ts';
import { ServerConnection, type FetchHandler, type ServerContext } from './connection.ts';

/** The limits of a server: those of each connection, and its own. Times are milliseconds. */
export interface ServerLimits extends Http1ServerLimits {
  /** Connections open at once; one more is cut off. */
  readonly connections: number;
  /** What {@link Server.close} allows requests that are being served. */
  readonly closeTimeout: number;
}

/** The defaults. */
export const SERVER_LIMITS: ServerLimits = {
  ...HTTP1_SERVER_LIMITS,
  connections: 10_000,
  closeTimeout: 5_000,
};

/** What {@link serve} takes beside the handler. */
export interface ServeOptions extends Abortable {
  readonly host: Host;
  /** 0 lets the host choose; see {@link Server.local}. */
  readonly port: number;
  /** Default: every address of the host. */
  readonly address?: IpAddress;
  readonly limits?: Partial<ServerLimits>;
}

/** An HTTP server that runs. */
export interface Server extends AsyncDisposable {
  readonly local: SocketAddress;
  /** `requests` taken, handlers that `failed`, requests refused by reason, connections refused. */
  readonly statistics: Counters;
  /** Connections open now. */
  readonly connections: number;
  /** Accepts no more, lets what is being served finish (5 s by default), then cuts it off. Idempotent. */
  close(): Promise<void>;
}

/** Serves HTTP/1.1 on a port of a host. Errors of the handler are published on the channel `netloom:http:error`. */
export async function serve(handler: FetchHandler, options: ServeOptions): Promise<Server> {
  const server = new HttpServer(handler, options);
  await server.listen(options);
  return server;
}

class HttpServer implements Server, ServerContext {
  readonly clock: Host['clock'];
  readonly limits: ServerLimits;
  readonly handler: FetchHandler;
  readonly statistics: Counters = new Counters();
  readonly #open = new Set<ServerConnection>();
  #listener!: Listener;
  #closing: Promise<void> | undefined;
  /** Called when the last connection has closed. */
  #emptied: (() => void) | undefined;
  #dateSecond = NaN;
  #date = '';

  constructor(handler: FetchHandler, { host, limits }: ServeOptions) {
    this.handler = handler;
    this.clock = host.clock;
    this.limits = withLimits(SERVER_LIMITS, limits);
  }

  async listen({ host, port, address, signal }: ServeOptions): Promise<void> {
    this.#listener = await host.listen({
      port,
      ...(address === undefined ? {} : { address }),
      ...(signal === undefined ? {} : { signal }),
      accept: (connection) => this.#accept(connection),
    });
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Made once a second: it costs more than the rest of a small response's head. */
  date(): string {
    const wallTime = this.clock.wallTime();
    const second = Math.floor(wallTime / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = formatDate(wallTime);
    }
    return this.#date;
  }

  closed(connection: ServerConnection): void {
    this.#open.delete(connection);
    if (this.#open.size === 0) this.#emptied?.();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(connection: Connection): void {
    if (this.#closing !== undefined || this.#open.size >= this.limits.connections) {
      this.statistics.add('refused:connection-limit');
      connection.abort(hostError('TOO_MANY_OPEN', 'the server has no room for a connection'));
      return;
    }
    this.#open.add(new ServerConnection(connection, this));
  }

  async #close(): Promise<void> {
    // Some hosts' listeners are closed only when their connections are: not waited for yet.
    const listenerClosed = this.#listener.close();
    for (const connection of this.#open) connection.shutdown();
    if (this.#open.size > 0) await this.#allClosed();
    await listenerClosed;
  }

  #allClosed(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.timer(() => this.#cutOff());
      timer.set(this.clock.now() + this.limits.closeTimeout);
      this.#emptied = () => {
        timer.clear();
        resolve();
      };
    });
  }

  #cutOff(): void {
    const where = formatSocketAddress(this.local);
    for (const connection of this.#open) {
      connection.abort(hostError('ABORTED', `the server on ${where} was closed`));
    }
  }
}
