import { readInt32, type IpAddress } from '../../../core/index.ts';
import {
  EtherType,
  GroupRecordType,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Chain,
  Ipv6Header,
  isFault,
  isMldType,
  isTransportChecksumValid,
  parseIgmp,
  parseIpv4,
  parseIpv6,
  parseMld,
  pseudoHeaderSumV6,
  walkIpv6,
  type GroupRecord,
  type IgmpMessage,
  type MldMessage,
} from '../../../wire/index.ts';
import type { Passage } from '../passage.ts';

/** IGMP and MLD are never routed (RFC 3376, section 4; RFC 3810, section 5). */
const HOP_LIMIT = 1;
/** Protocol independent multicast (IANA "Protocol Numbers"), and the message by which its routers find each other (RFC 7761, section 4.9). */
const PIM = 103;
const PIM_HELLO = 0;

/** What a packet to a group says of groups. */
export type GroupMessage =
  | {
      readonly kind: 'query';
      /** Undefined: of any group. */
      readonly group: IpAddress | undefined;
      readonly maximumResponseTime: number;
      /** It comes from a router; one of 0.0.0.0 does not (RFC 4541, section 2.1.1, (1) a). */
      readonly fromRouter: boolean;
      /** Those who are not asked by name may stay as they are: it is about sources, or suppresses timers. */
      readonly leavesTimers: boolean;
    }
  | { readonly kind: 'report'; readonly changes: readonly GroupChange[] }
  /** A multicast router says that it is there. */
  | { readonly kind: 'router' };

/** That a member wants to hear a group, or not any more. */
export interface GroupChange {
  readonly group: IpAddress;
  readonly joins: boolean;
}

/** Reads packets to groups. The words are those of the destination that was read last, as an `IpAddress` has them. */
export class MulticastPacket {
  family: 4 | 6 = 4;
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
  readonly #ipv4 = new Ipv4Header();
  readonly #ipv6 = new Ipv6Header();
  readonly #chain = new Ipv6Chain();

  /** Reads the destination. False: it is no IP packet. */
  read({ frame, type, payload }: Passage): boolean {
    if (type === EtherType.IPV4 && payload + IPV4_HEADER_LENGTH <= frame.length) {
      this.family = 4;
      this.#setDestination(0, 0, 0xffff, readInt32(frame, payload + 16));
      return true;
    }
    if (type === EtherType.IPV6 && payload + IPV6_HEADER_LENGTH <= frame.length) {
      this.family = 6;
      const at = payload + 24;
      this.#setDestination(
        readInt32(frame, at),
        readInt32(frame, at + 4),
        readInt32(frame, at + 8),
        readInt32(frame, at + 12),
      );
      return true;
    }
    return false;
  }

  #setDestination(word0: number, word1: number, word2: number, word3: number): void {
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
  }

  /** Whether everybody hears the group: see {@link isLinkGroup}. */
  get isLinkGroup(): boolean {
    return isLinkGroup(this.family, this.word0, this.word3);
  }

  /** What the packet says of groups; undefined: nothing. `invalid`: it is damaged, or not from this link. */
  message(passage: Passage): GroupMessage | undefined | 'invalid' {
    const { frame, payload } = passage;
    if (this.family === 4) {
      const protocol = frame[payload + 9];
      return protocol === IpProtocol.IGMP || protocol === PIM ? this.#readIpv4(passage) : undefined;
    }
    const next = frame[payload + 6];
    // MLD comes with a router alert, which is a hop-by-hop option.
    return next === IpProtocol.HOP_BY_HOP || next === PIM ? this.#readIpv6(passage) : undefined;
  }

  #readIpv4({ frame, payload }: Passage): GroupMessage | undefined | 'invalid' {
    const ip = this.#ipv4;
    if (parseIpv4(frame, payload, frame.length, ip) !== ip || ip.isFragment) return 'invalid';
    const start = payload + ip.headerLength;
    const end = payload + ip.totalLength;
    if (ip.protocol === PIM) return pimMessage(frame, start, end);
    const message = parseIgmp(frame, start, end);
    if (isFault(message) || ip.timeToLive !== HOP_LIMIT) return 'invalid';
    return groupMessage(message, ip.source !== 0);
  }

  #readIpv6({ frame, payload, offload }: Passage): GroupMessage | undefined | 'invalid' {
    const ip = this.#ipv6;
    const chain = this.#chain;
    if (parseIpv6(frame, payload, frame.length, ip) !== ip) return 'invalid';
    const end = payload + IPV6_HEADER_LENGTH + ip.payloadLength;
    if (walkIpv6(frame, payload, end, ip, chain) !== chain) return 'invalid';
    const start = chain.transport;
    if (chain.protocol === PIM) return pimMessage(frame, start, end);
    if (chain.protocol !== IpProtocol.ICMPV6 || !isMldType(frame[start]!)) return undefined;
    const message = parseMld(frame, start, end);
    const isFromLink = ip.source0 >>> 22 === 0xfe80 >>> 6 || ip.sourceAddress.isUnspecified;
    if (isFault(message) || ip.hopLimit !== HOP_LIMIT || !isFromLink) return 'invalid';
    const isChecked =
      offload !== undefined && (offload.checksumStart > 0 || offload.checksumVerified === true);
    if (!isChecked && !isTransportChecksumValid(frame, start, end, pseudoHeader(ip, end - start))) {
      return 'invalid';
    }
    return groupMessage(message, ip.source0 !== 0);
  }
}

