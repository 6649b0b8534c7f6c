import type { Datagram, IpAddress } from '../../core/index.ts';
import { NativeMemory } from '../memory.ts';
import {
  IPV6_PKTINFO,
  IPV6_TCLASS,
  IP_PKTINFO,
  IP_TOS,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_GRO,
  visitControls,
} from './control-messages.ts';
import { MessageArray, addressNumber } from './message-array.ts';
import type { RememberedEnds } from './remembered-ends.ts';

/**
 * Datagrams received in one call. A datagram of 64 bytes took 1.47 us by `recvmsg` one after the other, 1.05 us by 16 at a time, 0.98 us by 64; and one that
 * comes alone as much by `recvmmsg` as by `recvmsg` and the call that says there is no other (the least of 60 rounds over loopback).
 */
const COUNT = 64;

/** As much as IP carries, so that none is ever cut off, with GRO neither. 64 bytes more: slots a power of two apart would displace each other from the cache. */
const ROOM = 65_536 + 64;

/** Two addresses, the ECN bits, the segment size: 144 bytes. */
const CONTROL_ROOM = 192;

/** The bits of the traffic class that are ECN's (RFC 3168, section 5). */
const ECN_MASK = 3;

/** Room for datagrams that are received together. What is read of it is borrowed until the next are. */
export class ReceivedDatagrams {
  readonly capacity: number = COUNT;
  readonly messages: MessageArray = new MessageArray(COUNT, CONTROL_ROOM);
  readonly #data: readonly NativeMemory[];
  /** The data of each slot as it was handed on last: that of the next datagram is likely as long. */
  readonly #views: Uint8Array[];
  #used: number = COUNT;
  /** Being read. */
  #datagram: Datagram | undefined;
  #ends: RememberedEnds | undefined;

  static #shared: ReceivedDatagrams | undefined;

  private constructor() {
    const memory = NativeMemory.allocate(COUNT * ROOM);
    this.#data = Array.from({ length: COUNT }, () => memory.carve(ROOM));
    this.#views = this.#data.map(({ bytes }) => bytes);
    for (const [i, data] of this.#data.entries()) {
      this.messages.setData(i, addressNumber(data), ROOM);
    }
  }

  /** The one of this process: sockets receive one after the other. Its memory is the system's to provide when it is used. */
  static get shared(): ReceivedDatagrams {
    const last = ReceivedDatagrams.#shared;
    if (last !== undefined && !last.#isDetached) return last;
    return (ReceivedDatagrams.#shared = new ReceivedDatagrams());
  }

  /** Makes all room free again. */
  prepare(): void {
    for (let i = 0; i < this.#used; i++) this.messages.prepare(i);
    this.#used = 0;
  }

  /** So many have come. */
  setUsed(count: number): void {
    this.#used = count;
  }

  /** One of those that have come. */
  read(i: number, ends: RememberedEnds): Datagram {
    const remote = ends.remote(this.messages.names[i]!);
    const datagram: Datagram = { data: this.#bytes(i), remote };
    if (ends.bound !== undefined) datagram.local = ends.bound;
    this.#datagram = datagram;
    this.#ends = ends;
    const length = this.messages.controlLength(i);
    visitControls(this.messages.controls[i]!.view, length, this.#readControl);
    return datagram;
  }

  /** Somebody has transferred what was lent to him to another thread. */
  get #isDetached(): boolean {
    return this.#data[0]!.bytes.length === 0;
  }

  #bytes(i: number): Uint8Array {
    const length = this.messages.received(i);
    const last = this.#views[i]!;
    if (last.length === length) return last;
    const { buffer, byteOffset } = this.#data[i]!.bytes;
    return (this.#views[i] = new Uint8Array(buffer, byteOffset, length));
  }

  readonly #readControl = (level: number, type: number, view: DataView, at: number): void => {
    const datagram = this.#datagram!;
    if (level === SOL_IP && type === IP_TOS) {
      datagram.ecn = view.getUint8(at) & ECN_MASK;
    } else if (level === SOL_IPV6 && type === IPV6_TCLASS) {
      datagram.ecn = view.getInt32(at, true) & ECN_MASK;
    } else if (level === SOL_IP && type === IP_PKTINFO) {
      datagram.local = this.#local4(view, at);
    } else if (level === SOL_IPV6 && type === IPV6_PKTINFO) {
      // What is told of IPv4 to a socket for both families is in a message of IPv4's.
      if (!isMapped(view, at)) {
        datagram.local = this.#ends!.local6(view, at, view.getInt32(at + 16, true));
      }
    } else if (level === SOL_UDP && type === UDP_GRO) {
      const size = view.getInt32(at, true);
      if (size < datagram.data.length) datagram.segmentSize = size;
    }
  };

  /** Of `struct in_pktinfo`: a group as it is in the header; else the address of ours that an answer leaves from, which of a broadcast is the interface's. */
  #local4(view: DataView, at: number): IpAddress {
    const [own, header] = [view.getInt32(at + 4), view.getInt32(at + 8)];
    return this.#ends!.local4(header >>> 28 === 0xe ? header : own);
  }
}

function isMapped(view: DataView, at: number): boolean {
  const isZero = view.getInt32(at) === 0 && view.getInt32(at + 4) === 0;
  return isZero && view.getInt32(at + 8) === 0xffff;
}
