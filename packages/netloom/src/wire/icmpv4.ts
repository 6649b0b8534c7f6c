import { readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import { finishChecksum, foldSum, sumWords } from './checksum.ts';
import type { WireFault } from './fault.ts';

/** The part every ICMP message handled here has: type, code, checksum, and a word whose meaning is the type's (RFC 792). */
export const ICMPV4_HEADER_LENGTH = 8;

/** Types of ICMP messages (IANA "ICMP Type Numbers"). */
export const Icmpv4Type = {
  ECHO_REPLY: 0,
  DESTINATION_UNREACHABLE: 3,
  REDIRECT: 5,
  ECHO_REQUEST: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;

/** Codes of "destination unreachable" (RFC 792; RFC 1122, section 3.2.2.1; RFC 1812, section 5.2.7.1). */
export const Icmpv4Unreachable = {
  NETWORK: 0,
  HOST: 1,
  PROTOCOL: 2,
  PORT: 3,
  FRAGMENTATION_NEEDED: 4,
  SOURCE_ROUTE_FAILED: 5,
  NETWORK_PROHIBITED: 9,
  HOST_PROHIBITED: 10,
  COMMUNICATION_PROHIBITED: 13,
} as const;

/** Codes of "time exceeded" (RFC 792). */
export const Icmpv4TimeExceeded = {
  TIME_TO_LIVE: 0,
  REASSEMBLY: 1,
} as const;

/** Codes of "parameter problem" (RFC 792; RFC 1108). */
export const Icmpv4ParameterProblem = {
  POINTER: 0,
  MISSING_OPTION: 1,
} as const;

/** An ICMP header. `rest` is read and written through the accessor that the type calls for. */
export class Icmpv4Header {
  /** An {@link Icmpv4Type}. */
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

  /** Of "fragmentation needed": the next hop's MTU, or 0 from a router older than RFC 1191 (section 4). */
  get mtu(): number {
    return this.rest & 0xffff;
  }

  set mtu(bytes: number) {
    this.rest = bytes & 0xffff;
  }

  /** Of a parameter problem: which byte of the quoted header is wrong. */
  get pointer(): number {
    return this.rest >>> 24;
  }

  set pointer(offset: number) {
    this.rest = offset << 24;
  }

  /** Of a redirect: the IPv4 address of the better gateway, as a word. */
  get gateway(): number {
    return this.rest;
  }

  set gateway(word: number) {
    this.rest = word | 0;
  }

  /** The message reports a problem with a packet, and quotes that; nothing may be answered with an error for it (RFC 1122, section 3.2.2). */
  get isError(): boolean {
    return isIcmpv4Error(this.type);
  }
}

/** Whether messages of this type report a problem with a packet they quote. Source quench (4) still counts, though nobody acts on it (RFC 6633). */
export function isIcmpv4Error(type: number): boolean {
  return (type >= 3 && type <= 5) || type === 11 || type === 12;
}

/**
 * Reads the header of the message that reaches from `start` to `end`, and checks the checksum, which covers all of it.
 * Echo data or the quoted packet (`parseQuotedIpv4`) begins {@link ICMPV4_HEADER_LENGTH} bytes on.
 */
export function parseIcmpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Icmpv4Header = new Icmpv4Header(),
): Icmpv4Header | WireFault {
  if (end - start < ICMPV4_HEADER_LENGTH) return 'truncated';
  // 0, the other zero of ones' complement, is the sum of nothing but zeros: no sender's checksum gives that.
  if (foldSum(sumWords(bytes, start, end)) !== 0xffff) return 'bad-checksum';
  into.type = bytes[start]!;
  into.code = bytes[start + 1]!;
  into.checksum = readUint16(bytes, start + 2);
  into.rest = readInt32(bytes, start + 4);
  return into;
}

/**
 * Writes the header at `at` with its checksum computed over the message up to `end`, and answers where the data begins.
 * The data must already stand in its place.
 */
export function emitIcmpv4(
  header: Icmpv4Header,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  bytes[at] = header.type;
  bytes[at + 1] = header.code;
  writeUint16(bytes, at + 2, 0);
  writeUint32(bytes, at + 4, header.rest);
  header.checksum = finishChecksum(sumWords(bytes, at, end));
  writeUint16(bytes, at + 2, header.checksum);
  return at + ICMPV4_HEADER_LENGTH;
}