/** Whether a group is one of the link: 224.0.0.0/24, or of IPv6's scopes up to the link's (RFC 4291, section 2.7). Nobody need ask to hear it (RFC 4541, sections 2.1.2 and 3). */
export function isLinkGroup(family: 4 | 6, word0: number, word3: number): boolean {
  return family === 4 ? word3 >>> 8 === 0xe0_0000 : (word0 & 0x000f_0000) <= 0x0002_0000;
}

function pseudoHeader(ip: Ipv6Header, length: number): number {
  return pseudoHeaderSumV6(
    ip.source0,
    ip.source1,
    ip.source2,
    ip.source3,
    ip.destination0,
    ip.destination1,
    ip.destination2,
    ip.destination3,
    IpProtocol.ICMPV6,
    length,
  );
}

/** Version and type are the halves of the first byte (RFC 7761, section 4.9). */
function pimMessage(bytes: Uint8Array, start: number, end: number): GroupMessage | undefined {
  return start < end && (bytes[start]! & 0x0f) === PIM_HELLO ? { kind: 'router' } : undefined;
}

function groupMessage(message: IgmpMessage | MldMessage, fromRouter: boolean): GroupMessage {
  switch (message.kind) {
    case 'query':
      return {
        kind: 'query',
        group: message.group.isUnspecified ? undefined : message.group,
        maximumResponseTime: message.maximumResponseTime,
        fromRouter,
        leavesTimers: message.suppressRouterProcessing || message.sources.length > 0,
      };
    case 'report':
      return { kind: 'report', changes: [{ group: message.group, joins: true }] };
    case 'leave':
    case 'done':
      return { kind: 'report', changes: [{ group: message.group, joins: false }] };
    case 'report-v3':
    case 'report-v2':
      return { kind: 'report', changes: message.records.flatMap(changeOf) };
  }
}

/** What a record means to who does not tell sources apart: wanting to hear some of them, or all but some, is wanting to hear the group. */
function changeOf({ type, group, sources }: GroupRecord): GroupChange[] {
  switch (type) {
    case GroupRecordType.MODE_IS_EXCLUDE:
    case GroupRecordType.CHANGE_TO_EXCLUDE:
      return [{ group, joins: true }];
    case GroupRecordType.MODE_IS_INCLUDE:
    case GroupRecordType.CHANGE_TO_INCLUDE:
      return [{ group, joins: sources.length > 0 }];
    case GroupRecordType.ALLOW_NEW_SOURCES:
      return [{ group, joins: true }];
    default:
      return [];
  }
}
