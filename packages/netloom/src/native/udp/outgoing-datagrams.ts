import { IpAddress, type Datagram } from '../../core/index.ts';
import { NativeMemory } from '../memory.ts';
import { scopeOf, writeSocketAddress } from '../socket-address.ts';
import {
  IPV6_PKTINFO,
  IPV6_TCLASS,
  IP_PKTINFO,
  IP_TOS,
  SOL_IP,
  SOL_IPV6,
  SOL_UDP,
  UDP_SEGMENT,
  controlData,
  controlSpace,
  writeControlHeader,
} from './control-messages.ts';
import { MessageArray, addressNumber } from './message-array.ts';

/** Datagrams sent in one call. One of 64 bytes took 3.6 us by `sendmsg`, 2.7 us by `sendmmsg` with 16, 2.6 us with 64; alone, 3.8 us by `sendmsg` and 4.3 us by `sendmmsg`. */
const COUNT = 64;

/** Bytes of data for all of them: a burst of full frames, and more than the longest datagram. */
const ROOM = 256 * 1024;

/** The longest datagram of UDP over IPv4, after its headers; as much may go in segments. */
const LONGEST = 65_507;
/** What `sendmsg` takes at all; IPv6 has room for 20 bytes more. */
const LENGTH_LIMIT = 0xffff;

/** UDP_MAX_SEGMENTS of linux/udp.h as it was first. */
const MOST_SEGMENTS = 64;

/** An address with its interface (`struct in6_pktinfo`), the ECN bits, the segment size. */
const PACKET_INFO_V4 = 12;
const PACKET_INFO_V6 = 20;
const CONTROL_ROOM = 128;

/** How a datagram is to be sent. */
export interface SendManner {
  /** The socket's family. */
  readonly family: 4 | 6;
  /** The address the socket is bound to, which its datagrams leave from anyhow. */
  readonly bound: IpAddress;
  /** Segments that are longer are sent by themselves: the kernel has refused to cut a datagram into such. */
  readonly longestSegment: number;
}

/** What the `sockaddr` of a slot has been written for. */
interface WrittenName {
  readonly address: IpAddress;
  readonly port: number;
  readonly family: 4 | 6;
  readonly length: number;
}

/** Datagrams that are sent together, copied into memory that the kernel reads from. */
export class OutgoingDatagrams {
  readonly messages: MessageArray = new MessageArray(COUNT, CONTROL_ROOM);
  readonly #data: NativeMemory = NativeMemory.allocate(ROOM);
  readonly #start: number = addressNumber(this.#data);
  /** The address each slot has been written for: that of the next datagram in it is likely the same. */
  readonly #names: (WrittenName | undefined)[] = [];
  readonly #segments = new Int32Array(COUNT);
  readonly #indexes = new Int32Array(COUNT);
  readonly #offsets = new Int32Array(COUNT);
  readonly #lengths = new Int32Array(COUNT);
  #count = 0;
  #used = 0;

  static #shared: OutgoingDatagrams | undefined;

  private constructor() {}

  /** The one of this process: it is filled and sent at once. */
  static get shared(): OutgoingDatagrams {
    return (OutgoingDatagrams.#shared ??= new OutgoingDatagrams());
  }

  /** Messages there are. */
  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
    this.#used = 0;
  }

