import { ByteReader, ByteWriter, IpAddress, MacAddress, concatBytes } from '../core/index.ts';
import {
  DHCPV4_BOOT_FILE_LENGTH,
  DHCPV4_SERVER_NAME_LENGTH,
  Dhcpv4OptionCode,
  dhcpv4OptionLength,
  emitDhcpv4Options,
  layOutDhcpv4Options,
  parseDhcpv4Options,
  type Dhcpv4Option,
} from './dhcpv4-options.ts';
import {
  readDhcpv4Addresses,
  readDhcpv4DomainSearch,
  readDhcpv4Number,
  readDhcpv4Routes,
  readDhcpv4Text,
  type Dhcpv4Route,
} from './dhcpv4-values.ts';
import type { WireFault } from './fault.ts';

/** UDP ports (RFC 2131, section 4.1). */
export const DHCPV4_SERVER_PORT = 67;
export const DHCPV4_CLIENT_PORT = 68;

/** The fixed part of a message, the magic cookie included (RFC 2131, section 2 and 3). */
export const DHCPV4_HEADER_LENGTH = 240;

/** What stands before the options (RFC 2131, section 3). */
const MAGIC_COOKIE = 0x63825363;

/** A message is at least this long on the wire: relay agents drop shorter ones as BOOTP has it (RFC 1542, section 2.1). */
export const DHCPV4_SHORTEST_MESSAGE = 300;

/** What every client must be able to take, less IP and UDP headers (RFC 2131, section 2: 576 bytes of datagram). */
export const DHCPV4_SAFE_MESSAGE = 548;

/** The field `op`. */
export const Dhcpv4Operation = { REQUEST: 1, REPLY: 2 } as const;

/** Values of the message type option (RFC 2132, section 9.6). */
export const Dhcpv4MessageType = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACKNOWLEDGE: 5,
  REFUSE: 6,
  RELEASE: 7,
  INFORM: 8,
} as const;

/** Hardware type of Ethernet (IANA "ARP Parameters"). */
export const HARDWARE_ETHERNET = 1;

const BROADCAST_FLAG = 0x8000;
const HARDWARE_ADDRESS_LENGTH = 16;
const FLAG_OVERLOAD_BOOT_FILE = 1;
const FLAG_OVERLOAD_SERVER_NAME = 2;

/** Limits of the parser. */
export interface Dhcpv4WireLimits {
  /** Options of one message, runs of padding included. */
  readonly options: number;
}

/** The defaults. */
export const DHCPV4_WIRE_LIMITS: Dhcpv4WireLimits = { options: 256 };

/** A BOOTP message with the options of DHCP (RFC 2131, section 2). */
export class Dhcpv4Message {
  /** A {@link Dhcpv4Operation}. */
  operation: number = Dhcpv4Operation.REQUEST;
  hardwareType: number = HARDWARE_ETHERNET;
  hardwareLength = 6;
  hops = 0;
  /** `xid`. */
  transactionId = 0;
  /** `secs`: since the client began. */
  seconds = 0;
  flags = 0;
  /** `ciaddr`: the client's address where it has one and can answer ARP. */
  clientAddress: IpAddress = IpAddress.ANY4;
  /** `yiaddr`: the address the server gives. */
  yourAddress: IpAddress = IpAddress.ANY4;
  /** `siaddr`: the server of the next step of booting. */
  nextServerAddress: IpAddress = IpAddress.ANY4;
  /** `giaddr`: the relay agent. */
  relayAddress: IpAddress = IpAddress.ANY4;
  /** `chaddr`: 16 bytes, of which {@link hardwareLength} count. */
  hardwareAddress: Uint8Array = new Uint8Array(HARDWARE_ADDRESS_LENGTH);
  /** `sname` as it stands: text up to a zero, or options. */
  serverName: Uint8Array = new Uint8Array(DHCPV4_SERVER_NAME_LENGTH);
  /** `file` as it stands: text up to a zero, or options. */
  bootFile: Uint8Array = new Uint8Array(DHCPV4_BOOT_FILE_LENGTH);
  /** The options field. */
  options: readonly Dhcpv4Option[] = [];
  /** The options read out of {@link bootFile} and {@link serverName}; not written: those fields are. */
  overloadedOptions: readonly Dhcpv4Option[] = [];

  /** The client cannot take a unicast yet. */
  get broadcast(): boolean {
    return (this.flags & BROADCAST_FLAG) !== 0;
  }

