import { abortError, hostError } from '../core/index.ts';
import { orAborted } from './abortable.ts';

/** What a Host has been asked for and has not settled: given up with `HOST_CLOSED` when the host is closed. */
export class PendingOperations {
  readonly #controllers = new Set<AbortController>();
  #closed = false;

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Gives up everything, and refuses what comes. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#controllers) controller.abort();
  }

  /** Does the work, giving it up when the signal is aborted (`ABORTED`) or the host closed. What comes after that is closed. */
  async run<T>(
    signal: AbortSignal | undefined,
    what: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw hostError('HOST_CLOSED', `${what}: the host is closed`);
    if (signal?.aborted) throw abortError(signal, what);
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#controllers.add(controller);
    try {
      return await orAborted(work(controller.signal), controller.signal, what, closeLate);
    } catch (error) {
      if (!this.#closed) throw error;
      throw hostError('HOST_CLOSED', `${what}: the host was closed`, { cause: error });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#controllers.delete(controller);
    }
  }
}

/** What came after it was given up is not left open. */
function closeLate(late: unknown): void {
  if (late instanceof Object && Symbol.asyncDispose in late) {
    void (late as AsyncDisposable)[Symbol.asyncDispose]();
  }
}
