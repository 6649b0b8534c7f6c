import { Socket, type SocketConstructorOpts } from 'node:net';
import { chunkPool, copyBytes, type Clock } from '../../core/index.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { SendQueue } from './send-queue.ts';
import type { OsStream, OsStreamHandler } from './stream.ts';

/** What a stream socket is of: TCP, or the local ones of Unix. */
export type SocketFamily = 'tcp' | 'local';

/** Resets the connection. Unix sockets know no reset: their peer is told of one if there was something unread, and sees the end otherwise. */
export function cutOff(socket: Socket, family: SocketFamily): void {
  if (family === 'tcp') socket.resetAndDestroy();
  else socket.destroy();
}

/** A TCP or Unix socket of the platform (`node:net`) that pushes what it receives. */
export class PlatformStream implements OsStream {
  readonly socket: Socket;
  readonly #clock: Clock;
  readonly #family: SocketFamily;
  readonly #buffer = new ReceiveBuffer();
  readonly #queue: SendQueue;
  #handler: OsStreamHandler | undefined;
  #paused = true;
  /** Copies of what came while paused: the platform may read once more after a pause. Then it stops. */
  #held: Uint8Array[] = [];
  #endHeld = false;
  #endSent = false;

  constructor(clock: Clock, options: SocketConstructorOpts = {}, family: SocketFamily = 'tcp') {
    this.#clock = clock;
    this.#family = family;
    this.socket = new Socket({
      ...options,
      allowHalfOpen: true,
      // Asked for before the first read, and after each.
      onread: {
        buffer: () => this.#buffer.bytes,
        callback: (length) => this.#received(length),
      },
    });
    this.#queue = new SendQueue(clock, this.socket, () => this.#handler?.sent());
    this.socket.pause();
    this.socket.on('end', () => {
      if (this.#held.length > 0) this.#endHeld = true;
      else this.#handler?.end();
    });
    this.socket.on('error', (error) => this.#handler?.failed(error));
    this.socket.on('close', () => {
      this.#buffer.release();
      this.#handler?.closed();
    });
  }

  get isDestroyed(): boolean {
    return this.socket.destroyed;
  }

  get bufferedAmount(): number {
    return this.#queue.bytes;
  }

  setHandler(handler: OsStreamHandler): void {
    this.#handler = handler;
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#held.length > 0) this.#clock.defer(() => this.#deliverHeld());
    else this.socket.resume();
  }

  write(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  writeBorrowed(chunk: Uint8Array): void {
    this.#queue.push(chunkPool.copy(chunk));
  }

  cork(): void {
    this.#queue.cork();
  }

  uncork(): void {
    this.#queue.uncork();
  }

  flush(): void {
    this.#queue.flush();
  }

  discard(): void {
    this.#queue.clear();
  }

  end(): void {
    this.#endSent = true;
    this.socket.end();
  }

  reset(): void {
    if (this.socket.destroyed) return;
    // While the platform holds back a shutdown it cannot reset the connection (libuv's uv_tcp_close_reset refuses). It is done in the next turn.
    if (this.#endSent && !this.socket.writableFinished) {
      this.socket.once('finish', () => this.reset());
    } else {
      cutOff(this.socket, this.#family);
    }
  }

  setNoDelay(on: boolean): void {
    this.socket.setNoDelay(on);
  }

  setKeepAlive(seconds: number | undefined): void {
    // The platform takes 0 for "as it was".
    if (seconds === undefined) this.socket.setKeepAlive(false);
    else this.socket.setKeepAlive(true, seconds * 1000);
  }

  #received(length: number): boolean {
    if (this.#paused || this.#held.length > 0) {
      this.#held.push(copyBytes(this.#buffer.bytes.subarray(0, length)));
      return false;
    }
    this.#buffer.handOn(length, this.#handler!);
    return true;
  }

  #deliverHeld(): void {
    while (!this.#paused && this.#held.length > 0) this.#handler!.data(this.#held.shift()!);
    if (this.#held.length > 0) return;
    if (!this.#paused) this.socket.resume();
    if (this.#endHeld) {
      this.#endHeld = false;
      this.#handler!.end();
    }
  }
}
