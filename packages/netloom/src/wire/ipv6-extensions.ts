/**
 * IPv6 extension headers (RFC 8200, section 4): the walk along the chain to the upper-layer header, and the few that are sent.
 *
 * Read first: RFC 8200, sections 4 to 4.7; RFC 6946 (atomic fragments); RFC 7112 (a first fragment holds the whole chain);
 * RFC 5095 (no source routing by type 0); RFC 8504, section 5.3 (limits a host may set).
 */
import { readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';
import { Icmpv6ParameterProblem } from './icmpv6.ts';
import { IpProtocol } from './ip-protocol.ts';
import { IPV6_HEADER_LENGTH, type Ipv6Header } from './ipv6.ts';

/** The Fragment header (RFC 8200, section 4.5). */
export const IPV6_FRAGMENT_LENGTH = 8;

/** A hop-by-hop header with a router alert, padded to eight bytes (RFC 2711, section 2.1). */
export const IPV6_ROUTER_ALERT_LENGTH = 8;

/** Values of the router alert option (IANA "IPv6 Router Alert Option Values"; RFC 2711, section 2.1). */
export const Ipv6RouterAlert = {
  MULTICAST_LISTENER_DISCOVERY: 0,
} as const;

/** Types of hop-by-hop and destination options (IANA "Destination Options and Hop-by-Hop Options"). */
const OptionType = {
  PAD1: 0,
  PADN: 1,
  ROUTER_ALERT: 5,
} as const;

/** What a node does that does not know an option: the two highest bits of its type (RFC 8200, section 4.2). */
const OptionAction = {
  SKIP: 0,
  DISCARD: 1,
  REPORT: 2,
  REPORT_UNLESS_GROUP: 3,
} as const;

/** How long a chain {@link walkIpv6} follows (RFC 8504, section 5.3, lets a host set such limits). */
export interface Ipv6ChainLimits {
  /** Extension headers in a packet. */
  readonly extensionHeaders: number;
  /** Options in one header, one-byte padding not counted. */
  readonly options: number;
}

/** The defaults. */
export const IPV6_CHAIN_LIMITS: Ipv6ChainLimits = { extensionHeaders: 8, options: 8 };

/** What a walk along the extension headers found. Indexes count from the start of `bytes`. */
export class Ipv6Chain {
  /** The `IpProtocol` of the upper-layer header: what no extension header is known for, or `NO_NEXT_HEADER`. */
  protocol = 0;
  /** Where the upper-layer header begins; in a fragment other than the first, where its data does. */
  transport = 0;
  /** Index of the field that names {@link protocol}: what an error of code `NEXT_HEADER` points to. */
  protocolField = 0;
  /** Index of the Fragment header; -1: there is none. */
  fragment = -1;
  /** Index of the field that names the Fragment header. A reassembled packet has the Fragment header's own next header there (RFC 8200, section 4.5). */
  fragmentField = -1;
  /** Of this fragment in the fragmentable part, in bytes. */
  fragmentOffset = 0;
  moreFragments = false;
  identification = 0;
  /** An {@link Ipv6RouterAlert} (RFC 2711); -1: there is none. */
  routerAlert = -1;
  /** After a fault: the `Icmpv6ParameterProblem` to be sent; -1: none is. */
  problemCode = -1;
  /** The pointer to be sent with it: an offset in the packet. */
  problemPointer = 0;
  /** It is sent even where the packet was addressed to a group (RFC 4443, section 2.4 e.3). */
  problemForGroups = false;

  /** The packet is a part of a larger one. An "atomic" fragment is not: it is whole (RFC 6946). */
  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset !== 0;
  }

  reset(): void {
    this.fragment = -1;
    this.fragmentField = -1;
    this.fragmentOffset = 0;
    this.moreFragments = false;
    this.identification = 0;
    this.routerAlert = -1;
    this.problemCode = -1;
    this.problemPointer = 0;
    this.problemForGroups = false;
  }
}

/**
 * Follows the extension headers of the packet at `start` as its destination does, up to the upper-layer header. `header` is its
 * fixed header; `end` is its end, or that of a quote. A fault may ask for an ICMPv6 parameter problem: see {@link Ipv6Chain.problemCode}.
 *
 * In a first fragment the headers behind the Fragment header are only measured, since they are processed when the packet
 * is whole; a later fragment's are not there.
 */
