import { Duplex } from 'node:stream';
import { toNetloomError, type Connection, type NetloomError } from '../../core/index.ts';

/**
 * The connection as a Duplex of `node:stream`, for what speaks only that. It takes the connection's handler: start nothing
 * else on it. Half-close is kept: `end()` ends this side, reading goes on. `destroy()` before both sides have ended resets
 * the connection. Chunks are copied both ways, since the receive buffer is borrowed and a stream's writer may use its own again.
 */
export function toDuplex(connection: Connection): Duplex {
  return new ConnectionDuplex(connection);
}

class ConnectionDuplex extends Duplex {
  readonly #connection: Connection;
  /** Called when there is room again. */
  #onDrain: (() => void) | undefined;
  /** Called when the connection is gone. */
  #onClosed: (() => void) | undefined;
  #closed = false;

  constructor(connection: Connection) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.#connection = connection;
    connection.start({
      data: (chunk) => {
        // Buffer.from copies.
        if (!this.push(Buffer.from(chunk))) connection.pause();
      },
      end: () => this.push(null),
      drain: () => this.#drained(),
      closed: (error) => this.#connectionClosed(error),
    });
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    // Not `slice`: a Buffer's copies nothing.
    if (this.#connection.write(new Uint8Array(chunk))) done();
    else this.#onDrain = done;
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: () => void): void {
    let hasRoom = true;
    for (const { chunk } of chunks) hasRoom = this.#connection.write(new Uint8Array(chunk));
    if (hasRoom) done();
    else this.#onDrain = done;
  }

  override _final(done: () => void): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#closed) {
      done(error);
      return;
    }
    this.#onClosed = () => done(error);
    const isFinished = this.readableEnded && this.writableFinished;
    if (isFinished) void this.#connection.close();
    else this.#connection.abort(error ? toNetloomError(error, 'ABORTED', 'destroyed') : undefined);
  }

  #drained(): void {
    const done = this.#onDrain;
    this.#onDrain = undefined;
    done?.();
  }

  #connectionClosed(error: NetloomError | undefined): void {
    this.#closed = true;
    if (this.#onClosed !== undefined) this.#onClosed();
    else if (error !== undefined) this.destroy(error);
  }
}
