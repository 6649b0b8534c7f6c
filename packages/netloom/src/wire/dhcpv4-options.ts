import { EMPTY } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Codes of DHCPv4 options (IANA "BOOTP Vendor Extensions and DHCP Options"; RFC 2132 unless said otherwise). */
export const Dhcpv4OptionCode = {
  PAD: 0,
  SUBNET_MASK: 1,
  ROUTERS: 3,
  DNS_SERVERS: 6,
  HOST_NAME: 12,
  DOMAIN_NAME: 15,
  INTERFACE_MTU: 26,
  BROADCAST_ADDRESS: 28,
  NTP_SERVERS: 42,
  REQUESTED_ADDRESS: 50,
  LEASE_TIME: 51,
  OVERLOAD: 52,
  MESSAGE_TYPE: 53,
  SERVER_IDENTIFIER: 54,
  PARAMETER_REQUEST_LIST: 55,
  MESSAGE: 56,
  MAXIMUM_MESSAGE_SIZE: 57,
  RENEWAL_TIME: 58,
  REBINDING_TIME: 59,
  VENDOR_CLASS: 60,
  CLIENT_IDENTIFIER: 61,
  TFTP_SERVER: 66,
  BOOT_FILE: 67,
  /** RFC 3046. */
  RELAY_AGENT_INFORMATION: 82,
  /** RFC 3397. */
  DOMAIN_SEARCH: 119,
  /** RFC 3442. */
  CLASSLESS_ROUTES: 121,
  END: 255,
} as const;

/**
 * One option as it stands in a message.
 *
 * PAD and END have no length field; so that a message is re-encoded as it was, a PAD stands for a run of them
 * (its data are the zeros after the first), and END holds in its data whatever follows it.
 */
export interface Dhcpv4Option {
  readonly code: number;
  /** At most 255 bytes in a message; {@link layOutDhcpv4Options} splits longer ones. Of a parsed message: a view of its bytes. */
  readonly data: Uint8Array;
}

/** The longest data of one option; longer values are split (RFC 3396, section 4). */
export const DHCPV4_OPTION_LONGEST = 255;

/**
 * Reads the options from `start` to `end` and adds them to `into`. A missing END is let pass; an option
 * that reaches past `end` is `bad-option`, more than `limit` options are `too-many`.
 */
export function parseDhcpv4Options(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
  into: Dhcpv4Option[],
): WireFault | undefined {
  let at = start;
  while (at < end) {
    if (into.length >= limit) return 'too-many';
    const code = bytes[at++]!;
    let dataEnd = at;
    if (code === Dhcpv4OptionCode.END) {
      dataEnd = end;
    } else if (code === Dhcpv4OptionCode.PAD) {
      while (dataEnd < end && bytes[dataEnd] === 0) dataEnd++;
    } else {
      if (at === end) return 'bad-option';
      dataEnd += 1 + bytes[at++]!;
      if (dataEnd > end) return 'bad-option';
    }
    into.push({ code, data: dataEnd === at ? EMPTY : bytes.subarray(at, dataEnd) });
    at = dataEnd;
  }
  return undefined;
}

/** Bytes the option takes in a message. */
export function dhcpv4OptionLength({ code, data }: Dhcpv4Option): number {
  return (hasLengthField(code) ? 2 : 1) + data.length;
}

/** Writes the options at `at`, and answers where they end. */
export function emitDhcpv4Options(
  options: readonly Dhcpv4Option[],
  bytes: Uint8Array,
  start: number,
): number {
  let at = start;
  for (const { code, data } of options) {
    bytes[at++] = code;
    if (hasLengthField(code)) bytes[at++] = data.length;
    bytes.set(data, at);
    at += data.length;
  }
  return at;
}

function hasLengthField(code: number): boolean {
  return code !== Dhcpv4OptionCode.PAD && code !== Dhcpv4OptionCode.END;
}

/** The options as they lie in a message: in the options field, and where that is too short, in the two old fields. */
export interface Dhcpv4Layout {
  readonly options: readonly Dhcpv4Option[];
  readonly bootFile: readonly Dhcpv4Option[];
  readonly serverName: readonly Dhcpv4Option[];
  /** Codes of options that fitted nowhere. */
  readonly left: readonly number[];
}

/** Lengths of the boot file and server name fields, which can take options (RFC 2131, section 4.1). */
export const DHCPV4_BOOT_FILE_LENGTH = 128;
export const DHCPV4_SERVER_NAME_LENGTH = 64;

const END_OPTION: Dhcpv4Option = { code: Dhcpv4OptionCode.END, data: EMPTY };
const OVERLOAD_LENGTH = 3;

/**
 * Lays options out over an options field of `room` bytes, each part closed by END. What does not fit goes to the boot
 * file field, then to the server name field, with an overload option that says so (RFC 2131, section 4.1). Values
 * longer than 255 bytes are split; the parts stay in the order in which a reader joins them (RFC 3396, sections 4 and 5).
 */
export function layOutDhcpv4Options(options: readonly Dhcpv4Option[], room: number): Dhcpv4Layout {
  const whole = options.flatMap(split);
  const length = whole.reduce((sum, option) => sum + dhcpv4OptionLength(option), 1);
  if (length <= room) {
    return { options: [...whole, END_OPTION], bootFile: [], serverName: [], left: [] };
  }
  const sections = [
    { options: [] as Dhcpv4Option[], room: room - OVERLOAD_LENGTH - 1 },
    { options: [] as Dhcpv4Option[], room: DHCPV4_BOOT_FILE_LENGTH - 1 },
    { options: [] as Dhcpv4Option[], room: DHCPV4_SERVER_NAME_LENGTH - 1 },
  ] as const;
  const left = fill(sections, options);
  const [field, bootFile, serverName] = sections;
  const overload = (bootFile.options.length > 0 ? 1 : 0) | (serverName.options.length > 0 ? 2 : 0);
  if (overload > 0) {
    field.options.push({ code: Dhcpv4OptionCode.OVERLOAD, data: Uint8Array.of(overload) });
  }
  for (const section of sections) if (section.options.length > 0) section.options.push(END_OPTION);
  return {
    options: field.options.length > 0 ? field.options : [END_OPTION],
    bootFile: bootFile.options,
    serverName: serverName.options,
    left,
  };
}

/** Puts each option whole into the first section that has room for all its parts. */
function fill(
  sections: readonly { options: Dhcpv4Option[]; room: number }[],
  options: readonly Dhcpv4Option[],
): number[] {
  const left: number[] = [];
  for (const option of options) {
    const parts = split(option);
    const length = parts.reduce((sum, part) => sum + dhcpv4OptionLength(part), 0);
    const section = sections.find(({ room }) => length <= room);
    if (section === undefined) {
      left.push(option.code);
    } else {
      section.options.push(...parts);
      section.room -= length;
    }
  }
  return left;
}

function split(option: Dhcpv4Option): Dhcpv4Option[] {
  if (option.data.length <= DHCPV4_OPTION_LONGEST) return [option];
  const parts: Dhcpv4Option[] = [];
  for (let at = 0; at < option.data.length; at += DHCPV4_OPTION_LONGEST) {
    parts.push({ code: option.code, data: option.data.subarray(at, at + DHCPV4_OPTION_LONGEST) });
  }
  return parts;
}
