import { copyBytes, hostError, type Connection, type NetloomError } from '../core/index.ts';

/** Two connections joined by {@link relay}. */
export interface Relay extends AsyncDisposable {
  /** Bytes carried from the first connection to the second. */
  readonly bytesFromFirst: number;
  /** Bytes carried from the second connection to the first. */
  readonly bytesFromSecond: number;
  /** Which connection failed first; undefined: none has, so far. */
  readonly failed: 'first' | 'second' | undefined;
  /** Settles when both connections are gone: with nothing if both ended in good order, otherwise with the error that ended it. */
  readonly closed: Promise<NetloomError | undefined>;
  /** Finishes both connections; what still comes is discarded. Idempotent. */
  close(): Promise<void>;
  /** Resets both connections. */
  abort(error?: NetloomError): void;
}

/**
 * Carries bytes both ways between two connections of any hosts, as a proxy or a port forwarder does. It takes the handlers of both.
 *
 * A side that does not read holds the other up; the end of one direction is carried over and the other goes on; a connection that
 * fails resets the other.
 */
export function relay(first: Connection, second: Connection): Relay {
  return new ConnectionRelay(first, second);
}

class ConnectionRelay implements Relay {
  readonly #first: RelayEnd;
  readonly #second: RelayEnd;
  readonly #closed = Promise.withResolvers<NetloomError | undefined>();
  #error: NetloomError | undefined;
  #failed: RelayEnd | undefined;

  constructor(first: Connection, second: Connection) {
    const gone = (end: RelayEnd, error: NetloomError | undefined): void => this.#gone(end, error);
    this.#first = new RelayEnd(first, gone);
    this.#second = new RelayEnd(second, gone);
    this.#first.join(this.#second);
    this.#second.join(this.#first);
  }

  get bytesFromFirst(): number {
    return this.#first.received;
  }

  get bytesFromSecond(): number {
    return this.#second.received;
  }

  get failed(): 'first' | 'second' | undefined {
    if (this.#failed === undefined) return undefined;
    return this.#failed === this.#first ? 'first' : 'second';
  }

  get closed(): Promise<NetloomError | undefined> {
    return this.#closed.promise;
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.connection.close(), this.#second.connection.close()]);
  }

  abort(error: NetloomError = hostError('ABORTED', 'the relay was aborted')): void {
    this.#first.connection.abort(error);
    this.#second.connection.abort(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #gone(end: RelayEnd, error: NetloomError | undefined): void {
    if (error !== undefined) this.#failed ??= end;
    this.#error ??= error;
    const other = end === this.#first ? this.#second : this.#first;
    if (other.isGone) this.#closed.resolve(this.#error);
    else if (error !== undefined) other.connection.abort(error);
    // Closed beside the relay. When both ends have come this way, the other is left to finish what it has to send.
    else if (!end.hasEnded || !other.hasEnded) void other.connection.close();
  }
}

/** One connection of a relay, and what has come from it. */
class RelayEnd {
  readonly connection: Connection;
  received = 0;
  /** Its peer has ended, and the other connection was told. */
  hasEnded = false;
  isGone = false;
  readonly #onGone: (end: RelayEnd, error: NetloomError | undefined) => void;

  constructor(
    connection: Connection,
    onGone: (end: RelayEnd, error: NetloomError | undefined) => void,
  ) {
    this.connection = connection;
    this.#onGone = onGone;
  }

  /** Writes what is borrowed from the other end. */
  write(chunk: Uint8Array): boolean {
    const { connection } = this;
    return connection.writeBorrowed?.(chunk) ?? connection.write(copyBytes(chunk));
  }

  /** Begins to hand what comes to the other end. */
  join(other: RelayEnd): void {
    const { connection } = this;
    connection.start({
      data: (chunk) => {
        this.received += chunk.length;
        if (!other.isGone && !other.write(chunk)) connection.pause();
      },
      drain: () => other.connection.resume(),
      end: () => {
        this.hasEnded = true;
        other.connection.end();
      },
      closed: (error) => {
        this.isGone = true;
        this.#onGone(this, error);
      },
    });
  }
}
