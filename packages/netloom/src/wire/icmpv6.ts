import { readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import { transportChecksum } from './checksum.ts';
import type { WireFault } from './fault.ts';

/** The part every ICMPv6 message has: type, code, checksum, and a word whose meaning is the type's (RFC 4443, section 2.1). */
export const ICMPV6_HEADER_LENGTH = 8;

/** Types of ICMPv6 messages (IANA "ICMPv6 type Numbers"). */
export const Icmpv6Type = {
  DESTINATION_UNREACHABLE: 1,
  PACKET_TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO_REQUEST: 128,
  ECHO_REPLY: 129,
  MULTICAST_LISTENER_QUERY: 130,
  MULTICAST_LISTENER_REPORT: 131,
  MULTICAST_LISTENER_DONE: 132,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOUR_SOLICITATION: 135,
  NEIGHBOUR_ADVERTISEMENT: 136,
  REDIRECT: 137,
  MULTICAST_LISTENER_REPORT_V2: 143,
} as const;

/** Codes of "destination unreachable" (RFC 4443, section 3.1). */
export const Icmpv6Unreachable = {
  NO_ROUTE: 0,
  PROHIBITED: 1,
  BEYOND_SCOPE: 2,
  ADDRESS: 3,
  PORT: 4,
  SOURCE_POLICY: 5,
  REJECT_ROUTE: 6,
} as const;

/** Codes of "time exceeded" (RFC 4443, section 3.3). */
export const Icmpv6TimeExceeded = {
  HOP_LIMIT: 0,
  REASSEMBLY: 1,
} as const;

/** Codes of "parameter problem" (RFC 4443, section 3.4; RFC 7112, section 5). */
export const Icmpv6ParameterProblem = {
  HEADER_FIELD: 0,
  NEXT_HEADER: 1,
  OPTION: 2,
  INCOMPLETE_CHAIN: 3,
} as const;

/** An ICMPv6 header. `rest` is read and written through the accessor that the type calls for. */
export class Icmpv6Header {
  /** An {@link Icmpv6Type}. */
  type = 0;
  code = 0;
  checksum = 0;
  /** The second word, as a signed integer. */
  rest = 0;

  /** Of an echo: whose it is. */
  get identifier(): number {
    return this.rest >>> 16;
  }

  /** Of an echo: which of its kind it is. */
  get sequence(): number {
    return this.rest & 0xffff;
  }

  setEcho(identifier: number, sequence: number): void {
    this.rest = (identifier << 16) | sequence;
  }

  /** Of "packet too big": the next hop's MTU. */
  get mtu(): number {
    return this.rest >>> 0;
  }

  set mtu(bytes: number) {
    this.rest = bytes | 0;
  }

  /** Of a parameter problem: which byte of the quoted packet is wrong. */
  get pointer(): number {
    return this.rest >>> 0;
  }

  set pointer(offset: number) {
    this.rest = offset | 0;
  }

  /** The message reports a problem with a packet, and quotes that (RFC 4443, section 2.1); nothing may be answered with an error for it (section 2.4 e). */
  get isError(): boolean {
    return this.type < 128;
  }
}

/**
 * Reads the header of the message that reaches from `start` to `end`. Echo data or the quoted packet (`parseQuotedIpv6`)
 * begins {@link ICMPV6_HEADER_LENGTH} bytes on. The checksum is not checked here: it covers the IP addresses.
 */
export function parseIcmpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Icmpv6Header = new Icmpv6Header(),
): Icmpv6Header | WireFault {
  if (end - start < ICMPV6_HEADER_LENGTH) return 'truncated';
  into.type = bytes[start]!;
  into.code = bytes[start + 1]!;
  into.checksum = readUint16(bytes, start + 2);
  into.rest = readInt32(bytes, start + 4);
  return into;
}

/** Writes the header at `at`, its checksum field as it stands, and answers where the data begins. {@link finishIcmpv6} comes after the data. */
export function emitIcmpv6(header: Icmpv6Header, bytes: Uint8Array, at: number): number {
  bytes[at] = header.type;
  bytes[at + 1] = header.code;
  writeUint16(bytes, at + 2, header.checksum);
  writeUint32(bytes, at + 4, header.rest);
  return at + ICMPV6_HEADER_LENGTH;
}

/** Computes and writes the checksum of the ICMPv6 message (NDP and MLD included) that stands from `at` to `end`. */
export function finishIcmpv6(
  bytes: Uint8Array,
  at: number,
  end: number,
  pseudoHeaderSum: number,
): void {
  writeUint16(bytes, at + 2, 0);
  writeUint16(bytes, at + 2, transportChecksum(bytes, at, end, pseudoHeaderSum));
}
