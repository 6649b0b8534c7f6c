import { IpAddress, readInt32, writeUint32 } from '../core/index.ts';
import {
  DHCPV6_WIRE_LIMITS,
  Dhcpv6OptionCode,
  dhcpv6Option,
  dhcpv6OptionsLength,
  emitDhcpv6Options,
  findDhcpv6Option,
  parseDhcpv6Options,
  type Dhcpv6Option,
  type Dhcpv6WireLimits,
} from './dhcpv6-options.ts';
import { isFault, type WireFault } from './fault.ts';

/** UDP ports (RFC 8415, section 7.2). */
export const DHCPV6_CLIENT_PORT = 546;
export const DHCPV6_SERVER_PORT = 547;

/** All_DHCP_Relay_Agents_and_Servers (RFC 8415, section 7.1): ff02::1:2. */
export const DHCPV6_ALL_SERVERS: IpAddress = IpAddress.v6(0xff02_0000, 0, 0, 0x0001_0002);

/** Types of messages (RFC 8415, section 7.3). */
export const Dhcpv6MessageType = {
  SOLICIT: 1,
  ADVERTISE: 2,
  REQUEST: 3,
  CONFIRM: 4,
  RENEW: 5,
  REBIND: 6,
  REPLY: 7,
  RELEASE: 8,
  DECLINE: 9,
  RECONFIGURE: 10,
  INFORMATION_REQUEST: 11,
  RELAY_FORWARD: 12,
  RELAY_REPLY: 13,
} as const;

const CLIENT_HEADER_LENGTH = 4;
const RELAY_HEADER_LENGTH = 34;

/** A message between a client and a server (RFC 8415, section 8). */
export class Dhcpv6Message {
  /** A {@link Dhcpv6MessageType}, or one that is not known. */
  type = 0;
  /** 24 bits. */
  transactionId = 0;
  options: readonly Dhcpv6Option[] = [];

  /** The data of the first option of this code. */
  option(code: number): Uint8Array | undefined {
    return findDhcpv6Option(this.options, code)?.data;
  }
}

/** A message between a relay agent and a server (RFC 8415, section 9). */
export class Dhcpv6RelayMessage {
  /** RELAY_FORWARD or RELAY_REPLY. */
  type: number = Dhcpv6MessageType.RELAY_FORWARD;
  hopCount = 0;
  linkAddress: IpAddress = IpAddress.ANY6;
  peerAddress: IpAddress = IpAddress.ANY6;
  options: readonly Dhcpv6Option[] = [];

  /** The message inside, as bytes; undefined where there is none. */
  get relayed(): Uint8Array | undefined {
    return findDhcpv6Option(this.options, Dhcpv6OptionCode.RELAY_MESSAGE)?.data;
  }
}

/** Reads a message, which reaches to `end`. Its option data are views of `bytes`. */
export function parseDhcpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv6WireLimits = DHCPV6_WIRE_LIMITS,
): Dhcpv6Message | Dhcpv6RelayMessage | WireFault {
  if (end - start < CLIENT_HEADER_LENGTH) return 'truncated';
  const type = bytes[start]!;
  return type === Dhcpv6MessageType.RELAY_FORWARD || type === Dhcpv6MessageType.RELAY_REPLY
    ? parseRelayMessage(bytes, start, end, limits)
    : parseClientMessage(bytes, start, end, limits);
}

function parseClientMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv6WireLimits,
): Dhcpv6Message | WireFault {
  const options = parseDhcpv6Options(bytes, start + CLIENT_HEADER_LENGTH, end, limits);
  if (isFault(options)) return options;
  const message = new Dhcpv6Message();
  const word = readInt32(bytes, start);
  message.type = word >>> 24;
  message.transactionId = word & 0xff_ffff;
  message.options = options;
  return message;
}

function parseRelayMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv6WireLimits,
): Dhcpv6RelayMessage | WireFault {
  if (end - start < RELAY_HEADER_LENGTH) return 'truncated';
  const options = parseDhcpv6Options(bytes, start + RELAY_HEADER_LENGTH, end, limits);
  if (isFault(options)) return options;
  const message = new Dhcpv6RelayMessage();
  message.type = bytes[start]!;
  message.hopCount = bytes[start + 1]!;
  message.linkAddress = IpAddress.readV6(bytes, start + 2);
  message.peerAddress = IpAddress.readV6(bytes, start + 18);
  message.options = options;
  return message;
}

/** A client's or server's message with the relay messages around it, the outermost first. */
export interface UnwrappedDhcpv6 {
  readonly relays: readonly Dhcpv6RelayMessage[];
  readonly message: Dhcpv6Message;
}

/** Reads a message and all the messages relayed in it. More relays than the limit are `too-many`; one that relays nothing is `bad-value`. */
export function unwrapDhcpv6(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv6WireLimits = DHCPV6_WIRE_LIMITS,
): UnwrappedDhcpv6 | WireFault {
  const relays: Dhcpv6RelayMessage[] = [];
  let message = parseDhcpv6(bytes, start, end, limits);
  while (message instanceof Dhcpv6RelayMessage) {
    if (relays.length === limits.relays) return 'too-many';
    relays.push(message);
    const inner = message.relayed;
    if (inner === undefined) return 'bad-value';
    message = parseDhcpv6(inner, 0, inner.length, limits);
  }
  return isFault(message) ? message : { relays, message };
}

/** Bytes of the message. */
export function dhcpv6Length(message: Dhcpv6Message | Dhcpv6RelayMessage): number {
  const header = message instanceof Dhcpv6RelayMessage ? RELAY_HEADER_LENGTH : CLIENT_HEADER_LENGTH;
  return header + dhcpv6OptionsLength(message.options);
}

/** Writes the message at `at`, and answers where it ends. */
export function emitDhcpv6(
  message: Dhcpv6Message | Dhcpv6RelayMessage,
  bytes: Uint8Array,
  at: number,
): number {
  if (message instanceof Dhcpv6RelayMessage) {
    bytes[at] = message.type;
    bytes[at + 1] = message.hopCount;
    message.linkAddress.copyTo(bytes, at + 2);
    message.peerAddress.copyTo(bytes, at + 18);
    return emitDhcpv6Options(message.options, bytes, at + RELAY_HEADER_LENGTH);
  }
  writeUint32(bytes, at, (message.type << 24) | (message.transactionId & 0xff_ffff));
  return emitDhcpv6Options(message.options, bytes, at + CLIENT_HEADER_LENGTH);
}

/** The message as bytes of its own. */
export function encodeDhcpv6(message: Dhcpv6Message | Dhcpv6RelayMessage): Uint8Array {
  const bytes = new Uint8Array(dhcpv6Length(message));
  emitDhcpv6(message, bytes, 0);
  return bytes;
}

/** The option that carries a message through a relay agent (RFC 8415, section 21.10). */
export function dhcpv6RelayedMessage(message: Dhcpv6Message | Dhcpv6RelayMessage): Dhcpv6Option {
  return dhcpv6Option(Dhcpv6OptionCode.RELAY_MESSAGE, encodeDhcpv6(message));
}
