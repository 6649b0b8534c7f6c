import { FileDescriptor, Failure } from './file-descriptor.ts';
import { native } from './library.ts';
import { NativeMemory, pointerTo } from './memory.ts';
import { MessageBuffer } from './message-buffer.ts';
import { checked, SystemCallError } from './system-call-error.ts';

/** sys/socket.h */
const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
/** asm-generic/ioctls.h: sets and clears a descriptor's closing on exec, without the flags that `fcntl` would have. */
const FIOCLEX = 0x5451;
const FIONCLEX = 0x5450;

/** The longest message, in bytes. */
const LONGEST_MESSAGE = 16 * 1024;

/** A message of a {@link ControlSocket}. */
export interface ControlMessage {
  readonly text: string;
  /** An open file that came with it: the receiver's, to close. */
  readonly descriptor: FileDescriptor | undefined;
}

/**
 * One end of a connection between two processes of one machine, for short messages that may take an open file along (unix(7), SCM_RIGHTS).
 * A message arrives whole or not at all, so there is nothing to frame.
 */
export class ControlSocket implements Disposable {
  readonly descriptor: FileDescriptor;
  readonly #message = new MessageBuffer(LONGEST_MESSAGE);

  private constructor(number: number) {
    this.descriptor = FileDescriptor.adopt(number);
  }

  /** A connection, of whose ends the second stays open in programs that are started: its number is told them, and then it is closed here. */
  static pair(): { readonly near: ControlSocket; readonly far: FileDescriptor } {
    const memory = NativeMemory.allocate(8);
    const type = SOCK_SEQPACKET | SOCK_NONBLOCK;
    checked(native().call.socketpair(AF_UNIX, type, 0, pointerTo(memory)), 'socketpair');
    const near = ControlSocket.adopt(memory.view.getInt32(0, true));
    const far = FileDescriptor.adopt(memory.view.getInt32(4, true));
    far.ioctlNumber(FIONCLEX, 0);
    return { near, far };
  }

  /** The end that was inherited; programs started from here do not get it. */
  static adopt(number: number): ControlSocket {
    const socket = new ControlSocket(number);
    socket.descriptor.ioctlNumber(FIOCLEX, 0);
    return socket;
  }

  /** Sends a message; an open file may go with it, and stays open here too. Throws a SystemCallError. */
  send(text: string, descriptor?: FileDescriptor): void {
    const { read, written } = new TextEncoder().encodeInto(text, this.#message.data.bytes);
    if (read < text.length) throw new RangeError(`a message of more than ${LONGEST_MESSAGE} bytes`);
    this.#message.setControl(
      descriptor && { level: SOL_SOCKET, type: SCM_RIGHTS, value: descriptor.number },
    );
    const result = this.descriptor.send(this.#message, written, MSG_NOSIGNAL);
    if (result < 0) throw new SystemCallError(-result, 'sendmsg');
  }

  /** The next message; undefined when there is none yet, `ended` when the other end is closed everywhere. Throws a SystemCallError. */
  receive(): ControlMessage | 'ended' | undefined {
    const count = this.descriptor.receive(this.#message, MSG_CMSG_CLOEXEC);
    if (count === Failure.WOULD_BLOCK || count === Failure.INTERRUPTED) return undefined;
    if (count === Failure.CONNECTION_RESET || count === 0) return 'ended';
    if (count < 0) throw new SystemCallError(-count, 'recvmsg');
    const passed = this.#message.control(SOL_SOCKET, SCM_RIGHTS)?.getInt32(0, true);
    return {
      text: new TextDecoder().decode(this.#message.data.bytes.subarray(0, count)),
      descriptor: passed === undefined ? undefined : FileDescriptor.adopt(passed),
    };
  }

  close(): void {
    this.descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
