import { constants } from 'node:os';
import { FileDescriptor } from './file-descriptor.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { checked, lastErrno, SystemCallError } from './system-call-error.ts';

/** linux/prctl.h */
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
/** asm-generic/resource.h */
const RLIMIT_NOFILE = 7;
/** `struct rlimit` (getrlimit(2)) on 64 bits: the limit in force, then how far it may be raised. */
const LIMITS_LENGTH = 16;
/** signal.h */
const SIG_IGN = 1n;
/** asm-generic/ioctls.h */
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
/** sys/wait.h: which processes, and which of their changes. */
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 0x1;
const WSTOPPED = 0x2;
const WEXITED = 0x4;
const WNOWAIT = 0x0100_0000;
/** `siginfo_t` (asm-generic/siginfo.h) on 64 bits, as `waitid` fills it. */
const INFORMATION_LENGTH = 128;
const INFORMATION_PROCESS = 16;

/** Programs that this thread starts get no capabilities from its ambient set (capabilities(7)). Throws a SystemCallError. */
export function clearAmbientCapabilities(): void {
  const { call } = native();
  checked(call.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n), 'prctl');
}

/**
 * Does the work with another limit of open files in force, which what it starts inherits: `count`, or as many as this process may have if those are fewer. Throws
 * a SystemCallError.
 */
export function withOpenFiles<T>(count: number, work: () => T): T {
  const { call } = native();
  const memory = NativeMemory.allocate(LIMITS_LENGTH);
  checked(call.getrlimit(RLIMIT_NOFILE, pointerTo(memory)), 'getrlimit');
  const own = memory.view.getBigUint64(0, true);
  const most = memory.view.getBigUint64(8, true);
  const set = (limit: bigint): void => {
    memory.view.setBigUint64(0, limit, true);
    checked(call.setrlimit(RLIMIT_NOFILE, pointerTo(memory)), 'setrlimit');
  };
  set(BigInt(count) < most ? BigInt(count) : most);
  try {
    return work();
  } finally {
    set(own);
  }
}

/** Takes note of the end of processes that were left to this one by their parents, so that they can go; those of `ownChild` are left alone. */
export function reapOrphans(ownChild: number): void {
  for (;;) {
    const ended = changedProcess(P_ALL, 0, WEXITED | WNOWAIT);
    // Of the platform's own child the platform wants to hear; what ended besides is found at its own signal, or when we end.
    if (ended === undefined || ended === ownChild) return;
    changedProcess(P_PID, ended, WEXITED);
  }
}

/** Whether a child has been stopped, by a signal or its terminal, since this was last asked. */
export function wasStopped(child: number): boolean {
  return changedProcess(P_PID, child, WSTOPPED) === child;
}

/** The process that has changed; undefined: none has. */
function changedProcess(kind: number, id: number, changes: number): number | undefined {
  const memory = NativeMemory.allocate(INFORMATION_LENGTH);
  if (native().call.waitid(kind, id, pointerTo(memory), changes | WNOHANG) < 0) {
    const errno = lastErrno();
    if (errno === constants.errno.ECHILD || errno === constants.errno.EINTR) return undefined;
    throw new SystemCallError(errno, 'waitid');
  }
  const found = memory.view.getInt32(INFORMATION_PROCESS, true);
  return found === 0 ? undefined : found;
}

/** The process group that has the terminal; undefined when the descriptor is not this session's terminal. */
export function foregroundGroup(terminal: number): number | undefined {
  const memory = NativeMemory.allocate(4);
  try {
    FileDescriptor.adopt(terminal).ioctl(TIOCGPGRP, memory);
  } catch {
    return undefined;
  }
  return memory.view.getInt32(0, true);
}

/** Gives the terminal to a process group of its session, also when this process is not of the group that has it. Throws a SystemCallError. */
export function setForegroundGroup(terminal: number, group: number): void {
  // To a process in the background the kernel would otherwise say by this signal that it is to stop (tcsetpgrp(3)).
  native().call.signal(constants.signals.SIGTTOU, SIG_IGN);
  const memory = NativeMemory.allocate(4);
  memory.view.setInt32(0, group, true);
  FileDescriptor.adopt(terminal).ioctl(TIOCSPGRP, memory);
}
