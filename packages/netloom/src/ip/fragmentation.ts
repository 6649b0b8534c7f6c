/** Cutting a packet into fragments: IPv4 (RFC 791, section 3.2), and IPv6 at its source (RFC 8200, section 4.5). */
import { EMPTY, writeUint16, type Random } from '../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  IPV4_HEADER_LENGTH,
  IPV6_FRAGMENT_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv4OptionType,
  emitIpv4,
  emitIpv6Fragment,
  isFault,
  parseIpv4,
} from '../wire/index.ts';

/** A buffer of `length` bytes for the next fragment. */
type Allocate = (length: number) => Uint8Array;

/** Takes a fragment, which is given away; false: it was dropped. */
type Transmit = (fragment: Uint8Array) => boolean;

/** The bit of an IPv4 option's type that has it in every fragment (RFC 791, section 3.1). */
const COPIED_FLAG = 0x80;

/**
 * Cuts the packet behind the Ethernet header of `frame` into fragments of at most `mtu` bytes, each in a frame of its own, whose Ethernet
 * header is left to `transmit`. A fragment is asked for, filled and sent before the next. False: one was dropped, so the rest, being
 * of no use, was not sent; or the packet may not be cut, or not that small.
 */
export function fragmentPacket(
  frame: Uint8Array,
  mtu: number,
  random: Random,
  allocate: Allocate,
  transmit: Transmit,
): boolean {
  return frame[ETHERNET_HEADER_LENGTH]! >>> 4 === 4
    ? fragmentV4(frame, mtu, allocate, transmit)
    : fragmentV6(frame, mtu, random, allocate, transmit);
}

/** A packet that is a fragment already can be cut again: offsets count from the whole datagram's start. */
function fragmentV4(
  frame: Uint8Array,
  mtu: number,
  allocate: Allocate,
  transmit: Transmit,
): boolean {
  const start = ETHERNET_HEADER_LENGTH;
  const header = parseIpv4(frame, start, frame.length);
  if (isFault(header) || header.dontFragment) return false;
  const data = start + header.headerLength;
  const end = start + header.totalLength;
  const firstOptions = frame.subarray(start + IPV4_HEADER_LENGTH, data);
  const laterOptions = copiedOptions(firstOptions);
  const fragmentHeader = Object.assign(new Ipv4Header(), header);
  for (let at = data; at < end;) {
    const options = at === data ? firstOptions : laterOptions;
    const headerLength = IPV4_HEADER_LENGTH + options.length;
    const length = nextLength(end - at, mtu - headerLength);
    if (length <= 0) return false;
    const fragment = allocate(start + headerLength + length);
    fragment.set(options, start + IPV4_HEADER_LENGTH);
    fragment.set(frame.subarray(at, at + length), start + headerLength);
    fragmentHeader.headerLength = headerLength;
    fragmentHeader.totalLength = headerLength + length;
    fragmentHeader.fragmentOffset = header.fragmentOffset + at - data;
    at += length;
    fragmentHeader.moreFragments = header.moreFragments || at < end;
    emitIpv4(fragmentHeader, fragment, start);
    if (!transmit(fragment)) return false;
  }
  return true;
}

function fragmentV6(
  frame: Uint8Array,
  mtu: number,
  random: Random,
  allocate: Allocate,
  transmit: Transmit,
): boolean {
  const { end: data, field } = perFragmentHeaders(frame);
  const nextHeader = frame[field]!;
  const headerLength = data - ETHERNET_HEADER_LENGTH + IPV6_FRAGMENT_LENGTH;
  // Not to be guessed, lest an outsider slip in a fragment of his own (RFC 7739).
  const identification = random.uint32();
  for (let at = data; at < frame.length;) {
    const length = nextLength(frame.length - at, mtu - headerLength);
    if (length <= 0) return false;
    const fragment = allocate(ETHERNET_HEADER_LENGTH + headerLength + length);
    fragment.set(frame.subarray(ETHERNET_HEADER_LENGTH, data), ETHERNET_HEADER_LENGTH);
    fragment[field] = IpProtocol.FRAGMENT;
    const payloadLength = headerLength - IPV6_HEADER_LENGTH + length;
    writeUint16(fragment, ETHERNET_HEADER_LENGTH + 4, payloadLength);
    const more = at + length < frame.length;
    const fragmentData = emitIpv6Fragment(
      nextHeader,
      at - data,
      more,
      identification,
      fragment,
      data,
    );
    fragment.set(frame.subarray(at, at + length), fragmentData);
    at += length;
    if (!transmit(fragment)) return false;
  }
  return true;
}

/** Bytes of data for the next fragment: all that is left if it fits, else a multiple of eight; 0: there is no room. */
function nextLength(left: number, room: number): number {
  return left <= room ? left : Math.max(room & ~7, 0);
}

/** The options that later fragments carry too, padded. At a malformed one the rest is given up. */
function copiedOptions(options: Uint8Array): Uint8Array {
  if (options.length === 0) return EMPTY;
  const copied = new Uint8Array(options.length);
  let length = 0;
  for (let at = 0; at < options.length;) {
    const type = options[at]!;
    if (type === Ipv4OptionType.END) break;
    const size = type === Ipv4OptionType.NO_OPERATION ? 1 : (options[at + 1] ?? 0);
    if (size === 0 || at + size > options.length) break;
    if ((type & COPIED_FLAG) !== 0) {
      copied.set(options.subarray(at, at + size), length);
      length += size;
    }
    at += size;
  }
  // What is behind is 0, the end of the list.
  return copied.subarray(0, (length + 3) & ~3);
}

/**
 * The headers that stand in each fragment: the fixed one, and those that are read on the way, up to the routing header, or else the
 * hop-by-hop options. `end` is the index behind them, `field` that of the one that names what follows.
 */
function perFragmentHeaders(frame: Uint8Array): { end: number; field: number } {
  let field = ETHERNET_HEADER_LENGTH + 6;
  let at = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH;
  let found = { end: at, field };
  for (
    let next = frame[field]!;
    isReadOnTheWay(next) && at + 8 <= frame.length;
    next = frame[field]!
  ) {
    field = at;
    at += 8 * (frame[at + 1]! + 1);
    // Destination options count only where a routing header comes behind them.
    if (next !== IpProtocol.DESTINATION_OPTIONS && at <= frame.length) found = { end: at, field };
  }
  return found;
}

function isReadOnTheWay(nextHeader: number): boolean {
  return (
    nextHeader === IpProtocol.HOP_BY_HOP ||
    nextHeader === IpProtocol.ROUTING ||
    nextHeader === IpProtocol.DESTINATION_OPTIONS
  );
}
