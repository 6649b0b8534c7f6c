import { writeUint16, writeUint32, type IpAddress } from '../../core/index.ts';
import {
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  Ipv4Header,
  Ipv6Header,
  emitIpv4,
  emitIpv6,
} from '../../wire/index.ts';

/** What is known of a packet that is gone, and that an error is to quote. */
export interface GonePacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The second word behind the ports: TCP's sequence number; UDP's length and checksum. */
  readonly word: number;
}

/** Bytes of the transport that are quoted: by these a host finds whom it concerns (RFC 792; RFC 5927, section 4.1). */
const TRANSPORT_QUOTED = 8;

/**
 * The beginning of a packet, made anew for an error about it. What nobody asks about is not as it was: hop limit, identification, options. Keeping
 * each packet until its fate is known would cost what a flood of them takes.
 */
export function quoteOf(gone: GonePacket): Uint8Array {
  const { source, destination, protocol } = gone;
  const isV4 = source.family === 4;
  const headerLength = isV4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const bytes = new Uint8Array(headerLength + TRANSPORT_QUOTED);
  if (isV4) {
    const header = new Ipv4Header();
    header.totalLength = bytes.length;
    header.timeToLive = 1;
    header.protocol = protocol;
    header.source = source.word3;
    header.destination = destination.word3;
    emitIpv4(header, bytes, 0);
  } else {
    const header = new Ipv6Header();
    header.payloadLength = TRANSPORT_QUOTED;
    header.nextHeader = protocol;
    header.hopLimit = 1;
    header.setSource(source);
    header.setDestination(destination);
    emitIpv6(header, bytes, 0);
  }
  writeUint16(bytes, headerLength, gone.sourcePort);
  writeUint16(bytes, headerLength + 2, gone.destinationPort);
  writeUint32(bytes, headerLength + 4, gone.word);
  return bytes;
}
