import type { NetloomError } from '../../core/index.ts';
import {
  Failure,
  FileDescriptor,
  InterfaceRequest,
  NativeMemory,
  ReadinessWatcher,
  SystemCallError,
  systemErrorCode,
} from '../../native/index.ts';
import { joinBridge } from './kernel-interface.ts';
import { duringStep, tapFailed, tapGone, tapUnbridged } from './tap-errors.ts';

/** sys/socket.h, linux/netlink.h, linux/rtnetlink.h */
const AF_BRIDGE = 7;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const RTMGRP_LINK = 1;
const RTM_DELLINK = 17;

/** `struct sockaddr_nl`: its family, the process (0: the kernel chooses), the groups. */
const ADDRESS = { length: 12, family: 0, groups: 8 };
/** `struct nlmsghdr`, whose length counts itself, with the `struct ifinfomsg` behind it. */
const MESSAGE = { shortest: 32, length: 0, type: 4, family: 16, index: 20 };
/** Messages begin at multiples of so many bytes. */
const ALIGNMENT = 4;
/** What is read of a message; the kernel’s are much shorter. */
const BUFFER_LENGTH = 32_768;

/**
 * Watches whether an interface is still a port of a bridge of the kernel's. Its own device tells nothing of that: what is sent by a TAP that was put out of its bridge, or whose
 * bridge was deleted, goes nowhere. But rtnetlink(7) tells whoever listens that a port has left.
 */
export class BridgeMembership {
  readonly #name: string;
  readonly #bridge: string;
  readonly #index: number;
  readonly #socket: FileDescriptor;
  readonly #buffer = NativeMemory.allocate(BUFFER_LENGTH);
  #watcher: ReadinessWatcher | undefined;

  /** Makes the interface a port of the bridge. In the namespace of both; throws an error of `tap-errors.ts`. */
  constructor(name: string, bridge: string) {
    this.#name = name;
    this.#bridge = bridge;
    const step = <T>(work: () => T): T =>
      duringStep('make a bridge port of', name, work, ` at '${bridge}'`);
    this.#socket = step(() => FileDescriptor.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    try {
      // First it listens: so no leaving is missed.
      step(() => listen(this.#socket));
      this.#index = step(() => new InterfaceRequest(name).index(this.#socket));
      step(() => joinBridge(this.#socket, bridge, this.#index));
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  /** Calls back, once, when it is no port any more, or nobody can tell. */
  watch(lost: (error: NetloomError) => void): void {
    const watcher = new ReadinessWatcher(this.#socket, (failed) => {
      const error = this.#read();
      if (error !== undefined) lost(error);
      // What had failed is read now: there was no room for all messages.
      else if (failed) watcher.start();
    });
    this.#watcher = watcher;
    watcher.start();
  }

  /** Ends watching; the interface stays where it is. Idempotent. */
  close(): void {
    this.#watcher?.close();
    this.#socket.close();
  }

  /** Reads what there is: one message, or several. Answers why it is no port any more, if it is not. */
  #read(): NetloomError | undefined {
    const length = this.#socket.read(this.#buffer);
    if (length >= 0) return this.#hasLeft(length) ? this.#whyLeft() : undefined;
    switch (length) {
      case Failure.WOULD_BLOCK:
      case Failure.INTERRUPTED:
        return undefined;
      case Failure.NO_BUFFERS:
        this.#skip();
        return this.#ask();
      default:
        return tapFailed(this.#name, new SystemCallError(-length, 'read'));
    }
  }

  #hasLeft(length: number): boolean {
    const { view } = this.#buffer;
    for (let at = 0; at + MESSAGE.shortest <= length;) {
      const isLeaving =
        view.getUint16(at + MESSAGE.type, true) === RTM_DELLINK &&
        view.getUint8(at + MESSAGE.family) === AF_BRIDGE &&
        view.getInt32(at + MESSAGE.index, true) === this.#index;
      if (isLeaving) return true;
      const step = view.getUint32(at + MESSAGE.length, true);
      at += Math.max(MESSAGE.shortest, Math.ceil(step / ALIGNMENT) * ALIGNMENT);
    }
    return false;
  }

  /** There was more to tell than the kernel has kept. It tells nothing more until all is read that it did keep. */
  #skip(): void {
    let length: number;
    do length = this.#socket.read(this.#buffer);
    while (length >= 0 || length === Failure.NO_BUFFERS);
  }

  /** Finds out, where it was not told: what is a port already cannot be made one. One that had left is put back. */
  #ask(): NetloomError | undefined {
    try {
      joinBridge(this.#socket, this.#bridge, this.#index);
      return undefined;
    } catch (error) {
      return systemErrorCode(error) === 'EBUSY' ? undefined : this.#whyLeft();
    }
  }

  /** An interface that is deleted leaves its bridge, too. */
  #whyLeft(): NetloomError {
    return InterfaceRequest.isThere(this.#socket, this.#index)
      ? tapUnbridged(this.#name, this.#bridge)
      : tapGone(this.#name);
  }
}

function listen(socket: FileDescriptor): void {
  const address = NativeMemory.allocate(ADDRESS.length).carve(ADDRESS.length);
  address.view.setUint16(ADDRESS.family, AF_NETLINK, true);
  address.view.setUint32(ADDRESS.groups, RTMGRP_LINK, true);
  socket.bind(address);
}