export function walkIpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  header: Ipv6Header,
  into: Ipv6Chain = new Ipv6Chain(),
  limits: Ipv6ChainLimits = IPV6_CHAIN_LIMITS,
): Ipv6Chain | WireFault {
  into.reset();
  into.protocol = header.nextHeader;
  into.protocolField = start + 6;
  into.transport = start + IPV6_HEADER_LENGTH;
  for (let count = 0; isExtension(into.protocol); count++) {
    if (count >= limits.extensionHeaders) return 'too-many';
    const at = into.transport;
    const length = extensionLength(bytes, at, end, into.protocol);
    if (at + length > end) return incomplete(into);
    const fault = readExtension(bytes, start, at, length, header, into, limits);
    if (fault !== undefined) return fault;
    into.protocol = bytes[at]!;
    into.protocolField = at;
    into.transport = at + length;
    if (into.fragmentOffset !== 0) return into;
  }
  const complete = into.transport + minimumLength(into.protocol) <= end;
  return complete || !into.isFragment ? into : incomplete(into);
}

function isExtension(protocol: number): boolean {
  return (
    protocol === IpProtocol.HOP_BY_HOP ||
    protocol === IpProtocol.ROUTING ||
    protocol === IpProtocol.FRAGMENT ||
    protocol === IpProtocol.DESTINATION_OPTIONS
  );
}

/** Bytes of the extension header at `at`; not less than 8, even where those are not there. */
function extensionLength(bytes: Uint8Array, at: number, end: number, protocol: number): number {
  // In the Fragment header the second byte is reserved, not a length.
  return protocol === IpProtocol.FRAGMENT || at + 8 > end ? 8 : 8 * (bytes[at + 1]! + 1);
}

/** What a first fragment must hold of the upper-layer header: without it a filter could not tell what the packet is (RFC 7112, section 3). */
function minimumLength(protocol: number): number {
  switch (protocol) {
    case IpProtocol.TCP:
      return 20;
    case IpProtocol.UDP:
    case IpProtocol.ICMPV6:
      return 8;
    default:
      return 0;
  }
}

/** A chain that ends early; where the rest would be in a later fragment, its sender is told so (RFC 7112, section 5). */
function incomplete(into: Ipv6Chain): WireFault {
  if (into.isFragment) report(into, Icmpv6ParameterProblem.INCOMPLETE_CHAIN, 0);
  return 'truncated';
}

function report(into: Ipv6Chain, code: number, pointer: number, forGroups = false): void {
  into.problemCode = code;
  into.problemPointer = pointer;
  into.problemForGroups = forGroups;
}

/** Does what the extension header at `at`, of the kind `into.protocol`, asks of a destination. */
function readExtension(
  bytes: Uint8Array,
  start: number,
  at: number,
  length: number,
  header: Ipv6Header,
  into: Ipv6Chain,
  limits: Ipv6ChainLimits,
): WireFault | undefined {
  const kind = into.protocol;
  // Hop-by-hop options stand right behind the fixed header or not at all (RFC 8200, section 4.1).
  if (kind === IpProtocol.HOP_BY_HOP && at !== start + IPV6_HEADER_LENGTH) {
    report(into, Icmpv6ParameterProblem.NEXT_HEADER, into.protocolField - start);
    return 'bad-option';
  }
  if (kind === IpProtocol.FRAGMENT) return readFragment(bytes, start, at, header, into);
  if (into.isFragment) return undefined;
  if (kind === IpProtocol.ROUTING) return readRouting(bytes, start, at, into);
  return readOptions(bytes, start, at, length, into, limits);
}

