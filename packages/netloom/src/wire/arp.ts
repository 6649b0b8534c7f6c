import {
  IpAddress,
  MacAddress,
  readInt32,
  readUint16,
  writeUint16,
  writeUint32,
} from '../core/index.ts';
import { EtherType } from './ethernet.ts';
import type { WireFault } from './fault.ts';

/** An ARP packet for IPv4 over Ethernet (RFC 826). */
export const ARP_LENGTH = 28;

/** What an ARP packet wants (IANA "ARP Operation Codes"). */
export const ArpOperation = {
  REQUEST: 1,
  REPLY: 2,
} as const;

/** Hardware type Ethernet (IANA "ARP Hardware Types"). */
const HARDWARE_ETHERNET = 1;
/** Lengths of a hardware and of a protocol address, as the two bytes that hold them. */
const ADDRESS_LENGTHS = 0x0604;

/** An ARP packet. Addresses are held as halves of {@link MacAddress} and words of {@link IpAddress}, so that parsing allocates nothing. */
export class ArpPacket {
  /** An {@link ArpOperation}. */
  operation = 0;
  senderMacHigh = 0;
  senderMacLow = 0;
  /** 0 in a probe (RFC 5227, section 1.1). */
  senderAddress = 0;
  /** Without meaning in a request. */
  targetMacHigh = 0;
  targetMacLow = 0;
  targetAddress = 0;

  get senderMac(): MacAddress {
    return new MacAddress(this.senderMacHigh, this.senderMacLow);
  }

  get targetMac(): MacAddress {
    return new MacAddress(this.targetMacHigh, this.targetMacLow);
  }

  get sender(): IpAddress {
    return IpAddress.v4(this.senderAddress);
  }

  get target(): IpAddress {
    return IpAddress.v4(this.targetAddress);
  }
}

/** Reads the packet at `start`; bytes after its 28 are padding of the link. Other than IPv4 over Ethernet is `bad-version`. */
export function parseArp(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: ArpPacket = new ArpPacket(),
): ArpPacket | WireFault {
  if (end - start < ARP_LENGTH) return 'truncated';
  if (
    readUint16(bytes, start) !== HARDWARE_ETHERNET ||
    readUint16(bytes, start + 2) !== EtherType.IPV4
  ) {
    return 'bad-version';
  }
  if (readUint16(bytes, start + 4) !== ADDRESS_LENGTHS) return 'bad-length';
  into.operation = readUint16(bytes, start + 6);
  into.senderMacHigh = readUint16(bytes, start + 8);
  into.senderMacLow = readInt32(bytes, start + 10);
  into.senderAddress = readInt32(bytes, start + 14);
  into.targetMacHigh = readUint16(bytes, start + 18);
  into.targetMacLow = readInt32(bytes, start + 20);
  into.targetAddress = readInt32(bytes, start + 24);
  return into;
}

/** Writes the packet at `at`, and answers where it ends. */
export function emitArp(packet: ArpPacket, bytes: Uint8Array, at: number): number {
  writeUint16(bytes, at, HARDWARE_ETHERNET);
  writeUint16(bytes, at + 2, EtherType.IPV4);
  writeUint16(bytes, at + 4, ADDRESS_LENGTHS);
  writeUint16(bytes, at + 6, packet.operation);
  writeUint16(bytes, at + 8, packet.senderMacHigh);
  writeUint32(bytes, at + 10, packet.senderMacLow);
  writeUint32(bytes, at + 14, packet.senderAddress);
  writeUint16(bytes, at + 18, packet.targetMacHigh);
  writeUint32(bytes, at + 20, packet.targetMacLow);
  writeUint32(bytes, at + 24, packet.targetAddress);
  return at + ARP_LENGTH;
}
