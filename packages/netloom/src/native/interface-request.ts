import { MacAddress } from '../core/index.ts';
import type { FileDescriptor } from './file-descriptor.ts';
import { NativeMemory } from './memory.ts';
import { systemErrorCode } from './system-call-error.ts';

/** `struct ifreq` (linux/if.h): 16 bytes of name that end in 0, then the value that the request calls for. */
export const REQUEST_NAME_LENGTH = 16;
/** Where a `struct ifreq` has its value. */
export const REQUEST_VALUE: number = REQUEST_NAME_LENGTH;
const REQUEST_LENGTH = REQUEST_NAME_LENGTH + 24;

/** linux/sockios.h, linux/if.h, linux/if_arp.h */
const SIOCGIFNAME = 0x8910;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCSIFHWADDR = 0x8924;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const IFF_UP = 0x0001;
const ARPHRD_ETHER = 1;

/** A hardware address is a `sockaddr`: its family, which says of what kind of hardware it is, comes first. */
const HARDWARE_ADDRESS = REQUEST_VALUE + 2;

/** A `struct ifreq` that names one interface. */
export class InterfaceRequest {
  readonly memory: NativeMemory = NativeMemory.allocate(REQUEST_LENGTH);

  /** Of the interface that is called so. */
  constructor(name: string) {
    new TextEncoder().encodeInto(name, this.memory.bytes.subarray(0, REQUEST_NAME_LENGTH - 1));
  }

  /** Whether there is an interface of that number. Throws a SystemCallError. */
  static isThere(socket: FileDescriptor, index: number): boolean {
    const request = new InterfaceRequest('');
    request.setIndex(index);
    try {
      socket.ioctl(SIOCGIFNAME, request.memory);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENODEV') return false;
      throw error;
    }
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

  /** The value of requests that are about an interface by its number. */
  setIndex(index: number): void {
    this.memory.view.setInt32(REQUEST_VALUE, index, true);
  }

  /** The interface's number. Throws a SystemCallError. */
  index(socket: FileDescriptor): number {
    socket.ioctl(SIOCGIFINDEX, this.memory);
    return this.memory.view.getInt32(REQUEST_VALUE, true);
  }

  /** Throws a SystemCallError. */
  mtu(socket: FileDescriptor): number {
    socket.ioctl(SIOCGIFMTU, this.memory);
    return this.memory.view.getInt32(REQUEST_VALUE, true);
  }

  /** Throws a SystemCallError. */
  setMtu(socket: FileDescriptor, mtu: number): void {
    this.memory.view.setInt32(REQUEST_VALUE, mtu, true);
    socket.ioctl(SIOCSIFMTU, this.memory);
  }

  /** The address of the kernel's station; undefined: the interface has none of Ethernet. Throws a SystemCallError. */
  ethernetAddress(socket: FileDescriptor): MacAddress | undefined {
    socket.ioctl(SIOCGIFHWADDR, this.memory);
    const { bytes, view } = this.memory;
    return view.getUint16(REQUEST_VALUE, true) === ARPHRD_ETHER
      ? MacAddress.read(bytes, HARDWARE_ADDRESS)
      : undefined;
  }

  /** Throws a SystemCallError. */
  setEthernetAddress(socket: FileDescriptor, mac: MacAddress): void {
    this.memory.view.setUint16(REQUEST_VALUE, ARPHRD_ETHER, true);
    mac.copyTo(this.memory.bytes, HARDWARE_ADDRESS);
    socket.ioctl(SIOCSIFHWADDR, this.memory);
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
