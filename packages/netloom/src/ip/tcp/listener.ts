import { FairShares, type IpAddress, type NetloomError } from '../../core/index.ts';
import type { TcpConnection } from './connection.ts';

/** Accepts connections at a port: RFC 9293's LISTEN state. */
export class TcpListener {
  readonly port: number;
  /** Only connections to this address; undefined: to any. */
  readonly address: IpAddress | undefined;
  readonly #accept: (connection: TcpConnection) => void;
  readonly #limit: number;
  /** Connections in SYN-RECEIVED, by the station that the SYN came from. */
  readonly #halfOpen = new Map<TcpConnection, number>();
  readonly #shares = new FairShares<number, TcpConnection>();

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

  /** Makes room for one more half-open connection. The oldest gives way of the station that has most: in a flood it is the likeliest to be false. */
  makeRoom(): TcpConnection | undefined {
    if (this.#halfOpen.size < this.#limit) return undefined;
    const displaced = this.#shares.oldestOfLargest()!;
    this.#remove(displaced);
    return displaced;
  }

  /** A connection is half-open, for a SYN that came from this station. */
  add(connection: TcpConnection, station: number): void {
    this.#halfOpen.set(connection, station);
    this.#shares.add(station, connection);
  }

  /** A half-open connection has been established, or has failed. */
  opened(connection: TcpConnection, error: NetloomError | undefined): void {
    this.#remove(connection);
    if (error !== undefined) return;
    try {
      this.#accept(connection);
    } catch (thrown) {
      connection.handlerThrew(thrown);
    }
  }

  /** What is half-open, to be given up with the listener. */
  takeHalfOpen(): TcpConnection[] {
    const all = [...this.#halfOpen.keys()];
    for (const connection of all) this.#remove(connection);
    return all;
  }

  #remove(connection: TcpConnection): void {
    const station = this.#halfOpen.get(connection);
    if (station === undefined) return;
    this.#halfOpen.delete(connection);
    this.#shares.remove(station, connection);
  }
}