  /**
   * Adds a message with what of the datagram begins at `offset`: all of it, or segments as many as go together. Answers how many bytes those are; -1: there is no
   * room for them. Throws `NETWORK_UNREACHABLE` for a zone that is not.
   * @param index what {@link indexOf} is to say of the message
   */
  add(datagram: Datagram, offset: number, index: number, manner: SendManner): number {
    const { data } = datagram;
    const left = data.length - offset;
    const segment = segmentOf(datagram);
    const length = Math.min(left, pieceOf(left, segment, manner.longestSegment));
    // One that is too long is the kernel's to refuse: what of it is sent does not matter.
    const sent = Math.min(length, LENGTH_LIMIT);
    const i = this.#count;
    if (i >= COUNT || this.#used + sent > ROOM) return -1;
    const name = this.#writeName(i, datagram, manner.family);
    this.#segments[i] = length > segment ? segment : 0;
    const control = this.#writeControls(i, datagram, manner);
    this.messages.setLengths(i, name, control);
    this.messages.setData(i, this.#start + this.#used, sent);
    const isWhole = offset === 0 && sent === data.length;
    this.#data.bytes.set(isWhole ? data : data.subarray(offset, offset + sent), this.#used);
    this.#indexes[i] = index;
    this.#offsets[i] = offset;
    this.#lengths[i] = length;
    this.#used += sent;
    this.#count++;
    return length;
  }

  /** Which of the datagrams a message is of. */
  indexOf(i: number): number {
    return this.#indexes[i]!;
  }

  /** Where in its datagram a message begins. */
  offsetOf(i: number): number {
    return this.#offsets[i]!;
  }

  /** How much of its datagram a message is. */
  lengthOf(i: number): number {
    return this.#lengths[i]!;
  }

  /** The length of the segments the kernel is to cut a message into; 0: it is not. */
  segmentOf(i: number): number {
    return this.#segments[i]!;
  }

  #writeName(i: number, { remote }: Datagram, family: 4 | 6): number {
    const { address, port } = remote;
    const last = this.#names[i];
    // A zone is looked up again: its interface may be another by now.
    const isSame = last?.address === address && last.port === port && last.family === family;
    if (isSame && address.zone === '') return last.length;
    // It may throw half-way.
    this.#names[i] = undefined;
    const length = writeSocketAddress(this.messages.names[i]!, remote, family === 6);
    this.#names[i] = { address, port, family, length };
    return length;
  }

  #writeControls(i: number, { remote, ecn, local }: Datagram, manner: SendManner): number {
    const { family } = remote.address;
    const segment = this.#segments[i]!;
    const source = sourceOf(local, family, manner.bound);
    if (segment === 0 && !ecn && source === undefined) return 0;
    const { view } = this.messages.controls[i]!;
    let end = 0;
    if (segment > 0) {
      writeControlHeader(view, end, SOL_UDP, UDP_SEGMENT, 2);
      view.setUint16(controlData(end), segment, true);
      end += controlSpace(2);
    }
    if (ecn) {
      if (family === 4) writeControlHeader(view, end, SOL_IP, IP_TOS, 4);
      else writeControlHeader(view, end, SOL_IPV6, IPV6_TCLASS, 4);
      view.setInt32(controlData(end), ecn & 3, true);
      end += controlSpace(4);
    }
    if (source !== undefined) end += this.#writeSource(i, end, source);
    return end;
  }

  #writeSource(i: number, at: number, source: IpAddress): number {
    const { view, bytes } = this.messages.controls[i]!;
    const data = controlData(at);
    if (source.family === 4) {
      writeControlHeader(view, at, SOL_IP, IP_PKTINFO, PACKET_INFO_V4);
      bytes.fill(0, data, data + PACKET_INFO_V4);
      source.copyTo(bytes, data + 4);
      return controlSpace(PACKET_INFO_V4);
    }
    writeControlHeader(view, at, SOL_IPV6, IPV6_PKTINFO, PACKET_INFO_V6);
    source.copyTo(bytes, data);
    view.setInt32(data + 16, source.zone === '' ? 0 : scopeOf(source), true);
    return controlSpace(PACKET_INFO_V6);
  }
}

/** The length of a datagram's segments; that of all its data, if it is not several. */
function segmentOf({ data, segmentSize }: Datagram): number {
  return segmentSize === undefined || segmentSize <= 0 ? data.length : segmentSize;
}

/** How much goes in one message of what is left of a datagram. */
function pieceOf(left: number, segment: number, longestSegment: number): number {
  if (left <= segment || segment > longestSegment) return segment;
  return segment * Math.max(1, Math.min(MOST_SEGMENTS, Math.floor(LONGEST / segment)));
}

/** The address the kernel is to be told that a datagram leaves from; undefined: it chooses, as for an answer to a group. */
function sourceOf(
  local: IpAddress | undefined,
  family: 4 | 6,
  bound: IpAddress,
): IpAddress | undefined {
  if (local === undefined || local.family !== family || local.equals(bound)) {
    return undefined;
  }
  const isBroadcast = local.equals(IpAddress.BROADCAST4);
  return local.isUnspecified || local.isMulticast || isBroadcast ? undefined : local;
}
