import type * as ForeignFunctions from 'node:ffi';
import { endianness } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { NetloomError } from '../core/index.ts';

/** What is called of the C library and of libuv, both of which are in the node binary. Pointers are `bigint`, as `node:ffi` has them. */
export interface NativeLibrary {
  read(descriptor: number, into: bigint, length: bigint): number;
  write(descriptor: number, from: bigint, length: bigint): number;
  ioctl(descriptor: number, request: bigint, argument: bigint): number;
  setns(descriptor: number, kind: number): number;
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: bigint, length: number): number;
  connect(descriptor: number, address: bigint, length: number): number;
  setsockopt(
    descriptor: number,
    level: number,
    option: number,
    value: bigint,
    length: number,
  ): number;
  listen(descriptor: number, backlog: number): number;
  accept4(descriptor: number, address: bigint, length: bigint, flags: number): number;
  shutdown(descriptor: number, how: number): number;
  getsockopt(
    descriptor: number,
    level: number,
    option: number,
    value: bigint,
    length: bigint,
  ): number;
  getsockname(descriptor: number, address: bigint, length: bigint): number;
  recv(descriptor: number, into: Uint8Array, length: bigint, flags: number): number;
  send(descriptor: number, from: Uint8Array, length: bigint, flags: number): number;
  recvmsg(descriptor: number, message: bigint, flags: number): number;
  sendmsg(descriptor: number, message: bigint, flags: number): number;
  recvmmsg(
    descriptor: number,
    messages: bigint,
    count: number,
    flags: number,
    timeout: bigint,
  ): number;
  sendmmsg(descriptor: number, messages: bigint, count: number, flags: number): number;
  if_nametoindex(name: bigint): number;
  if_indextoname(index: number, name: bigint): bigint;
  socketpair(family: number, type: number, protocol: number, pair: bigint): number;
  mount(source: bigint, target: bigint, type: bigint, flags: bigint, data: bigint): number;
  umount2(target: bigint, flags: number): number;
  prctl(option: number, a: bigint, b: bigint, c: bigint, d: bigint): number;
  timerfd_create(clock: number, flags: number): number;
  timerfd_settime(descriptor: number, flags: number, value: bigint, previous: bigint): number;
  epoll_create1(flags: number): number;
  epoll_ctl(set: number, operation: number, descriptor: number, event: bigint): number;
  epoll_wait(set: number, events: bigint, count: number, timeout: number): number;
  getrlimit(resource: number, limits: bigint): number;
  setrlimit(resource: number, limits: bigint): number;
  signal(number: number, handler: bigint): bigint;
  waitid(kind: number, id: number, information: bigint, options: number): number;
  uv_handle_size(type: number): bigint;
  uv_poll_init(loop: bigint, handle: bigint, descriptor: number): number;
  uv_poll_start(handle: bigint, events: number, callback: bigint): number;
  uv_poll_stop(handle: bigint): number;
  uv_close(handle: bigint, callback: bigint): void;
  uv_ref(handle: bigint): void;
  uv_unref(handle: bigint): void;
}

/** The loaded library, and what of `node:ffi` is used beside calls. */
export interface Native {
  readonly call: NativeLibrary;
  /** This thread's `errno`, mapped: reading it is no call, so that nothing comes between. */
  readonly errno: Int32Array;
  /** This thread's `uv_loop_t`. */
  readonly loop: bigint;
  addressOf(buffer: ArrayBuffer): bigint;
  /** Makes a `uv_poll_cb` (its events left out); it lives as long as the process, and must not throw. */
  pollCallback(body: (handle: bigint, status: number) => void): bigint;
  /** Makes a `uv_close_cb`, as {@link pollCallback}. */
  closeCallback(body: (handle: bigint) => void): bigint;
}

/**
 * The signatures. What is a `size_t` is `u64`: a narrower type would leave the upper half of a register undefined. A `ssize_t` that
 * is below 2^31 may be taken as `i32`, its lower half, which saves a BigInt for each result.
 *
 * Memory is handed over as an address: over several runs on a busy machine that cost 0.08 to 0.4 us a call, a typed array or
 * ArrayBuffer 0.2 to 0.6 us (three arguments, no work done, Node 26.10 on x86-64), and in each run the address was the cheaper. What streams carry lies where
 * others have put it, so that `recv` and `send` take arrays: to copy 64 KiB costs 4 us.
 */
