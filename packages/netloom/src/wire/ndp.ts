/**
 * Neighbour discovery (RFC 4861): the five messages, with the rules of its sections 6.1, 7.1 and 8.1 that a message must
 * meet to be believed. Options are in ndp-options.ts.
 */
import { IpAddress, readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';
import { ICMPV6_HEADER_LENGTH, Icmpv6Type } from './icmpv6.ts';
import {
  emitNdpOptions,
  ndpOptionsLength,
  parseNdpOptions,
  routerPreference,
  routerPreferenceBits,
  type NdpOption,
  type RouterPreference,
} from './ndp-options.ts';

/** A host asks for routers (section 4.1). */
export interface RouterSolicitation {
  readonly kind: 'router-solicitation';
  readonly options: readonly NdpOption[];
}

/** A router tells of itself and the link (section 4.2). */
export interface RouterAdvertisement {
  readonly kind: 'router-advertisement';
  /** The hop limit that hosts should send with; 0: not said. */
  readonly hopLimit: number;
  /** Addresses are to be had by DHCPv6. */
  readonly managed: boolean;
  /** Other configuration is to be had by DHCPv6. */
  readonly otherConfiguration: boolean;
  /** RFC 4191, section 2.2. */
  readonly preference: RouterPreference;
  /** Seconds for which the sender is a default router; 0: it is none. */
  readonly routerLifetime: number;
  /** Milliseconds that a neighbour counts as reachable; 0: not said. */
  readonly reachableTime: number;
  /** Milliseconds between solicitations; 0: not said. */
  readonly retransmitTime: number;
  readonly options: readonly NdpOption[];
}

/** A node asks for a neighbour's link address (section 4.3). */
export interface NeighbourSolicitation {
  readonly kind: 'neighbour-solicitation';
  readonly target: IpAddress;
  readonly options: readonly NdpOption[];
}

/** A node tells its link address (section 4.4). */
export interface NeighbourAdvertisement {
  readonly kind: 'neighbour-advertisement';
  readonly target: IpAddress;
  readonly router: boolean;
  readonly solicited: boolean;
  /** What is known of the sender's link address may be replaced. */
  readonly override: boolean;
  readonly options: readonly NdpOption[];
}

/** A router tells of a better first hop (section 4.5). */
export interface NdpRedirect {
  readonly kind: 'redirect';
  /** The better first hop; the same as `destination` if that is on the link. */
  readonly target: IpAddress;
  readonly destination: IpAddress;
  readonly options: readonly NdpOption[];
}

/** A neighbour discovery message. */
export type NdpMessage =
  | RouterSolicitation
  | RouterAdvertisement
  | NeighbourSolicitation
  | NeighbourAdvertisement
  | NdpRedirect;

/** What must be known of the packet that carried a message, to judge it. */
export interface NdpEnvelope {
  readonly hopLimit: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** Limits of the NDP parser. */
export interface NdpLimits {
  /** Options in one message. */
  readonly options: number;
}

/** The defaults. */
export const NDP_LIMITS: NdpLimits = { options: 32 };

/** A router that forwarded the packet would have lowered it: so nobody off the link can have sent a message with it (sections 6.1, 7.1, 8.1). */
export const NDP_HOP_LIMIT = 255;

/** Whether an ICMPv6 type is one of neighbour discovery's. */
export function isNdpType(type: number): boolean {
  return type >= Icmpv6Type.ROUTER_SOLICITATION && type <= Icmpv6Type.REDIRECT;
}

/**
 * Reads the message whose ICMPv6 header is at `start` and which ends at `end`. A message that RFC 4861 has a node
 * discard is a fault. The checksum is not checked here: see `isTransportChecksumValid`.
 */
export function parseNdp(
  bytes: Uint8Array,
  start: number,
  end: number,
  envelope: NdpEnvelope,
  limits: NdpLimits = NDP_LIMITS,
): NdpMessage | WireFault {
  if (end - start < ICMPV6_HEADER_LENGTH) return 'truncated';
  const code = bytes[start + 1]!;
  if (envelope.hopLimit !== NDP_HOP_LIMIT || code !== 0) return 'bad-value';
  const type = bytes[start]!;
  if (!isNdpType(type)) return 'bad-version';
  const optionsAt = start + fixedLength(type);
  if (optionsAt > end) return 'truncated';
  const options = parseNdpOptions(bytes, optionsAt, end, limits.options);
  if (typeof options === 'string') return options;
  const message = parseBody(type, bytes, start, options);
  return isBelievable(message, envelope) ? message : 'bad-value';
}

/** Bytes before the options. */
function fixedLength(type: number): number {
  switch (type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      return 8;
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      return 16;
    case Icmpv6Type.REDIRECT:
      return 40;
    default:
      return 24;
  }
}

/** Reads what is before the options; those bytes are there. */
function parseBody(
  type: number,
  bytes: Uint8Array,
  start: number,
  options: readonly NdpOption[],
): NdpMessage {
  switch (type) {
    case Icmpv6Type.ROUTER_SOLICITATION:
      return { kind: 'router-solicitation', options };
    case Icmpv6Type.ROUTER_ADVERTISEMENT:
      return parseRouterAdvertisement(bytes, start, options);
    case Icmpv6Type.NEIGHBOUR_SOLICITATION:
      return {
        kind: 'neighbour-solicitation',
        target: IpAddress.readV6(bytes, start + 8),
        options,
      };
    case Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
      return parseNeighbourAdvertisement(bytes, start, options);
    default:
      return {
        kind: 'redirect',
        target: IpAddress.readV6(bytes, start + 8),
        destination: IpAddress.readV6(bytes, start + 24),
        options,
      };
  }
}

function parseRouterAdvertisement(
  bytes: Uint8Array,
  start: number,
  options: readonly NdpOption[],
): RouterAdvertisement {
  const flags = bytes[start + 5]!;
  return {
    kind: 'router-advertisement',
    hopLimit: bytes[start + 4]!,
    managed: (flags & 0x80) !== 0,
    otherConfiguration: (flags & 0x40) !== 0,
    // The reserved value is to be taken as medium (RFC 4191, section 2.2).
    preference: routerPreference(flags) ?? 'medium',
    routerLifetime: readUint16(bytes, start + 6),
    reachableTime: readInt32(bytes, start + 8) >>> 0,
    retransmitTime: readInt32(bytes, start + 12) >>> 0,
    options,
  };
}

function parseNeighbourAdvertisement(
  bytes: Uint8Array,
  start: number,
  options: readonly NdpOption[],
): NeighbourAdvertisement {
  const flags = bytes[start + 4]!;
  return {
    kind: 'neighbour-advertisement',
    target: IpAddress.readV6(bytes, start + 8),
    router: (flags & 0x80) !== 0,
    solicited: (flags & 0x40) !== 0,
    override: (flags & 0x20) !== 0,
    options,
  };
}

/** The rules that look at addresses: RFC 4861, sections 6.1.1, 6.1.2, 7.1.1, 7.1.2 and 8.1, in this order. */
function isBelievable(message: NdpMessage, { source, destination }: NdpEnvelope): boolean {
  switch (message.kind) {
    case 'router-solicitation':
      return !source.isUnspecified || !hasSourceLinkAddress(message.options);
    case 'router-advertisement':
      return source.isLinkLocal;
    case 'neighbour-solicitation':
      if (message.target.isMulticast) return false;
      if (!source.isUnspecified) return true;
      return isSolicitedNode(destination) && !hasSourceLinkAddress(message.options);
    case 'neighbour-advertisement':
      return !message.target.isMulticast && !(destination.isMulticast && message.solicited);
    case 'redirect':
      // Whether the sender is the present first hop is the receiver's to know.
      if (!source.isLinkLocal || message.destination.isMulticast) return false;
      return message.target.isLinkLocal || sameAddress(message.target, message.destination);
  }
}

function hasSourceLinkAddress(options: readonly NdpOption[]): boolean {
  return options.some((option) => option.kind === 'source-link-address');
}

/** Whether both are the same but for the zone, which a message cannot carry. */
function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.word0 === b.word0 && a.word1 === b.word1 && a.word2 === b.word2 && a.word3 === b.word3;
}

/** ff02::1:ff00:0/104 (RFC 4291, section 2.7.1). */
function isSolicitedNode({ word0, word1, word2, word3 }: IpAddress): boolean {
  return word0 === (0xff02_0000 | 0) && word1 === 0 && word2 === 1 && word3 >>> 24 === 0xff;
}

/** The group that is asked for the link address of `address` (RFC 4291, section 2.7.1). */
export function solicitedNodeGroup(address: IpAddress): IpAddress {
  return IpAddress.v6(0xff02_0000, 0, 1, 0xff00_0000 | (address.word3 & 0xff_ffff), address.zone);
}

/** Bytes of the message with its ICMPv6 header. */
export function ndpLength(message: NdpMessage): number {
  return fixedLength(TYPES[message.kind]) + ndpOptionsLength(message.options);
}

const TYPES: Readonly<Record<NdpMessage['kind'], number>> = {
  'router-solicitation': Icmpv6Type.ROUTER_SOLICITATION,
  'router-advertisement': Icmpv6Type.ROUTER_ADVERTISEMENT,
  'neighbour-solicitation': Icmpv6Type.NEIGHBOUR_SOLICITATION,
  'neighbour-advertisement': Icmpv6Type.NEIGHBOUR_ADVERTISEMENT,
  redirect: Icmpv6Type.REDIRECT,
};

/** Writes the message with its ICMPv6 header at `at`, and answers where it ends. The checksum is 0 until `finishIcmpv6` has computed it. */
export function emitNdp(message: NdpMessage, bytes: Uint8Array, at: number): number {
  const type = TYPES[message.kind];
  const optionsAt = at + fixedLength(type);
  bytes.fill(0, at, optionsAt);
  bytes[at] = type;
  emitBody(message, bytes, at);
  return emitNdpOptions(message.options, bytes, optionsAt);
}

/** Writes what is before the options into zeroed bytes. */
function emitBody(message: NdpMessage, bytes: Uint8Array, at: number): void {
  switch (message.kind) {
    case 'router-solicitation':
      return;
    case 'router-advertisement':
      return emitRouterAdvertisement(message, bytes, at);
    case 'neighbour-solicitation':
      message.target.copyTo(bytes, at + 8);
      return;
    case 'neighbour-advertisement':
      bytes[at + 4] =
        (message.router ? 0x80 : 0) |
        (message.solicited ? 0x40 : 0) |
        (message.override ? 0x20 : 0);
      message.target.copyTo(bytes, at + 8);
      return;
    case 'redirect':
      message.target.copyTo(bytes, at + 8);
      message.destination.copyTo(bytes, at + 24);
      return;
  }
}

function emitRouterAdvertisement(
  message: RouterAdvertisement,
  bytes: Uint8Array,
  at: number,
): void {
  bytes[at + 4] = message.hopLimit;
  bytes[at + 5] =
    (message.managed ? 0x80 : 0) |
    (message.otherConfiguration ? 0x40 : 0) |
    routerPreferenceBits(message.preference);
  writeUint16(bytes, at + 6, message.routerLifetime);
  writeUint32(bytes, at + 8, message.reachableTime);
  writeUint32(bytes, at + 12, message.retransmitTime);
}
