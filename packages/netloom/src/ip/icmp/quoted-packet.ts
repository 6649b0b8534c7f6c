import { IpAddress, readInt32, readUint16 } from '../../core/index.ts';
import { IpProtocol, Ipv6Header, isFault, parseQuotedIpv6 } from '../../wire/index.ts';
import type { Interface } from '../interface/interface.ts';
import { withZone } from '../ndp/ndp-layer.ts';
import type { Packet } from '../packet.ts';

/** The packet of ours that an ICMP error quotes: enough to find whom it concerns (RFC 5927, section 4.1). */
export interface QuotedPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Of a TCP segment: its sequence number, to check that it is one in flight. */
  readonly sequence: number;
  /** Bytes of the whole packet, by its header. */
  readonly length: number;
}

/**
 * Reads the packet that an error quotes, `start` being where it begins; undefined if too little of it is there. Errors are rare, so values are
 * made. Link-local addresses are of the link that the error came by (RFC 4007, section 9).
 */
export function readQuotedPacket(error: Packet, start: number): QuotedPacket | undefined {
  const { family, bytes, end } = error;
  return family === 4 ? readV4(bytes, start, end) : readV6(bytes, start, end, error.interface);
}

function readV4(bytes: Uint8Array, start: number, end: number): QuotedPacket | undefined {
  if (end - start < 20 || bytes[start]! >>> 4 !== 4) return undefined;
  const transport = start + (bytes[start]! & 0x0f) * 4;
  // A later fragment has no ports in it.
  if (end - transport < 8 || (readUint16(bytes, start + 6) & 0x1fff) !== 0) return undefined;
  return {
    source: IpAddress.readV4(bytes, start + 12),
    destination: IpAddress.readV4(bytes, start + 16),
    protocol: bytes[start + 9]!,
    sourcePort: readUint16(bytes, transport),
    destinationPort: readUint16(bytes, transport + 2),
    sequence: readInt32(bytes, transport + 4),
    length: readUint16(bytes, start + 2),
  };
}

function readV6(
  bytes: Uint8Array,
  start: number,
  end: number,
  via: Interface,
): QuotedPacket | undefined {
  const header = parseQuotedIpv6(bytes, start, end, new Ipv6Header());
  if (isFault(header)) return undefined;
  let transport = start + 40;
  let protocol = header.nextHeader;
  // Of extension headers we send only the fragment header.
  if (protocol === IpProtocol.FRAGMENT && end - transport >= 8) {
    if ((readUint16(bytes, transport + 2) & 0xfff8) !== 0) return undefined;
    protocol = bytes[transport]!;
    transport += 8;
  }
  if (end - transport < 8) return undefined;
  return {
    source: withZone(header.sourceAddress, via),
    destination: withZone(header.destinationAddress, via),
    protocol,
    sourcePort: readUint16(bytes, transport),
    destinationPort: readUint16(bytes, transport + 2),
    sequence: readInt32(bytes, transport + 4),
    length: header.payloadLength + 40,
  };
}
