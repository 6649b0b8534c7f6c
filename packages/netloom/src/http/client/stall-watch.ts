import { NetloomError, type Clock, type Timer } from '../../core/index.ts';

/** Gives a request up when nothing comes for too long; the time a sink takes does not count. */
export class StallWatch {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #timer: Timer;
  readonly #outer: AbortSignal | undefined;
  #stalled: NetloomError | undefined;

  constructor(clock: Clock, timeout: number, outer: AbortSignal | undefined) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#outer = outer;
    this.#timer = clock.timer(() => this.#stall());
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The promise, during which the time runs. */
  async during<T>(promise: Promise<T>): Promise<T> {
    this.#timer.set(this.#clock.now() + this.#timeout);
    try {
      return await promise;
    } finally {
      this.#timer.clear();
    }
  }

  /** The error that tells why: a stall shows as an abort otherwise. */
  reason(error: unknown): unknown {
    return this.#stalled ?? error;
  }

  end(): void {
    this.#timer.clear();
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#outer!.reason);

  #stall(): void {
    this.#stalled = new NetloomError(
      'HTTP_STALLED',
      `the server sent nothing for ${this.#timeout} ms`,
      { remedy: 'Check that the server is reached; what is there is kept.' },
    );
    this.#controller.abort(this.#stalled);
  }
}
