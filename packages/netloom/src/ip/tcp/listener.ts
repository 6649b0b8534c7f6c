import type { IpAddress, NetloomError } from '../../core/index.ts';
import type { TcpConnection } from './connection.ts';

/** Accepts connections at a port: RFC 9293's LISTEN state. */
export class TcpListener {
  readonly port: number;
  /** Only connections to this address; undefined: to any. */
  readonly address: IpAddress | undefined;
  readonly #accept: (connection: TcpConnection) => void;
  readonly #limit: number;
  /** Connections in SYN-RECEIVED, oldest first. */
  readonly #halfOpen = new Set<TcpConnection>();
  /** Half-open connections that gave way to newer ones. */
  overflows = 0;

  constructor(
    port: number,
    address: IpAddress | undefined,
    limit: number,
    accept: (connection: TcpConnection) => void,
  ) {
    this.port = port;
    this.address = address;
    this.#limit = limit;
    this.#accept = accept;
  }

  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** Makes room for one more half-open connection; the oldest gives way, for in a flood it is the likeliest to be false. */
  makeRoom(): TcpConnection | undefined {
    if (this.#halfOpen.size < this.#limit) return undefined;
    this.overflows++;
    const [oldest] = this.#halfOpen;
    this.#halfOpen.delete(oldest!);
    return oldest;
  }

  add(connection: TcpConnection): void {
    this.#halfOpen.add(connection);
  }

  /** A half-open connection has been established, or has failed. */
  opened(connection: TcpConnection, error: NetloomError | undefined): void {
    this.#halfOpen.delete(connection);
    if (error !== undefined) return;
    try {
      this.#accept(connection);
    } catch (thrown) {
      connection.handlerThrew(thrown);
    }
  }

  /** What is half-open, to be given up with the listener. */
  takeHalfOpen(): TcpConnection[] {
    const all = [...this.#halfOpen];
    this.#halfOpen.clear();
    return all;
  }
}
