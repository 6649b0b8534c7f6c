import {
  formatSocketAddress,
  hostError,
  type Connection,
  type ConnectionHandler,
  type NetloomError,
  type SocketAddress,
  type Timer,
} from '../../core/index.ts';
import { hostFaults, type OpenThing, type OsContext } from './context.ts';
import { fromSystemError } from './errors.ts';
import type { ConnectedStream, OsStream } from './stream.ts';

/** A connection on a stream socket of the operating system: TCP's, or a local one. */
export class OsConnection implements Connection, OpenThing {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #context: OsContext;
  readonly #peer: string;
  readonly #stream: OsStream;
  #handler: ConnectionHandler | undefined;
  #paused = false;
  /** `write` answered false and nobody was told since that there is room. */
  #drainWanted = false;
  /** No more may be written. */
  #ended = false;
  /** The kernel was told to send our end. */
  #endSent = false;
  /** `close` or `abort` was called: nothing but `closed` is handed on. */
  #leaving = false;
  #error: NetloomError | undefined;
  #closed: PromiseWithResolvers<void> | undefined;
  #gone = false;
  #closeTimer: Timer | undefined;
  #unsentBefore = 0;

  constructor(context: OsContext, { stream, local, remote, peer }: ConnectedStream) {
    this.#context = context;
    this.#stream = stream;
    this.local = local;
    this.remote = remote;
    this.#peer = peer ?? formatSocketAddress(remote);
    context.open.add(this);
    stream.setHandler({
      data: (chunk) => this.#received(chunk),
      end: () => this.#tell('end'),
      sent: () => this.#sent(),
      failed: (error) => {
        this.#error ??= fromSystemError(error, this.#name());
      },
      closed: () => this.#finish(),
    });
  }

  get bufferedAmount(): number {
    return this.#stream.bufferedAmount;
  }

  start(handler: ConnectionHandler): void {
    const isFirst = this.#handler === undefined;
    this.#handler = handler;
    if (!isFirst) return;
    if (this.#gone) this.#context.clock.defer(() => this.#tellClosed());
    else if (!this.#paused && !this.#leaving) this.#stream.resume();
    if (this.#drainWanted) this.#context.clock.defer(() => this.#sent());
  }

  write(chunk: Uint8Array): boolean {
    this.#checkNotEnded();
    if (this.#stream.isDestroyed) return false;
    this.#stream.write(chunk);
    return this.#takesMore();
  }

  writeBorrowed(chunk: Uint8Array): boolean {
    this.#checkNotEnded();
    if (this.#stream.isDestroyed) return false;
    this.#stream.writeBorrowed(chunk);
    return this.#takesMore();
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  pause(): void {
    this.#paused = true;
    if (this.#handler !== undefined && !this.#leaving) this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#handler !== undefined && !this.#leaving) this.#stream.resume();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.flush();
    this.#sendEnd();
  }

  close(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed.promise;
    this.#closed = Promise.withResolvers();
    if (this.#gone) {
      this.#ended = true;
      this.#closed.resolve();
    } else if (!this.#leaving) {
      this.#leaving = true;
      this.end();
      this.#stream.resume();
      this.#closeTimer = this.#context.clock.timer(() => this.#checkClosing());
      this.#armCloseTimer();
    }
    return this.#closed.promise;
  }

  abort(error?: NetloomError): void {
    this.#leaving = true;
    this.#ended = true;
    this.#stream.discard();
    if (this.#stream.isDestroyed) return;
    this.#error ??= error ?? hostError('ABORTED', `${this.#name()} was aborted`);
    this.#stream.reset();
  }

  setNoDelay(on: boolean): void {
    this.#stream.setNoDelay(on);
  }

  setKeepAlive(idle: number | undefined): void {
    // The kernel counts whole seconds.
    this.#stream.setKeepAlive(idle === undefined ? undefined : Math.max(1, Math.ceil(idle / 1000)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #received(chunk: Uint8Array): void {
    if (this.#leaving) return;
    try {
      this.#handler?.data?.(chunk);
    } catch (thrown) {
      this.#handlerThrew(thrown);
    }
  }

  #tell(event: 'end' | 'drain'): void {
    if (this.#leaving) return;
    try {
      this.#handler?.[event]?.();
    } catch (thrown) {
      this.#handlerThrew(thrown);
    }
  }

  #handlerThrew(thrown: unknown): void {
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the handler of ${this.#name()} threw: ${said}`;
    this.abort(hostError('HANDLER_THREW', message, { cause: thrown }));
  }

  #checkNotEnded(): void {
    if (!this.#ended) return;
    throw hostError('WRITE_AFTER_END', `${this.#name()} was written to after it had been ended`);
  }

  /** Whether there is room in the buffer after what was written; if not, the writer is told when there is. */
  #takesMore(): boolean {
    if (this.#hasRoom()) return true;
    this.#stream.flush();
    if (this.#hasRoom()) return true;
    this.#drainWanted = true;
    return false;
  }

  #hasRoom(): boolean {
    return this.bufferedAmount < this.#context.limits.sendBuffer;
  }

  /** The kernel has taken something off our hands. */
  #sent(): void {
    if (this.#stream.isDestroyed) return;
    // Half of the buffer, so that a writer is woken for more than one chunk.
    const isLow = this.bufferedAmount <= this.#context.limits.sendBuffer / 2;
    if (this.#drainWanted && isLow && this.#handler !== undefined) {
      this.#drainWanted = false;
      this.#tell('drain');
    }
    this.#sendEnd();
  }

  /**
   * Sends our end once all before it is with the kernel. Not earlier: while `node:net` holds back a shutdown it cannot
   * reset the connection (libuv's uv_tcp_close_reset refuses), so that an abort would have to wait for the peer.
   */
  #sendEnd(): void {
    if (!this.#ended || this.#endSent || this.#stream.isDestroyed || this.bufferedAmount > 0)
      return;
    this.#endSent = true;
    this.#stream.end();
  }

  #armCloseTimer(): void {
    const { clock, limits } = this.#context;
    this.#unsentBefore = this.bufferedAmount;
    this.#closeTimer?.set(clock.now() + limits.closeTimeout);
  }

  /** Gives up on a peer that neither takes what is left to be sent nor ends its side. */
  #checkClosing(): void {
    if (this.bufferedAmount < this.#unsentBefore) {
      this.#armCloseTimer();
      return;
    }
    const { closeTimeout } = this.#context.limits;
    this.abort(
      hostError(
        'TIMEOUT',
        `${this.#name()}: the peer did not end its side within ${closeTimeout} ms`,
      ),
    );
  }

  /** The socket is gone. */
  #finish(): void {
    this.#gone = true;
    this.#ended ||= this.#error === undefined;
    this.#stream.discard();
    this.#closeTimer?.clear();
    this.#context.open.delete(this);
    if (this.#handler !== undefined) this.#tellClosed();
    this.#closed?.resolve();
  }

  #tellClosed(): void {
    try {
      this.#handler!.closed?.(this.#error);
    } catch (thrown) {
      const error = hostError('HANDLER_THREW', `the handler of ${this.#name()} threw in closed()`, {
        cause: thrown,
      });
      hostFaults.publish({ host: this.#context.name, error });
    }
  }

  #name(): string {
    return `the connection to ${this.#peer}`;
  }
}
