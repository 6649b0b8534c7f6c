import {
  hostError,
  toNetloomError,
  type Connection,
  type Host,
  type IpAddress,
  type Listener,
  type NetloomError,
  type SocketAddress,
} from 'netloom/core';
import { relay, type Relay } from 'netloom/host';

/** Connections carried at once; one more is cut off. */
const MOST_CONNECTIONS = 1024;

/** What is to be published, and where. */
export interface PublicationOptions {
  /** Where clients come in. */
  readonly outside: Host;
  readonly address: IpAddress;
  readonly port: number;
  /** From where the server is reached. */
  readonly inside: Host;
  readonly server: { readonly host: string; readonly port: number };
}

/** A server of one host's network, reached through a port of another host. */
export class Publication implements AsyncDisposable {
  /** Connections carried so far, and those that were not: the server was not reached, or there were too many. */
  carried = 0;
  refused = 0;
  /** Told of each connection that has been carried, with the error that ended it. */
  onCarried: ((connection: Connection, error: NetloomError | undefined) => void) | undefined;
  readonly #options: PublicationOptions;
  readonly #relays = new Set<Relay>();
  readonly #waiting = new Set<Connection>();
  #listener!: Listener;
  #bytesIn = 0;
  #bytesOut = 0;

  private constructor(options: PublicationOptions) {
    this.#options = options;
  }

  /** Begins to listen. Rejects with the outside host's error. */
  static async open(options: PublicationOptions): Promise<Publication> {
    const publication = new Publication(options);
    const { outside, address, port } = options;
    publication.#listener = await outside.listen({
      address,
      port,
      accept: (connection) => void publication.#accept(connection),
    });
    return publication;
  }

  get local(): SocketAddress {
    return this.#listener.local;
  }

  /** Connections open now. */
  get open(): number {
    return this.#relays.size + this.#waiting.size;
  }

  /** Bytes carried to the server. */
  get bytesIn(): number {
    return [...this.#relays].reduce(
      (sum, { bytesFromFirst }) => sum + bytesFromFirst,
      this.#bytesIn,
    );
  }

  /** Bytes carried from the server. */
  get bytesOut(): number {
    return [...this.#relays].reduce(
      (sum, { bytesFromSecond }) => sum + bytesFromSecond,
      this.#bytesOut,
    );
  }

  /** Accepts no more. What is carried goes on. */
  stop(): Promise<void> {
    return this.#listener.close();
  }

  /** Accepts no more, and cuts off what is carried. Idempotent. */
  async close(): Promise<void> {
    const stopped = this.stop();
    const error = hostError('ABORTED', 'the network is being taken down');
    for (const connection of this.#waiting) connection.abort(error);
    for (const carried of this.#relays) carried.abort(error);
    await stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(outer: Connection): Promise<void> {
    if (this.open >= MOST_CONNECTIONS) {
      this.refused++;
      outer.abort(
        hostError('TOO_MANY_OPEN', `${MOST_CONNECTIONS} connections are carried already`),
      );
      return;
    }
    const { inside, server } = this.#options;
    this.#waiting.add(outer);
    try {
      const inner = await inside.connect(server);
      this.carried++;
      await this.#carry(relay(outer, inner), outer);
    } catch (error) {
      this.#waiting.delete(outer);
      this.refused++;
      outer.abort(toNetloomError(error, 'NETWORK_FAILED', `reaching ${server.host}`));
    }
  }

  async #carry(carried: Relay, outer: Connection): Promise<void> {
    this.#waiting.delete(outer);
    this.#relays.add(carried);
    const error = await carried.closed;
    this.#relays.delete(carried);
    this.#bytesIn += carried.bytesFromFirst;
    this.#bytesOut += carried.bytesFromSecond;
    this.onCarried?.(outer, error);
  }
}
