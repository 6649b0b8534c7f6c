/** Bridge protocol data units of the spanning tree protocols (IEEE 802.1D-2004, clause 9), and their frames. */
import { ByteReader, ByteWriter, MacAddress, readUint16, writeUint16 } from '../core/index.ts';
import { ETHERNET_HEADER_LENGTH, LOWEST_ETHER_TYPE } from './ethernet.ts';
import type { WireFault } from './fault.ts';

/** Where every bridge of the local link listens, and no bridge forwards to (IEEE 802.1D-2004, table 7-10). */
export const BRIDGE_GROUP_ADDRESS: MacAddress = new MacAddress(0x0180, 0xc200_0000 | 0);

/** Octets of a configuration BPDU (9.3.1). */
export const CONFIGURATION_BPDU_LENGTH = 35;
/** Octets of a rapid spanning tree BPDU (9.3.3): those of a configuration BPDU, and the length of a version 1 part that is empty. */
export const RAPID_BPDU_LENGTH = 36;
/** Octets of a topology change notification (9.3.2). */
export const TOPOLOGY_CHANGE_NOTIFICATION_LENGTH = 4;

/** The type octet (9.3). */
export const BpduType = {
  CONFIGURATION: 0x00,
  RAPID: 0x02,
  TOPOLOGY_CHANGE_NOTIFICATION: 0x80,
} as const;

/** The spanning tree protocols' identifier (9.3.1). */
const PROTOCOL_SPANNING_TREE = 0;
/** The version of rapid BPDUs; those of later versions begin with the same fields (9.3.4). */
const VERSION_RAPID = 2;
/** Times are in units of 1/256 of a second (9.2.8): so many milliseconds, exact as a number. */
const TIME_UNIT = 1000 / 256;

/** Bits of the flags octet (9.3.3). */
const Flag = {
  TOPOLOGY_CHANGE: 0x01,
  PROPOSAL: 0x02,
  ROLE: 0x0c,
  LEARNING: 0x10,
  FORWARDING: 0x20,
  AGREEMENT: 0x40,
  TOPOLOGY_CHANGE_ACKNOWLEDGMENT: 0x80,
} as const;

/** The role of the port that sent a rapid BPDU, as it is encoded (9.2.9). Alternate and backup ports tell the same. */
const ROLES = ['unknown', 'alternate-or-backup', 'root', 'designated'] as const;

/** What a rapid BPDU tells of the role of the port that sent it. */
export type BpduPortRole = (typeof ROLES)[number];

/** A bridge's identifier: the lesser, the better (IEEE 802.1D-2004, 9.2.5). Immutable. */
export class BridgeIdentifier {
  /** 16 bits; the lower twelve are for the numbers of several trees, and zero where there is one. */
  readonly priority: number;
  readonly mac: MacAddress;

  constructor(priority: number, mac: MacAddress) {
    this.priority = priority & 0xffff;
    this.mac = mac;
  }

  /** Negative: this one is the better. 0: they are equal. */
  compare(other: BridgeIdentifier): number {
    return this.priority - other.priority || this.mac.toNumber() - other.mac.toNumber();
  }

