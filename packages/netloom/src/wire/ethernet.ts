import { MacAddress, readInt32, readUint16, writeUint16, writeUint32 } from '../core/index.ts';
import type { WireFault } from './fault.ts';

/** Ethernet II without tag and without frame check sequence: two addresses and the type (IEEE 802.3, clause 3). */
export const ETHERNET_HEADER_LENGTH = 14;

/** What an Ethernet frame carries (IANA "IEEE 802 Numbers"). */
export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  /** An 802.1Q tag follows (the customer's, where tags are stacked). */
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** A service tag of IEEE 802.1ad follows; its form is that of 802.1Q. */
  SERVICE_VLAN: 0x88a8,
} as const;

/** Below this the field is the length of an IEEE 802.3 frame (clause 3.2.6). */
export const LOWEST_ETHER_TYPE = 1536;

/** An Ethernet II header. Addresses are held as the two halves of {@link MacAddress}, so that parsing allocates nothing. */
export class EthernetHeader {
  destinationHigh = 0;
  destinationLow = 0;
  sourceHigh = 0;
  sourceLow = 0;
  /** An {@link EtherType}; below 1536 it is a length (IEEE 802.3) and the frame is not Ethernet II. */
  type = 0;

  get destination(): MacAddress {
    return new MacAddress(this.destinationHigh, this.destinationLow);
  }

  get source(): MacAddress {
    return new MacAddress(this.sourceHigh, this.sourceLow);
  }
}

/** Reads the header at `start`; the payload begins {@link ETHERNET_HEADER_LENGTH} bytes on. */
export function parseEthernet(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: EthernetHeader = new EthernetHeader(),
): EthernetHeader | WireFault {
  if (end - start < ETHERNET_HEADER_LENGTH) return 'truncated';
  into.destinationHigh = readUint16(bytes, start);
  into.destinationLow = readInt32(bytes, start + 2);
  into.sourceHigh = readUint16(bytes, start + 6);
  into.sourceLow = readInt32(bytes, start + 8);
  into.type = readUint16(bytes, start + 12);
  return into;
}

/** Writes the header at `at`, and answers where the payload begins. */
export function emitEthernet(header: EthernetHeader, bytes: Uint8Array, at: number): number {
  writeUint16(bytes, at, header.destinationHigh);
  writeUint32(bytes, at + 2, header.destinationLow);
  writeUint16(bytes, at + 6, header.sourceHigh);
  writeUint32(bytes, at + 8, header.sourceLow);
  writeUint16(bytes, at + 12, header.type);
  return at + ETHERNET_HEADER_LENGTH;
}
