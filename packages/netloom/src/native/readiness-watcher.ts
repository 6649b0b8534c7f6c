import { noteWork } from './busy-poll.ts';
import type { FileDescriptor } from './file-descriptor.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { SystemCallError } from './system-call-error.ts';

/** `uv_handle_type` of a `uv_poll_t`, and the event of `uv_poll_event` (uv.h). */
const UV_POLL = 8;
const UV_READABLE = 1;

/**
 * Calls back when a {@link FileDescriptor} can be read, or has failed.
 *
 * libuv watches the descriptor (`uv_poll`, level-triggered) in Node's own event loop. Its callback only takes note; the work is
 * done in the check phase that follows in the same turn. For what libuv calls through `node:ffi` must not throw, and after it Node runs neither
 * microtasks nor `process.nextTick`; after an immediate it does both, and reports an exception as any other.
 *
 * While it is started the process stays alive, unless it is not to {@link hold} it.
 */
export class ReadinessWatcher {
  readonly #ready: (failed: boolean) => void;
  /** The `uv_poll_t`. */
  readonly #handle: NativeMemory;
  #noted = false;
  #failed = false;
  #closing = false;
  #closed: (() => void) | undefined;

  /**
   * @param descriptor not watched yet, and open until {@link close} is called
   * @param ready called with whether the descriptor failed; it is then no longer watched
   */
  constructor(descriptor: FileDescriptor, ready: (failed: boolean) => void) {
    const { call, loop } = native();
    this.#ready = ready;
    this.#handle = NativeMemory.allocate(Number(call.uv_handle_size(UV_POLL)));
    checkedUv(call.uv_poll_init(loop, pointerTo(this.#handle), descriptor.number), 'uv_poll_init');
    watchers.set(pointerTo(this.#handle), this);
  }

  /** Begins to watch. */
  start(): void {
    if (this.#closing) return;
    checkedUv(
      native().call.uv_poll_start(pointerTo(this.#handle), UV_READABLE, callbacks().ready),
      'uv_poll_start',
    );
  }

  /** Ends watching until {@link start}; nothing is called meanwhile. */
  stop(): void {
    if (this.#closing) return;
    native().call.uv_poll_stop(pointerTo(this.#handle));
    this.#noted = false;
  }

  /** Whether the process stays alive while it is started. Default true. */
  hold(on: boolean): void {
    if (this.#closing) return;
    const { call } = native();
    if (on) call.uv_ref(pointerTo(this.#handle));
    else call.uv_unref(pointerTo(this.#handle));
  }

  /** Ends watching for good; idempotent. The descriptor may be closed at once; `closed` is called when libuv has let go. */
  close(closed?: () => void): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#closed = closed;
    native().call.uv_close(pointerTo(this.#handle), callbacks().closed);
  }

  /** libuv says so, by the callback all watchers share. */
  note(status: number): void {
    // libuv has stopped watching then: the descriptor has an error, or is none any more.
    if (status < 0) this.#failed = true;
    if (this.#noted) return;
    this.#noted = true;
    setImmediate(this.#work);
  }

  /** libuv will not touch the handle again. */
  noteClosed(): void {
    if (this.#closed !== undefined) setImmediate(this.#closed);
  }

  /** Whether what is being done now was begun by one: in the loop's check phase, that is, where an immediate would wait for a whole turn of the loop. */
  static get isCalling(): boolean {
    return isCalling;
  }

  readonly #work = (): void => {
    if (!this.#noted || this.#closing) return;
    this.#noted = false;
    const failed = this.#failed;
    this.#failed = false;
    isCalling = true;
    try {
      this.#ready(failed);
    } finally {
      isCalling = false;
      noteWork();
    }
  };
}

let isCalling = false;

/** Every watcher whose handle libuv knows, by the handle's address: this keeps the handle's memory from the collector. */
const watchers = new Map<bigint, ReadinessWatcher>();

interface Callbacks {
  readonly ready: bigint;
  readonly closed: bigint;
}

let shared: Callbacks | undefined;

/** The two functions libuv calls, for all watchers and for as long as the process lives: so none is ever freed while libuv may call it. */
function callbacks(): Callbacks {
  shared ??= {
    ready: native().pollCallback((handle, status) => watchers.get(handle)?.note(status)),
    closed: native().closeCallback((handle) => {
      watchers.get(handle)?.noteClosed();
      watchers.delete(handle);
    }),
  };
  return shared;
}

/** libuv answers the negated error number itself. */
function checkedUv(result: number, call: string): void {
  if (result < 0) throw new SystemCallError(-result, call);
}
