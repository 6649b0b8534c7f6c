import { chunkPool, type Clock } from '../../core/index.ts';
import {
  DescriptorPoll,
  Failure,
  Readiness,
  SystemCallError,
  type PollEntry,
  type PollTarget,
  type StreamSocket,
} from '../../native/index.ts';
import { NativeSendQueue } from './native-send-queue.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import type { OsStream, OsStreamHandler } from './stream.ts';

/** Reads of one socket in a turn of the loop, before others have their turn. */
const READS_IN_TURN = 16;

/** Of a borrowed chunk so large nothing is copied as long as the kernel takes it at once. */
const LEAST_SENT_AT_ONCE = 16 * 1024;

const READ_EVENTS =
  Readiness.READABLE | Readiness.READ_HANG_UP | Readiness.HANG_UP | Readiness.ERROR;
/** After these, what is read may end with the end or an error, of which no other event will tell. */
const LAST_EVENTS = Readiness.READ_HANG_UP | Readiness.HANG_UP | Readiness.ERROR;

/**
 * A TCP socket that is driven by system calls: `recv` into the buffer that all share, `send` from where the bytes are. There are no streams and events of `node:net`'s in
 * between: 1.9 times as many short connections a second as by our own sockets on it (`npm run bench -- tcp-sockets`).
 */
export class NativeStream implements OsStream, PollTarget {
  readonly #clock: Clock;
  readonly #socket: StreamSocket;
  readonly #entry: PollEntry;
  readonly #buffer = new ReceiveBuffer();
  readonly #queue: NativeSendQueue;
  #handler: OsStreamHandler | undefined;
  #paused = true;
  /** There may be something to be read: the kernel told so, and has not said since that there is no more. */
  #readable = false;
  /** What is read next may be the last. */
  #isEnding = false;
  #endReceived = false;
  #endSent = false;
  /** Why nothing more can be sent; 0: it can. */
  #sendErrno = 0;
  #destroyed = false;

  /**
   * Of a socket that is connected.
   * @param entry the socket's place in the poll, if it has one: it tells this stream from now on
   * @param events what it was found ready for until now
   */
  constructor(clock: Clock, socket: StreamSocket, entry?: PollEntry, events: number = 0) {
    this.#clock = clock;
    this.#socket = socket;
    this.#queue = new NativeSendQueue(socket, {
      sent: () => this.#handler?.sent(),
      failed: (errno) => this.#sendFailed(errno),
    });
    this.#note(events);
    this.#entry = entry ?? DescriptorPoll.shared.add(socket.descriptor, this);
    this.#entry.target = this;
  }

  get isDestroyed(): boolean {
    return this.#destroyed;
  }

  get bufferedAmount(): number {
    return this.#queue.bytes;
  }

  setHandler(handler: OsStreamHandler): void {
    this.#handler = handler;
  }

  ready(events: number): void {
    this.#note(events);
    if (this.#readable) this.#receive();
    if (events & Readiness.WRITABLE) this.#queue.resume();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#readable) this.#clock.defer(this.#receive);
  }

  write(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  writeBorrowed(chunk: Uint8Array): void {
    const isLarge = chunk.length >= LEAST_SENT_AT_ONCE;
    const sent = isLarge ? this.#queue.sendAtOnce(chunk) : 0;
    if (sent < chunk.length) this.#queue.push(chunkPool.copy(chunk.subarray(sent)));
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
    if (this.#destroyed) return;
    this.#endSent = true;
    // To close it sends the end too.
    if (this.#endReceived) this.#destroy();
    else this.#socket.sendEnd();
  }

  reset(): void {
    if (this.#destroyed) return;
    DescriptorPoll.shared.remove(this.#entry);
    this.#socket.reset();
    this.#destroy();
  }

  setNoDelay(on: boolean): void {
    if (!this.#destroyed) this.#socket.setNoDelay(on);
  }

  setKeepAlive(seconds: number | undefined): void {
    if (!this.#destroyed) this.#socket.setKeepAlive(seconds);
  }

  /** What was told of before is told of again with what is new: after the end only a failure counts. */
  #note(events: number): void {
    if (events & (this.#endReceived ? Readiness.ERROR : READ_EVENTS)) this.#readable = true;
    if (events & LAST_EVENTS) this.#isEnding = true;
  }

  readonly #receive = (): void => {
    for (let left = READS_IN_TURN; left > 0; left--) {
      if (!this.#readable || this.#paused || this.#destroyed) return;
      this.#receiveOnce();
    }
    setImmediate(this.#receive);
  };

  #receiveOnce(): void {
    const { bytes } = this.#buffer;
    const count = this.#socket.receive(bytes);
    if (count > 0) {
      // The kernel had no more. What has come since is told of (epoll(7), question 9).
      if (count < bytes.length && !this.#isEnding) this.#readable = false;
      this.#buffer.handOn(count, this.#handler!);
    } else if (count === 0) {
      this.#ended();
    } else if (count === Failure.WOULD_BLOCK) {
      this.#readable = false;
      if (this.#sendErrno !== 0) this.#fail(this.#sendErrno, 'send');
    } else if (count !== Failure.INTERRUPTED) {
      this.#fail(-count, 'recv');
    }
  }

  #ended(): void {
    this.#readable = false;
    if (this.#sendErrno !== 0) {
      this.#fail(this.#sendErrno, 'send');
      return;
    }
    if (this.#endReceived) return;
    this.#endReceived = true;
    if (this.#endSent) this.#destroy();
    this.#handler?.end();
  }

  /** A peer that has closed refuses what is sent, but what it sent before may still have to be read: a server's answer to an upload that it did not want (RFC 9112, section 9.6). */
  #sendFailed(errno: number): void {
    this.#queue.close();
    this.#sendErrno = errno;
    if (this.#paused) {
      this.#fail(errno, 'send');
      return;
    }
    this.#readable = true;
    this.#isEnding = true;
    this.#clock.defer(this.#receive);
  }

  #fail(errno: number, call: string): void {
    if (this.#destroyed) return;
    this.#handler?.failed(new SystemCallError(errno, call));
    this.#destroy();
  }

  /** Lets go of the socket. */
  #destroy(): void {
    this.#destroyed = true;
    this.#queue.close();
    this.#buffer.release();
    DescriptorPoll.shared.remove(this.#entry);
    this.#socket.close();
    this.#clock.defer(() => this.#handler?.closed());
  }
}