  /** As most bridges print it: `8000.02:00:00:00:00:01`. */
  toString(): string {
    return `${this.priority.toString(16).padStart(4, '0')}.${this.mac}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** What configuration BPDUs and rapid ones both tell. Times are milliseconds, of 1/256 s each. */
export interface BpduConfiguration {
  readonly topologyChange: boolean;
  /** In rapid BPDUs it means nothing, and is sent as false. */
  readonly topologyChangeAcknowledgment: boolean;
  readonly root: BridgeIdentifier;
  readonly rootPathCost: number;
  /** The bridge that sends. */
  readonly bridge: BridgeIdentifier;
  /** The port it sends by: priority and number in 16 bits. */
  readonly port: number;
  /** How old the root's word is. */
  readonly messageAge: number;
  readonly maxAge: number;
  readonly helloTime: number;
  readonly forwardDelay: number;
}

/** A configuration BPDU (9.3.1). */
export interface ConfigurationBpdu extends BpduConfiguration {
  readonly kind: 'configuration';
}

/** A rapid spanning tree BPDU (9.3.3). */
export interface RapidBpdu extends BpduConfiguration {
  readonly kind: 'rapid';
  readonly proposal: boolean;
  readonly role: BpduPortRole;
  readonly learning: boolean;
  readonly forwarding: boolean;
  readonly agreement: boolean;
}

/** A bridge of the older protocol tells its root that the topology has changed (9.3.2). */
export interface TopologyChangeNotificationBpdu {
  readonly kind: 'topology-change-notification';
}

/** Any BPDU. */
export type Bpdu = ConfigurationBpdu | RapidBpdu | TopologyChangeNotificationBpdu;

/**
 * Reads the BPDU at `start`; what follows it is no concern of this version's (9.3.4). One of the multiple spanning tree protocol is read as the
 * rapid BPDU that it begins with, which is what it begins with it for.
 */
export function parseBpdu(bytes: Uint8Array, start: number, end: number): Bpdu | WireFault {
  const length = end - start;
  if (length < TOPOLOGY_CHANGE_NOTIFICATION_LENGTH) return 'truncated';
  if (readUint16(bytes, start) !== PROTOCOL_SPANNING_TREE) return 'bad-version';
  switch (bytes[start + 3]) {
    case BpduType.TOPOLOGY_CHANGE_NOTIFICATION:
      return { kind: 'topology-change-notification' };
    case BpduType.CONFIGURATION:
      if (length < CONFIGURATION_BPDU_LENGTH) return 'truncated';
      return { kind: 'configuration', ...readConfiguration(bytes, start) };
    case BpduType.RAPID:
      if (bytes[start + 2]! < VERSION_RAPID) return 'bad-version';
      if (length < RAPID_BPDU_LENGTH) return 'truncated';
      return readRapid(bytes, start);
    default:
      return 'bad-value';
  }
}

function readRapid(bytes: Uint8Array, start: number): RapidBpdu {
  const flags = bytes[start + 4]!;
  return {
    kind: 'rapid',
    ...readConfiguration(bytes, start),
    proposal: (flags & Flag.PROPOSAL) !== 0,
    role: ROLES[(flags & Flag.ROLE) >>> 2]!,
    learning: (flags & Flag.LEARNING) !== 0,
    forwarding: (flags & Flag.FORWARDING) !== 0,
    agreement: (flags & Flag.AGREEMENT) !== 0,
  };
}

function readConfiguration(bytes: Uint8Array, start: number): BpduConfiguration {
  const reader = new ByteReader(bytes, start + 4);
  const flags = reader.uint8();
  return {
    topologyChange: (flags & Flag.TOPOLOGY_CHANGE) !== 0,
    topologyChangeAcknowledgment: (flags & Flag.TOPOLOGY_CHANGE_ACKNOWLEDGMENT) !== 0,
    root: readIdentifier(reader),
    rootPathCost: reader.uint32(),
    bridge: readIdentifier(reader),
    port: reader.uint16(),
    messageAge: reader.uint16() * TIME_UNIT,
    maxAge: reader.uint16() * TIME_UNIT,
    helloTime: reader.uint16() * TIME_UNIT,
    forwardDelay: reader.uint16() * TIME_UNIT,
  };
}

function readIdentifier(reader: ByteReader): BridgeIdentifier {
  const priority = reader.uint16();
  return new BridgeIdentifier(priority, new MacAddress(reader.uint16(), reader.int32()));
}

/** How many octets {@link emitBpdu} writes. */
export function bpduLength(bpdu: Bpdu): number {
  switch (bpdu.kind) {
    case 'configuration':
      return CONFIGURATION_BPDU_LENGTH;
    case 'rapid':
      return RAPID_BPDU_LENGTH;
    case 'topology-change-notification':
      return TOPOLOGY_CHANGE_NOTIFICATION_LENGTH;
  }
}

/** Writes the BPDU at `at`, and answers where it ends. Times are rounded to what can be told: units of 1/256 s, below 256 s. */
export function emitBpdu(bpdu: Bpdu, bytes: Uint8Array, at: number): number {
  const writer = new ByteWriter(bytes, at);
  writer.uint16(PROTOCOL_SPANNING_TREE);
  switch (bpdu.kind) {
    case 'topology-change-notification':
      writer.uint8(0);
      writer.uint8(BpduType.TOPOLOGY_CHANGE_NOTIFICATION);
      break;
    case 'configuration':
      writer.uint8(0);
      writer.uint8(BpduType.CONFIGURATION);
      writeConfiguration(bpdu, changeFlags(bpdu), writer);
      break;
    case 'rapid':
      writer.uint8(VERSION_RAPID);
      writer.uint8(BpduType.RAPID);
      writeConfiguration(bpdu, changeFlags(bpdu) | rapidFlags(bpdu), writer);
      writer.uint8(0);
      break;
  }
  return writer.offset;
}

function changeFlags({ topologyChange, topologyChangeAcknowledgment }: BpduConfiguration): number {
  return (
    (topologyChange ? Flag.TOPOLOGY_CHANGE : 0) |
    (topologyChangeAcknowledgment ? Flag.TOPOLOGY_CHANGE_ACKNOWLEDGMENT : 0)
  );
}

function rapidFlags({ proposal, role, learning, forwarding, agreement }: RapidBpdu): number {
  return (
    (proposal ? Flag.PROPOSAL : 0) |
    (ROLES.indexOf(role) << 2) |
    (learning ? Flag.LEARNING : 0) |
    (forwarding ? Flag.FORWARDING : 0) |
    (agreement ? Flag.AGREEMENT : 0)
  );
}

function writeConfiguration(bpdu: BpduConfiguration, flags: number, writer: ByteWriter): void {
  writer.uint8(flags);
  writeIdentifier(bpdu.root, writer);
  writer.uint32(bpdu.rootPathCost);
  writeIdentifier(bpdu.bridge, writer);
  writer.uint16(bpdu.port);
  for (const time of [bpdu.messageAge, bpdu.maxAge, bpdu.helloTime, bpdu.forwardDelay]) {
    writer.uint16(Math.min(0xffff, Math.round(time / TIME_UNIT)));
  }
}

function writeIdentifier({ priority, mac }: BridgeIdentifier, writer: ByteWriter): void {
  writer.uint16(priority);
  writer.uint16(mac.high);
  writer.uint32(mac.low);
}

/** The link service access point of the spanning tree protocols, as destination and as source (IEEE 802.1D-2004, table 7-9). */
const BRIDGE_ACCESS_POINTS = 0x4242;
/** An unnumbered information frame (IEEE 802.2). */
const UNNUMBERED_INFORMATION = 0x03;
/** Octets of the logical link control header. */
const LLC_LENGTH = 3;

/** Whether an Ethernet frame is of IEEE 802.2 and for the spanning tree protocols, whatever its addresses. */
export function isBpduFrame(frame: Uint8Array): boolean {
  return (
    frame.length >= ETHERNET_HEADER_LENGTH + LLC_LENGTH &&
    readUint16(frame, 12) < LOWEST_ETHER_TYPE &&
    readUint16(frame, 14) === BRIDGE_ACCESS_POINTS &&
    frame[16] === UNNUMBERED_INFORMATION
  );
}

/** Reads the BPDU of a whole Ethernet frame; `bad-version`: it is none of the spanning tree protocols. Octets after the length that the frame tells are padding. */
export function parseBpduFrame(frame: Uint8Array): Bpdu | WireFault {
  if (frame.length < ETHERNET_HEADER_LENGTH + LLC_LENGTH) return 'truncated';
  if (!isBpduFrame(frame)) return 'bad-version';
  const end = ETHERNET_HEADER_LENGTH + readUint16(frame, 12);
  if (end > frame.length) return 'truncated';
  if (end < ETHERNET_HEADER_LENGTH + LLC_LENGTH) return 'bad-length';
  return parseBpdu(frame, ETHERNET_HEADER_LENGTH + LLC_LENGTH, end);
}

/** A frame from `source` to all bridges of the link, not padded: that is the concern of hardware that needs it. */
export function emitBpduFrame(bpdu: Bpdu, source: MacAddress): Uint8Array {
  const length = LLC_LENGTH + bpduLength(bpdu);
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + length);
  BRIDGE_GROUP_ADDRESS.copyTo(frame, 0);
  source.copyTo(frame, 6);
  writeUint16(frame, 12, length);
  writeUint16(frame, 14, BRIDGE_ACCESS_POINTS);
  frame[16] = UNNUMBERED_INFORMATION;
  emitBpdu(bpdu, frame, ETHERNET_HEADER_LENGTH + LLC_LENGTH);
  return frame;
}
