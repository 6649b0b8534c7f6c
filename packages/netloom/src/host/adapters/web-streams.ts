import { NetloomError, copyBytes, hostError, type Connection } from '../../core/index.ts';

/** Bytes taken from the connection before anyone reads them. */
const READ_AHEAD = 64 * 1024;

/** A connection as streams of the web's kind. */
export interface WebStreams {
  /** A byte stream, which takes a reader's own buffer (`mode: 'byob'`) as well. */
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * The connection as WHATWG streams, with back-pressure both ways. They take the connection's handler: start nothing else on it.
 *
 * Closing the writable ends this side; aborting it aborts the connection. Cancelling the readable discards what still comes;
 * once this side has ended too, it closes the connection. Chunks are copied both ways, since the receive buffer is
 * borrowed, and a stream's writer may use its own again.
 */
export function toWebStreams(connection: Connection): WebStreams {
  const streams = new ConnectionStreams(connection);
  return { readable: streams.readable, writable: streams.writable };
}

class ConnectionStreams implements WebStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly #connection: Connection;
  #reading!: ReadableByteStreamController;
  #writing!: WritableStreamDefaultController;
  #readableOpen = true;
  #writableOpen = true;
  #cancelled = false;
  /** What a write that found no room waits for. */
  #room: PromiseWithResolvers<void> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.readable = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#reading = controller;
        },
        pull: () => connection.resume(),
        cancel: () => this.#cancel(),
      },
      { highWaterMark: READ_AHEAD },
    );
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writing = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#end(),
      abort: (reason: unknown) => this.#abort(reason),
    });
    connection.start({
      data: (chunk) => this.#data(chunk),
      end: () => this.#closeReadable(),
      drain: () => this.#room?.resolve(),
      closed: (error) => this.#closed(error),
    });
  }

  #data(chunk: Uint8Array): void {
    if (!this.#readableOpen) return;
    this.#reading.enqueue(copyBytes(chunk));
    if (this.#reading.desiredSize! <= 0) this.#connection.pause();
  }

  #closeReadable(): void {
    if (!this.#readableOpen) return;
    this.#readableOpen = false;
    this.#reading.close();
    // A reader that waits with its own buffer is let go so (Streams Standard, "respond" after "close").
    this.#reading.byobRequest?.respond(0);
  }

  #cancel(): void {
    this.#readableOpen = false;
    this.#cancelled = true;
    if (this.#writableOpen) this.#connection.resume();
    else void this.#connection.close();
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) {
      const message = `the connection takes Uint8Array only, and was given ${typeof chunk}`;
      const remedy = 'Put a TextEncoderStream before it for text.';
      const error = new NetloomError('CHUNK_INVALID', message, { remedy });
      this.#abort(error);
      throw error;
    }
    if (this.#connection.write(copyBytes(chunk))) return undefined;
    this.#room = Promise.withResolvers();
    return this.#room.promise;
  }

  #end(): void {
    this.#writableOpen = false;
    this.#connection.end();
    if (this.#cancelled) void this.#connection.close();
  }

  #abort(reason: unknown): void {
    this.#writableOpen = false;
    this.#connection.abort(hostError('ABORTED', 'the stream was aborted', { cause: reason }));
  }

  #closed(error: NetloomError | undefined): void {
    const reason = error ?? hostError('ABORTED', 'the connection was closed beside its streams');
    if (this.#readableOpen) {
      this.#readableOpen = false;
      this.#reading.error(reason);
    }
    if (this.#writableOpen) {
      this.#writableOpen = false;
      this.#writing.error(reason);
    }
    this.#room?.reject(reason);
  }
}