  set broadcast(wanted: boolean) {
    this.flags = wanted ? this.flags | BROADCAST_FLAG : this.flags & ~BROADCAST_FLAG;
  }

  /** The client's Ethernet address; undefined when it is of other hardware. */
  get mac(): MacAddress | undefined {
    return this.hardwareType === HARDWARE_ETHERNET && this.hardwareLength === 6
      ? MacAddress.read(this.hardwareAddress, 0)
      : undefined;
  }

  set mac(mac: MacAddress) {
    this.hardwareType = HARDWARE_ETHERNET;
    this.hardwareLength = 6;
    this.hardwareAddress = new Uint8Array(HARDWARE_ADDRESS_LENGTH);
    mac.copyTo(this.hardwareAddress, 0);
  }

  /** A {@link Dhcpv4MessageType}; undefined for plain BOOTP. */
  get type(): number | undefined {
    return this.uint8(Dhcpv4OptionCode.MESSAGE_TYPE);
  }

  /**
   * The value of an option: all its occurrences joined, those of the options field first, then of the boot file, then of the
   * server name field (RFC 3396, sections 5 and 7).
   */
  option(code: number): Uint8Array | undefined {
    const found: Uint8Array[] = [];
    for (const option of this.options) if (option.code === code) found.push(option.data);
    for (const option of this.overloadedOptions) if (option.code === code) found.push(option.data);
    if (found.length === 0) return undefined;
    return found.length === 1 ? found[0] : concatBytes(found);
  }

  uint8(code: number): number | undefined {
    return readDhcpv4Number(this.option(code), 1);
  }

  uint16(code: number): number | undefined {
    return readDhcpv4Number(this.option(code), 2);
  }

  uint32(code: number): number | undefined {
    return readDhcpv4Number(this.option(code), 4);
  }

  /** The option's value where it is exactly one address. */
  address(code: number): IpAddress | undefined {
    const addresses = readDhcpv4Addresses(this.option(code));
    return addresses?.length === 1 ? addresses[0] : undefined;
  }

  addresses(code: number): IpAddress[] | undefined {
    return readDhcpv4Addresses(this.option(code));
  }

  text(code: number): string | undefined {
    return readDhcpv4Text(this.option(code));
  }

  /** Classless static routes (RFC 3442). */
  routes(): Dhcpv4Route[] | undefined {
    return readDhcpv4Routes(this.option(Dhcpv4OptionCode.CLASSLESS_ROUTES));
  }

  /** Domains to search (RFC 3397). */
  domainSearch(): string[] | undefined {
    return readDhcpv4DomainSearch(this.option(Dhcpv4OptionCode.DOMAIN_SEARCH));
  }

  /**
   * Takes these options for its own, laid out so that the message is not longer than `longest` bytes, over the boot file
   * and server name fields where needed. Answers the codes of those that did not fit.
   */
  setOptions(
    options: readonly Dhcpv4Option[],
    longest: number = DHCPV4_SAFE_MESSAGE,
  ): readonly number[] {
    const layout = layOutDhcpv4Options(options, longest - DHCPV4_HEADER_LENGTH);
    this.options = layout.options;
    this.overloadedOptions = [...layout.bootFile, ...layout.serverName];
    if (layout.bootFile.length > 0) {
      this.bootFile = new Uint8Array(DHCPV4_BOOT_FILE_LENGTH);
      emitDhcpv4Options(layout.bootFile, this.bootFile, 0);
    }
    if (layout.serverName.length > 0) {
      this.serverName = new Uint8Array(DHCPV4_SERVER_NAME_LENGTH);
      emitDhcpv4Options(layout.serverName, this.serverName, 0);
    }
    return layout.left;
  }
}

/**
 * Reads a message, which reaches to `end`. Its option data and fields are views of `bytes`. A message without the magic
 * cookie is BOOTP older than RFC 1497 and the fault `bad-version`.
 */
