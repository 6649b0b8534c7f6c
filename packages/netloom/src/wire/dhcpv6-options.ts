import { EMPTY, readUint16, writeUint16 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Codes of DHCPv6 options (RFC 8415, section 21, unless said otherwise). */
export const Dhcpv6OptionCode = {
  CLIENT_IDENTIFIER: 1,
  SERVER_IDENTIFIER: 2,
  IA_NA: 3,
  IA_TA: 4,
  IA_ADDRESS: 5,
  OPTION_REQUEST: 6,
  PREFERENCE: 7,
  ELAPSED_TIME: 8,
  RELAY_MESSAGE: 9,
  AUTHENTICATION: 11,
  STATUS_CODE: 13,
  RAPID_COMMIT: 14,
  USER_CLASS: 15,
  VENDOR_CLASS: 16,
  INTERFACE_ID: 18,
  RECONFIGURE_MESSAGE: 19,
  RECONFIGURE_ACCEPT: 20,
  /** RFC 3646. */
  DNS_SERVERS: 23,
  /** RFC 3646. */
  DOMAIN_LIST: 24,
  IA_PD: 25,
  IA_PREFIX: 26,
  INFORMATION_REFRESH_TIME: 32,
  /** RFC 4704. */
  CLIENT_FQDN: 39,
  SOLICIT_MAXIMUM_TIME: 82,
  INFORMATION_MAXIMUM_TIME: 83,
} as const;

/**
 * One option. One that contains options (an identity association, its addresses and prefixes) has
 * its fixed fields in {@link data} and the others in {@link options}; all the rest is data.
 */
export interface Dhcpv6Option {
  readonly code: number;
  /** Of a parsed message: a view of its bytes. */
  readonly data: Uint8Array;
  readonly options: readonly Dhcpv6Option[];
}

/** Limits of the parser. */
export interface Dhcpv6WireLimits {
  /** Options of one message, those inside others included. */
  readonly options: number;
  /** How deep options may lie in options: an identity association, an address in it and its status make three. */
  readonly depth: number;
  /** Relay messages around a client's message (RFC 8415, section 7.6: HOP_COUNT_LIMIT is 8). */
  readonly relays: number;
}

/** The defaults. */
export const DHCPV6_WIRE_LIMITS: Dhcpv6WireLimits = { options: 256, depth: 4, relays: 8 };

const OPTION_HEADER_LENGTH = 4;

/** Bytes of the fixed fields of options that contain options. */
const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [Dhcpv6OptionCode.IA_NA, 12],
  [Dhcpv6OptionCode.IA_TA, 4],
  [Dhcpv6OptionCode.IA_ADDRESS, 24],
  [Dhcpv6OptionCode.IA_PD, 12],
  [Dhcpv6OptionCode.IA_PREFIX, 25],
]);

/** Reads the options from `start` to `end`, which must be filled by them. */
export function parseDhcpv6Options(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv6WireLimits,
): Dhcpv6Option[] | WireFault {
  return new OptionParser(bytes, limits).parse(start, end, 1);
}

/** Counts the options of one message over all depths. */
class OptionParser {
  readonly #bytes: Uint8Array;
  readonly #limits: Dhcpv6WireLimits;
  #count = 0;

  constructor(bytes: Uint8Array, limits: Dhcpv6WireLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  parse(start: number, end: number, depth: number): Dhcpv6Option[] | WireFault {
    const options: Dhcpv6Option[] = [];
    let at = start;
    while (at < end) {
      if (depth > this.#limits.depth || ++this.#count > this.#limits.options) return 'too-many';
      if (end - at < OPTION_HEADER_LENGTH) return 'bad-option';
      const code = readUint16(this.#bytes, at);
      const dataStart = at + OPTION_HEADER_LENGTH;
      at = dataStart + readUint16(this.#bytes, at + 2);
      if (at > end) return 'bad-option';
      const option = this.#option(code, dataStart, at, depth);
      if (typeof option === 'string') return option;
      options.push(option);
    }
    return options;
  }

  #option(code: number, start: number, end: number, depth: number): Dhcpv6Option | WireFault {
    const fixed = FIXED_LENGTHS.get(code);
    if (fixed === undefined) {
      return { code, data: this.#bytes.subarray(start, end), options: NO_OPTIONS };
    }
    if (end - start < fixed) return 'bad-option';
    const options = this.parse(start + fixed, end, depth + 1);
    return typeof options === 'string'
      ? options
      : { code, data: this.#bytes.subarray(start, start + fixed), options };
  }
}

const NO_OPTIONS: readonly Dhcpv6Option[] = [];

/** An option made of its data and the options in it. */
export function dhcpv6Option(
  code: number,
  data: Uint8Array = EMPTY,
  options: readonly Dhcpv6Option[] = NO_OPTIONS,
): Dhcpv6Option {
  return { code, data, options };
}

/** Bytes of the options in a message. */
export function dhcpv6OptionsLength(options: readonly Dhcpv6Option[]): number {
  return options.reduce((length, option) => length + OPTION_HEADER_LENGTH + bodyLength(option), 0);
}

function bodyLength({ data, options }: Dhcpv6Option): number {
  return data.length + dhcpv6OptionsLength(options);
}

/** Writes the options at `at`, and answers where they end. */
export function emitDhcpv6Options(
  options: readonly Dhcpv6Option[],
  bytes: Uint8Array,
  start: number,
): number {
  let at = start;
  for (const option of options) {
    writeUint16(bytes, at, option.code);
    writeUint16(bytes, at + 2, bodyLength(option));
    at += OPTION_HEADER_LENGTH;
    bytes.set(option.data, at);
    at = emitDhcpv6Options(option.options, bytes, at + option.data.length);
  }
  return at;
}

/** The first option of this code. */
export function findDhcpv6Option(
  options: readonly Dhcpv6Option[],
  code: number,
): Dhcpv6Option | undefined {
  return options.find((option) => option.code === code);
}
