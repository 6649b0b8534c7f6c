import { IpAddress, readUint16, writeUint16 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Types of IPv4 options: copied flag, class and number in one byte (IANA "IP Option Numbers"). */
export const Ipv4OptionType = {
  END: 0,
  NO_OPERATION: 1,
  RECORD_ROUTE: 7,
  TIMESTAMP: 68,
  LOOSE_SOURCE_ROUTE: 131,
  ROUTER_ALERT: 148,
  STRICT_SOURCE_ROUTE: 137,
} as const;

/** A list of addresses on the way (RFC 791, section 3.1): recorded, or to be visited. */
export interface Ipv4RouteOption {
  readonly kind: 'record-route' | 'loose-source-route' | 'strict-source-route';
  /** Which address is the next to be written or visited; equal to the count of `addresses`: none, the list is used up. */
  readonly next: number;
  readonly addresses: readonly IpAddress[];
}

/** An IPv4 option. Padding and the end of the list are not told. */
export type Ipv4Option =
  /** Routers on the way should look into the packet; 0 is the only value in use (RFC 2113). */
  | { readonly kind: 'router-alert'; readonly value: number }
  | Ipv4RouteOption
  /** Any other, passed over by who does not know it (RFC 1122, section 3.2.1.8). `body` is a view: all behind type and length. */
  | { readonly kind: 'other'; readonly type: number; readonly body: Uint8Array };

/** The smallest pointer of a route option: it counts from 1 and from the type byte (RFC 791, section 3.1). */
const FIRST_POINTER = 4;

/**
 * Reads the options between the fixed header and the payload: from `start` to `end`, 40 bytes at most, which bounds their
 * count. One whose length does not fit is `bad-option`.
 */
export function parseIpv4Options(
  bytes: Uint8Array,
  start: number,
  end: number,
): Ipv4Option[] | WireFault {
  const options: Ipv4Option[] = [];
  for (let at = start; at < end && bytes[at] !== Ipv4OptionType.END;) {
    if (bytes[at] === Ipv4OptionType.NO_OPERATION) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return 'bad-option';
    const option = parseIpv4Option(bytes, at, length);
    if (option === undefined) return 'bad-option';
    options.push(option);
    at += length;
  }
  return options;
}

/** The option of `length` bytes at `at`; undefined if it is not as its type has it. */
function parseIpv4Option(bytes: Uint8Array, at: number, length: number): Ipv4Option | undefined {
  const type = bytes[at]!;
  switch (type) {
    case Ipv4OptionType.ROUTER_ALERT:
      return length === 4 ? { kind: 'router-alert', value: readUint16(bytes, at + 2) } : undefined;
    case Ipv4OptionType.RECORD_ROUTE:
      return parseRoute('record-route', bytes, at, length);
    case Ipv4OptionType.LOOSE_SOURCE_ROUTE:
      return parseRoute('loose-source-route', bytes, at, length);
    case Ipv4OptionType.STRICT_SOURCE_ROUTE:
      return parseRoute('strict-source-route', bytes, at, length);
    default:
      return { kind: 'other', type, body: bytes.subarray(at + 2, at + length) };
  }
}

function parseRoute(
  kind: Ipv4RouteOption['kind'],
  bytes: Uint8Array,
  at: number,
  length: number,
): Ipv4RouteOption | undefined {
  if (length < 3 || (length - 3) % 4 !== 0) return undefined;
  const addresses: IpAddress[] = [];
  for (let next = at + 3; next < at + length; next += 4) {
    addresses.push(IpAddress.readV4(bytes, next));
  }
  const pointer = bytes[at + 2]!;
  if (pointer < FIRST_POINTER || pointer % 4 !== 0) return undefined;
  // A pointer past the list says that it is used up; by how far does not matter.
  const next = Math.min((pointer - FIRST_POINTER) / 4, addresses.length);
  return { kind, next, addresses };
}

/** Bytes the options take in a header: padded to a multiple of four. Above 40 they do not fit (the caller checks). */
export function ipv4OptionsLength(options: readonly Ipv4Option[]): number {
  let length = 0;
  for (const option of options) length += ipv4OptionLength(option);
  return (length + 3) & ~3;
}

function ipv4OptionLength(option: Ipv4Option): number {
  switch (option.kind) {
    case 'router-alert':
      return 4;
    case 'other':
      return 2 + option.body.length;
    default:
      return 3 + 4 * option.addresses.length;
  }
}

/** Writes the options and their padding at `at`, and answers where the payload begins. */
export function emitIpv4Options(
  options: readonly Ipv4Option[],
  bytes: Uint8Array,
  at: number,
): number {
  const end = at + ipv4OptionsLength(options);
  let next = at;
  for (const option of options) {
    bytes[next] = optionType(option);
    bytes[next + 1] = ipv4OptionLength(option);
    emitIpv4Option(option, bytes, next);
    next += ipv4OptionLength(option);
  }
  bytes.fill(Ipv4OptionType.END, next, end);
  return end;
}

function optionType(option: Ipv4Option): number {
  switch (option.kind) {
    case 'router-alert':
      return Ipv4OptionType.ROUTER_ALERT;
    case 'record-route':
      return Ipv4OptionType.RECORD_ROUTE;
    case 'loose-source-route':
      return Ipv4OptionType.LOOSE_SOURCE_ROUTE;
    case 'strict-source-route':
      return Ipv4OptionType.STRICT_SOURCE_ROUTE;
    case 'other':
      return option.type;
  }
}

/** Writes what is behind type and length. */
function emitIpv4Option(option: Ipv4Option, bytes: Uint8Array, at: number): void {
  switch (option.kind) {
    case 'router-alert':
      writeUint16(bytes, at + 2, option.value);
      return;
    case 'other':
      bytes.set(option.body, at + 2);
      return;
    default:
      bytes[at + 2] = FIRST_POINTER + 4 * option.next;
      for (const [index, address] of option.addresses.entries()) {
        address.copyTo(bytes, at + 3 + 4 * index);
      }
  }
}
