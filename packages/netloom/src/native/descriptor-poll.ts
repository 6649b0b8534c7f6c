import { FileDescriptor } from './file-descriptor.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { ReadinessWatcher } from './readiness-watcher.ts';
import { checked } from './system-call-error.ts';

/** Of `epoll_ctl` (sys/epoll.h). */
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
/** Told of once, when it comes to be, and not again for as long as it stays so. */
const EPOLLET = 0x8000_0000;

/** What a descriptor may be ready for: `EPOLLIN`, ... of sys/epoll.h. */
export const Readiness = {
  READABLE: 0x1,
  WRITABLE: 0x4,
  ERROR: 0x8,
  HANG_UP: 0x10,
  /** The peer sends no more. */
  READ_HANG_UP: 0x2000,
} as const;

const ALL = Readiness.READABLE | Readiness.WRITABLE | Readiness.READ_HANG_UP;

/** `struct epoll_event`: the events, then 8 bytes of ours. On x86-64 it is packed. */
const EVENT_LENGTH = process.arch === 'x64' ? 12 : 16;
const EVENT_DATA = EVENT_LENGTH - 8;
/** Events taken in one turn of the loop; what is left is for the next. */
const BATCH = 256;

/** What is told of a descriptor in a {@link DescriptorPoll}. */
export interface PollTarget {
  /** `events`: bits of {@link Readiness}. */
  ready(events: number): void;
}

/** A descriptor's place in a {@link DescriptorPoll}. */
export interface PollEntry {
  readonly descriptor: FileDescriptor;
  /** Who is told. It may be exchanged. */
  target: PollTarget;
}

/**
 * Tells of many sockets when they can be read from and written to: one set of the kernel's (epoll(7)), which libuv watches as a whole.
 *
 * A socket is put in once and told of by edges, so that nothing more is asked of the kernel as long as it lives: a connection costs one system call here, where
 * `uv_poll` would make several, and one for every change of what is waited for. Whoever is told has to read, or write, until the kernel has no more
 * (`EAGAIN`), or to remember that it has not.
 *
 * While there is anything in it the process stays alive.
 */
export class DescriptorPoll {
  readonly #epoll: FileDescriptor = FileDescriptor.epoll();
  readonly #watcher: ReadinessWatcher;
  /** By number, which no other one ever has: what is told of one that was removed a moment ago is not another's. */
  readonly #entries = new Map<number, PollEntry>();
  readonly #numbers = new WeakMap<PollEntry, number>();
  readonly #change: NativeMemory = NativeMemory.allocate(EVENT_LENGTH);
  readonly #events: NativeMemory = NativeMemory.allocate(BATCH * EVENT_LENGTH);
  #last = 0;

  static #shared: DescriptorPoll | undefined;

  /** The one of this process. Throws `NATIVE_UNAVAILABLE`. */
  static get shared(): DescriptorPoll {
    return (DescriptorPoll.#shared ??= new DescriptorPoll());
  }

  private constructor() {
    this.#watcher = new ReadinessWatcher(this.#epoll, () => this.#take());
    this.#watcher.start();
    this.#watcher.hold(false);
  }

  /**
   * Puts a descriptor in, which is told at once of what it is ready for: not before this returns. It is to be removed, and then closed at once.
   * @param events what is told of, beside failures
   */
  add(descriptor: FileDescriptor, target: PollTarget, events: number = ALL): PollEntry {
    const number = ++this.#last;
    this.#writeChange(number, events);
    this.#control(EPOLL_CTL_ADD, descriptor);
    const entry: PollEntry = { descriptor, target };
    this.#entries.set(number, entry);
    this.#numbers.set(entry, number);
    if (this.#entries.size === 1) this.#watcher.hold(true);
    return entry;
  }

  /** Changes what is told of, and tells at once what of that it is ready for. */
  watch(entry: PollEntry, events: number): void {
    const number = this.#numbers.get(entry);
    if (number === undefined || !this.#entries.has(number)) return;
    this.#writeChange(number, events);
    this.#control(EPOLL_CTL_MOD, entry.descriptor);
  }

  /** Nothing more is told of it, not even what the kernel has told already. The descriptor is to be closed then, which makes the kernel forget it. Idempotent. */
  remove(entry: PollEntry): void {
    const number = this.#numbers.get(entry);
    if (number === undefined || !this.#entries.delete(number)) return;
    if (this.#entries.size === 0) this.#watcher.hold(false);
  }

  #writeChange(number: number, events: number): void {
    const { view } = this.#change;
    view.setUint32(0, (EPOLLET | events) >>> 0, true);
    view.setUint32(EVENT_DATA, number >>> 0, true);
    view.setUint32(EVENT_DATA + 4, Math.floor(number / 0x1_0000_0000), true);
  }

  #control(operation: number, { number }: FileDescriptor): void {
    const { call } = native();
    const change = pointerTo(this.#change);
    checked(call.epoll_ctl(this.#epoll.number, operation, number, change), 'epoll_ctl');
  }

  /** What is beyond a batch keeps the set readable, so that the watcher calls again. */
  #take(): void {
    const { call } = native();
    const count = call.epoll_wait(this.#epoll.number, pointerTo(this.#events), BATCH, 0);
    const { view } = this.#events;
    for (let i = 0; i < count; i++) {
      const at = i * EVENT_LENGTH;
      const low = view.getUint32(at + EVENT_DATA, true);
      const high = view.getUint32(at + EVENT_DATA + 4, true);
      this.#tell(high * 0x1_0000_0000 + low, view.getUint32(at, true));
    }
  }

  #tell(number: number, events: number): void {
    try {
      this.#entries.get(number)?.target.ready(events);
    } catch (error) {
      // An edge is told of once: the others are to have theirs. Thrown as from any callback of the platform.
      setImmediate(() => {
        throw error;
      });
    }
  }
}
