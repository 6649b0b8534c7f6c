import { FileDescriptor } from './file-descriptor.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { ReadinessWatcher } from './readiness-watcher.ts';
import { checked } from './system-call-error.ts';

/** `struct itimerspec` (timerfd_settime(2)) on 64 bits: an interval, then when the timer expires first; each has seconds and nanoseconds. */
const SETTING_LENGTH = 32;
const SECONDS = 16;
const NANOSECONDS = 24;
/** The kernel counts expirations in 8 bytes. */
const COUNT_LENGTH = 8;

/**
 * Rings once after a time, by a timer of the kernel's (timerfd), which does not round to milliseconds as those of the platform do. It has a
 * descriptor until it is closed, and keeps the process alive while it is {@link start started}.
 */
export class Alarm {
  readonly #timer: FileDescriptor;
  readonly #watcher: ReadinessWatcher;
  readonly #setting: NativeMemory = NativeMemory.allocate(SETTING_LENGTH);
  readonly #count: NativeMemory = NativeMemory.allocate(COUNT_LENGTH).carve(COUNT_LENGTH);

  /** Throws `NATIVE_UNAVAILABLE`, or a SystemCallError. */
  constructor(ring: () => void) {
    this.#timer = FileDescriptor.timer();
    this.#watcher = new ReadinessWatcher(this.#timer, () => {
      // Without a count it was set anew meanwhile.
      if (this.#timer.read(this.#count) === COUNT_LENGTH) ring();
    });
  }

  /** To ring in so many milliseconds, more than 0, and at no time that was set before. */
  set(milliseconds: number): void {
    const microseconds = Math.ceil(milliseconds * 1000);
    const { view } = this.#setting;
    view.setBigInt64(SECONDS, BigInt(Math.floor(microseconds / 1e6)), true);
    view.setBigInt64(NANOSECONDS, BigInt((microseconds % 1e6) * 1000), true);
    checked(
      native().call.timerfd_settime(this.#timer.number, 0, pointerTo(this.#setting), 0n),
      'timerfd_settime',
    );
  }

  /** It is waited for. */
  start(): void {
    this.#watcher.start();
  }

  /** It is not waited for, and may be again. */
  stop(): void {
    this.#watcher.stop();
  }

  /** It rings no more. Idempotent. */
  close(): void {
    this.#watcher.close();
    this.#timer.close();
  }
}
