import { IpAddress, readUint16 } from '../../core/index.ts';
import {
  Icmpv4Type,
  Icmpv6Type,
  IpProtocol,
  Ipv6Header,
  TCP_HEADER_LENGTH,
  isFault,
  parseQuotedIpv4,
  parseQuotedIpv6,
  walkIpv6,
} from '../../wire/index.ts';
import type { PacketPlace } from './rewrite.ts';

/** The ports of a packet, or the identifier of an ICMP query at its inside end. One instance serves all packets. */
export class TransportEnds {
  sourcePort = 0;
  destinationPort = 0;
  /** Of TCP; else 0. */
  flags = 0;

  /** Reads them. False: too little is there, or it is nothing that has any. `isQuoted`: it may be cut off behind eight bytes. */
  read(bytes: Uint8Array, place: PacketPlace, isQuoted = false): boolean {
    const { transport, end, protocol } = place;
    const isTcp = protocol === IpProtocol.TCP;
    if (end - transport < (isTcp && !isQuoted ? TCP_HEADER_LENGTH : 8)) return false;
    this.flags = isTcp && !isQuoted ? bytes[transport + 13]! : 0;
    if (isTcp || protocol === IpProtocol.UDP) {
      this.sourcePort = readUint16(bytes, transport);
      this.destinationPort = readUint16(bytes, transport + 2);
      return true;
    }
    const query = queryKind(place, bytes[transport]!);
    if (query === undefined) return false;
    const identifier = readUint16(bytes, transport + 4);
    this.sourcePort = query === 'request' ? identifier : 0;
    this.destinationPort = query === 'reply' ? identifier : 0;
    return true;
  }
}

/** What an ICMP message of this type is to a NAT; undefined: not a query it knows. */
export function queryKind(
  { family, protocol }: Pick<PacketPlace, 'family' | 'protocol'>,
  type: number,
): 'request' | 'reply' | undefined {
  if (protocol !== (family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6)) return undefined;
  const types = family === 4 ? Icmpv4Type : Icmpv6Type;
  if (type === types.ECHO_REQUEST) return 'request';
  return type === types.ECHO_REPLY ? 'reply' : undefined;
}

/** Whether an ICMP message of this type reports on a packet it quotes. A redirect (5) is for one link only and not passed on. */
export function isPassedError(family: 4 | 6, type: number): boolean {
  if (family === 6) return type >= 1 && type <= 4;
  return (
    type === Icmpv4Type.DESTINATION_UNREACHABLE ||
    type === Icmpv4Type.TIME_EXCEEDED ||
    type === Icmpv4Type.PARAMETER_PROBLEM
  );
}

/** The addresses of a packet. */
export function addressesOf(
  bytes: Uint8Array,
  { family, start }: Pick<PacketPlace, 'family' | 'start'>,
): readonly [IpAddress, IpAddress] {
  return family === 4
    ? [IpAddress.readV4(bytes, start + 12), IpAddress.readV4(bytes, start + 16)]
    : [IpAddress.readV6(bytes, start + 8), IpAddress.readV6(bytes, start + 24)];
}

/** Where the parts of a packet are that an ICMP error quotes; undefined: too little of it is there, or it is a later fragment. */
export function quotedPlace(
  bytes: Uint8Array,
  start: number,
  end: number,
  family: 4 | 6,
): PacketPlace | undefined {
  if (family === 4) {
    const header = parseQuotedIpv4(bytes, start, end);
    if (isFault(header) || header.fragmentOffset !== 0) return undefined;
    const { headerLength, protocol } = header;
    return { start, transport: start + headerLength, end, family, protocol };
  }
  const header = parseQuotedIpv6(bytes, start, end, new Ipv6Header());
  if (isFault(header)) return undefined;
  const chain = walkIpv6(bytes, start, end, header);
  if (isFault(chain) || chain.fragmentOffset !== 0) return undefined;
  return { start, transport: chain.transport, end, family, protocol: chain.protocol };
}