const SIGNATURES = {
  read: { arguments: ['i32', 'pointer', 'u64'], return: 'i32' },
  write: { arguments: ['i32', 'pointer', 'u64'], return: 'i32' },
  // Variadic in C. The calling conventions of Linux on the processors below pass its third argument as any other.
  ioctl: { arguments: ['i32', 'u64', 'pointer'], return: 'i32' },
  setns: { arguments: ['i32', 'i32'], return: 'i32' },
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  bind: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  connect: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  listen: { arguments: ['i32', 'i32'], return: 'i32' },
  accept4: { arguments: ['i32', 'pointer', 'pointer', 'i32'], return: 'i32' },
  shutdown: { arguments: ['i32', 'i32'], return: 'i32' },
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
  getsockname: { arguments: ['i32', 'pointer', 'pointer'], return: 'i32' },
  recv: { arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32' },
  send: { arguments: ['i32', 'pointer', 'u64', 'i32'], return: 'i32' },
  recvmsg: { arguments: ['i32', 'pointer', 'i32'], return: 'i32' },
  sendmsg: { arguments: ['i32', 'pointer', 'i32'], return: 'i32' },
  recvmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32', 'pointer'], return: 'i32' },
  sendmmsg: { arguments: ['i32', 'pointer', 'u32', 'i32'], return: 'i32' },
  if_nametoindex: { arguments: ['pointer'], return: 'u32' },
  if_indextoname: { arguments: ['u32', 'pointer'], return: 'pointer' },
  socketpair: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
  mount: { arguments: ['pointer', 'pointer', 'pointer', 'u64', 'pointer'], return: 'i32' },
  umount2: { arguments: ['pointer', 'i32'], return: 'i32' },
  // Variadic in C too.
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  timerfd_create: { arguments: ['i32', 'i32'], return: 'i32' },
  timerfd_settime: { arguments: ['i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
  epoll_create1: { arguments: ['i32'], return: 'i32' },
  epoll_ctl: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
  epoll_wait: { arguments: ['i32', 'pointer', 'i32', 'i32'], return: 'i32' },
  getrlimit: { arguments: ['i32', 'pointer'], return: 'i32' },
  setrlimit: { arguments: ['i32', 'pointer'], return: 'i32' },
  signal: { arguments: ['i32', 'pointer'], return: 'pointer' },
  waitid: { arguments: ['i32', 'u32', 'pointer', 'i32'], return: 'i32' },
  uv_handle_size: { arguments: ['i32'], return: 'u64' },
  uv_poll_init: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  uv_poll_start: { arguments: ['pointer', 'i32', 'pointer'], return: 'i32' },
  uv_poll_stop: { arguments: ['pointer'], return: 'i32' },
  uv_close: { arguments: ['pointer', 'pointer'], return: 'void' },
  uv_ref: { arguments: ['pointer'], return: 'void' },
  uv_unref: { arguments: ['pointer'], return: 'void' },
} as const satisfies ForeignFunctions.FunctionDefinitions;

/** Structure layouts, ioctl numbers and calling conventions are those of these (both little-endian, 64 bits). */
const PROCESSORS: readonly string[] = ['x64', 'arm64'];

let loaded: Native | string | undefined;

/**
 * Why native calls cannot be made here, or undefined when they can. The first question loads `node:ffi`, for which Node prints
 * its ExperimentalWarning unless it is told not to (`--disable-warning=ExperimentalWarning`).
 */
export function nativeAvailable(): string | undefined {
  loaded ??= load();
  return typeof loaded === 'string' ? loaded : undefined;
}

/** Throws `NATIVE_UNAVAILABLE` where native calls cannot be made. */
export function requireNative(): void {
  native();
}

/** The library, loaded when it is first asked for. Throws `NATIVE_UNAVAILABLE`. */
export function native(): Native {
  loaded ??= load();
  if (typeof loaded !== 'string') return loaded;
  throw new NetloomError('NATIVE_UNAVAILABLE', `native calls are not available: ${loaded}`, {
    remedy:
      'Run it with Node 26.6 or newer on 64-bit Linux, in the main thread, or use a link that needs no native calls.',
  });
}

function load(): Native | string {
  if (process.platform !== 'linux') return `the system is ${process.platform}, not Linux`;
  if (!PROCESSORS.includes(process.arch) || endianness() !== 'LE') {
    return `the processor is ${process.arch}, not one of ${PROCESSORS.join(', ')}`;
  }
  // A worker that is terminated does not close what libuv watches for us, and Node then aborts the whole process.
  if (!isMainThread) return 'this is a worker thread';
  const ffi = process.getBuiltinModule('node:ffi') as typeof ForeignFunctions | undefined;
  if (typeof ffi?.getCurrentEventLoop !== 'function') {
    return `this is Node ${process.versions.node}, which has no complete node:ffi`;
  }
  try {
    return bind(ffi);
  } catch (error) {
    // Not allowed (--permission without --allow-ffi), or a node binary that hides these symbols.
    return error instanceof Error ? error.message : String(error);
  }
}

function bind(ffi: typeof ForeignFunctions): Native {
  const library = new ffi.DynamicLibrary(null);
  const errnoLocation = library.getFunction('__errno_location', {
    arguments: [],
    return: 'pointer',
  });
  return {
    call: library.getFunctions(SIGNATURES),
    errno: new Int32Array(ffi.toArrayBuffer(errnoLocation(), 4, false)),
    loop: ffi.getCurrentEventLoop(),
    addressOf: (buffer) => ffi.getRawPointer(buffer),
    // Pointers are typed as what may be passed; what is received is an address.
    pollCallback: (body) =>
      library.registerCallback(
        { arguments: ['pointer', 'i32', 'i32'], return: 'void' },
        (handle, status) => body(handle as bigint, status),
      ),
    closeCallback: (body) =>
      library.registerCallback({ arguments: ['pointer'], return: 'void' }, (handle) =>
        body(handle as bigint),
      ),
  };
}
