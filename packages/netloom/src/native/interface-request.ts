import type { FileDescriptor } from './file-descriptor.ts';
import { NativeMemory } from './memory.ts';

/** `struct ifreq` (linux/if.h): 16 bytes of name that end in 0, then the value that the request calls for. */
export const REQUEST_NAME_LENGTH = 16;
/** Where a `struct ifreq` has its value. */
export const REQUEST_VALUE: number = REQUEST_NAME_LENGTH;
const REQUEST_LENGTH = REQUEST_NAME_LENGTH + 24;

/** linux/sockios.h, linux/if.h */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x0001;

/** A `struct ifreq` that names one interface. */
export class InterfaceRequest {
  readonly memory: NativeMemory = NativeMemory.allocate(REQUEST_LENGTH);

  /** Of the interface that is called so. */
  constructor(name: string) {
    new TextEncoder().encodeInto(name, this.memory.bytes.subarray(0, REQUEST_NAME_LENGTH - 1));
  }

  /** The name that the kernel has written over the one given. */
  get name(): string {
    const { bytes } = this.memory;
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  /** The value of requests that are about flags. */
  setFlags(flags: number): void {
    this.memory.view.setInt16(REQUEST_VALUE, flags, true);
  }

  /** Sets the interface up, unless it is. Throws a SystemCallError. */
  bringUp(socket: FileDescriptor): void {
    socket.ioctl(SIOCGIFFLAGS, this.memory);
    const flags = this.memory.view.getInt16(REQUEST_VALUE, true);
    if ((flags & IFF_UP) !== 0) return;
    this.setFlags(flags | IFF_UP);
    socket.ioctl(SIOCSIFFLAGS, this.memory);
  }
}