function readFragment(
  bytes: Uint8Array,
  start: number,
  at: number,
  header: Ipv6Header,
  into: Ipv6Chain,
): WireFault | undefined {
  // RFC 8200 has one Fragment header in a packet; a second would let fragments hide in fragments.
  if (into.fragment >= 0) return 'bad-option';
  const offsetAndFlags = readUint16(bytes, at + 2);
  into.fragment = at;
  into.fragmentField = into.protocolField;
  into.fragmentOffset = offsetAndFlags & 0xfff8;
  into.moreFragments = (offsetAndFlags & 1) !== 0;
  into.identification = readInt32(bytes, at + 4);
  const data = at + IPV6_FRAGMENT_LENGTH;
  const length = start + IPV6_HEADER_LENGTH + header.payloadLength - data;
  // Both rules: RFC 8200, section 4.5, the error conditions at its end. 4 is where the payload length stands.
  if (into.moreFragments && length % 8 !== 0) {
    report(into, Icmpv6ParameterProblem.HEADER_FIELD, 4);
    return 'bad-length';
  }
  if (at - (start + IPV6_HEADER_LENGTH) + into.fragmentOffset + length > 0xffff) {
    report(into, Icmpv6ParameterProblem.HEADER_FIELD, at + 2 - start);
    return 'bad-length';
  }
  return undefined;
}

/** No routing type is known here (type 0 must not be: RFC 5095), so a header with segments left is refused and a used-up one passed over (RFC 8200, section 4.4). */
function readRouting(
  bytes: Uint8Array,
  start: number,
  at: number,
  into: Ipv6Chain,
): WireFault | undefined {
  const segmentsLeft = bytes[at + 3]!;
  if (segmentsLeft === 0) return undefined;
  report(into, Icmpv6ParameterProblem.HEADER_FIELD, at + 2 - start);
  return 'bad-option';
}

/** Walks the options of a hop-by-hop or destination options header of `length` bytes (RFC 8200, section 4.2). */
function readOptions(
  bytes: Uint8Array,
  start: number,
  at: number,
  length: number,
  into: Ipv6Chain,
  limits: Ipv6ChainLimits,
): WireFault | undefined {
  const end = at + length;
  let count = 0;
  for (let option = at + 2; option < end;) {
    const type = bytes[option]!;
    if (type === OptionType.PAD1) {
      option++;
      continue;
    }
    if (count++ >= limits.options) return 'too-many';
    const next = option + 1 < end ? option + 2 + bytes[option + 1]! : Infinity;
    if (next > end) return 'bad-option';
    if (type === OptionType.ROUTER_ALERT && next === option + 4) {
      into.routerAlert = readUint16(bytes, option + 2);
    } else if (type !== OptionType.PADN && refuseUnknown(type, option - start, into)) {
      return 'bad-option';
    }
    option = next;
  }
  return undefined;
}

/** Does what an unknown option's type asks for (RFC 8200, section 4.2); true: the packet is discarded. */
function refuseUnknown(type: number, pointer: number, into: Ipv6Chain): boolean {
  const action = type >>> 6;
  if (action === OptionAction.SKIP) return false;
  if (action !== OptionAction.DISCARD) {
    report(into, Icmpv6ParameterProblem.OPTION, pointer, action === OptionAction.REPORT);
  }
  return true;
}

/** Writes a Fragment header at `at`, and answers where the fragment's data begins. `offset` is in bytes, a multiple of eight. */
export function emitIpv6Fragment(
  nextHeader: number,
  offset: number,
  moreFragments: boolean,
  identification: number,
  bytes: Uint8Array,
  at: number,
): number {
  bytes[at] = nextHeader;
  bytes[at + 1] = 0;
  writeUint16(bytes, at + 2, offset | (moreFragments ? 1 : 0));
  writeUint32(bytes, at + 4, identification);
  return at + IPV6_FRAGMENT_LENGTH;
}

/** Writes a hop-by-hop header with a router alert and padding at `at`, and answers where what follows begins. MLD messages carry it (RFC 3810, section 5). */
export function emitIpv6RouterAlert(
  nextHeader: number,
  value: number,
  bytes: Uint8Array,
  at: number,
): number {
  writeUint32(bytes, at, (nextHeader << 24) | (OptionType.ROUTER_ALERT << 8) | 2);
  writeUint16(bytes, at + 4, value);
  writeUint16(bytes, at + 6, OptionType.PADN << 8);
  return at + IPV6_ROUTER_ALERT_LENGTH;
}