export function parseDhcpv4(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Dhcpv4WireLimits = DHCPV4_WIRE_LIMITS,
): Dhcpv4Message | WireFault {
  if (end - start < DHCPV4_HEADER_LENGTH) return 'truncated';
  const reader = new ByteReader(bytes, start, end);
  const message = new Dhcpv4Message();
  message.operation = reader.uint8();
  if (
    message.operation !== Dhcpv4Operation.REQUEST &&
    message.operation !== Dhcpv4Operation.REPLY
  ) {
    return 'bad-value';
  }
  message.hardwareType = reader.uint8();
  message.hardwareLength = reader.uint8();
  if (message.hardwareLength > HARDWARE_ADDRESS_LENGTH) return 'bad-length';
  message.hops = reader.uint8();
  message.transactionId = reader.uint32();
  message.seconds = reader.uint16();
  message.flags = reader.uint16();
  message.clientAddress = IpAddress.v4(reader.int32());
  message.yourAddress = IpAddress.v4(reader.int32());
  message.nextServerAddress = IpAddress.v4(reader.int32());
  message.relayAddress = IpAddress.v4(reader.int32());
  message.hardwareAddress = reader.view(HARDWARE_ADDRESS_LENGTH);
  message.serverName = reader.view(DHCPV4_SERVER_NAME_LENGTH);
  message.bootFile = reader.view(DHCPV4_BOOT_FILE_LENGTH);
  if (reader.uint32() !== MAGIC_COOKIE) return 'bad-version';
  const options: Dhcpv4Option[] = [];
  const fault = parseDhcpv4Options(bytes, reader.offset, end, limits.options, options);
  if (fault !== undefined) return fault;
  message.options = options;
  return parseOverload(message, limits.options - options.length) ?? message;
}

/** Reads the options in the boot file and server name fields, if an overload option says that there are any. */
function parseOverload(message: Dhcpv4Message, limit: number): WireFault | undefined {
  if (message.option(Dhcpv4OptionCode.OVERLOAD) === undefined) return undefined;
  const overload = message.uint8(Dhcpv4OptionCode.OVERLOAD) ?? 0;
  if (overload < 1 || overload > 3) return 'bad-option';
  const options: Dhcpv4Option[] = [];
  for (const [flag, field] of [
    [FLAG_OVERLOAD_BOOT_FILE, message.bootFile],
    [FLAG_OVERLOAD_SERVER_NAME, message.serverName],
  ] as const) {
    if ((overload & flag) === 0) continue;
    const fault = parseDhcpv4Options(field, 0, field.length, limit, options);
    if (fault !== undefined) return fault;
  }
  message.overloadedOptions = options;
  return undefined;
}

/** Bytes of the message. */
export function dhcpv4Length(message: Dhcpv4Message): number {
  return message.options.reduce(
    (length, option) => length + dhcpv4OptionLength(option),
    DHCPV4_HEADER_LENGTH,
  );
}

/** Writes the message at `at`, and answers where it ends. */
export function emitDhcpv4(message: Dhcpv4Message, bytes: Uint8Array, at: number): number {
  const writer = new ByteWriter(bytes, at);
  writer.uint8(message.operation);
  writer.uint8(message.hardwareType);
  writer.uint8(message.hardwareLength);
  writer.uint8(message.hops);
  writer.uint32(message.transactionId);
  writer.uint16(message.seconds);
  writer.uint16(message.flags);
  writer.uint32(message.clientAddress.word3);
  writer.uint32(message.yourAddress.word3);
  writer.uint32(message.nextServerAddress.word3);
  writer.uint32(message.relayAddress.word3);
  writer.put(message.hardwareAddress);
  writer.put(message.serverName);
  writer.put(message.bootFile);
  writer.uint32(MAGIC_COOKIE);
  return emitDhcpv4Options(message.options, bytes, writer.offset);
}

/** The message as bytes of its own, filled up with zeros to `shortest`. */
export function encodeDhcpv4(
  message: Dhcpv4Message,
  shortest: number = DHCPV4_SHORTEST_MESSAGE,
): Uint8Array {
  const bytes = new Uint8Array(Math.max(dhcpv4Length(message), shortest));
  emitDhcpv4(message, bytes, 0);
  return bytes;
}

/** The client identifier of a station without another: hardware type and address (RFC 2132, section 9.14). */
export function clientIdentifierOfMac(mac: MacAddress): Uint8Array {
  const identifier = Uint8Array.of(HARDWARE_ETHERNET, 0, 0, 0, 0, 0, 0);
  mac.copyTo(identifier, 1);
  return identifier;
}

/** The client identifier that a node uses for DHCPv4 and DHCPv6 alike: type 255, IAID and DUID (RFC 4361, section 6.1). */
export function clientIdentifierOfDuid(associationId: number, duid: Uint8Array): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(5 + duid.length));
  writer.uint8(255);
  writer.uint32(associationId);
  writer.put(duid);
  return writer.bytes;
}
