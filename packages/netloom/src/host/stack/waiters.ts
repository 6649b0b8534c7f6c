import { hostError, type Abortable, type Clock, type NetloomError } from '../../core/index.ts';
import { orAborted } from '../abortable.ts';

/** How long somebody waits. */
export interface WaitOptions extends Abortable {
  /** Milliseconds. */
  readonly timeout: number;
}

/** Those who wait for one thing that comes some time or never, each with a patience and a signal of its own. */
export class Waiters<T> {
  readonly #clock: Clock;
  /** What is waited for, in the words of errors. */
  readonly #what: string;
  readonly #waiting = new Set<PromiseWithResolvers<T>>();
  #end: NetloomError | undefined;

  constructor(clock: Clock, what: string) {
    this.#clock = clock;
    this.#what = what;
  }

  /** Waits for the next {@link resolve}. Rejects with `TIMEOUT`, whose message goes on with `reason`, with `ABORTED`, or with what {@link end} was told. */
  async wait({ timeout, signal }: WaitOptions, reason: string): Promise<T> {
    if (this.#end !== undefined) throw this.#end;
    const waiter = Promise.withResolvers<T>();
    const timer = this.#clock.timer(() =>
      waiter.reject(hostError('TIMEOUT', `${this.#what}: ${reason} in ${timeout} ms`)),
    );
    timer.set(this.#clock.now() + timeout);
    this.#waiting.add(waiter);
    try {
      return await orAborted(waiter.promise, signal, this.#what);
    } finally {
      timer.clear();
      this.#waiting.delete(waiter);
    }
  }

  /** It has come. */
  resolve(value: T): void {
    for (const waiter of this.#waiting) waiter.resolve(value);
  }

  /** It will not come any more: for those who wait, and those who ask later. */
  end(error: NetloomError): void {
    this.#end ??= error;
    for (const waiter of this.#waiting) waiter.reject(error);
  }
}
