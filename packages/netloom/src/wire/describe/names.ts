import { formatSocketAddress, type IpAddress } from '../../core/index.ts';

/** What the description of a payload needs to know of the IP packet around it. */
export interface Envelope {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Time to live or hop limit. */
  readonly hopLimit: number;
  /** It is the first part of a datagram: lengths and checksums cover more than is there. */
  readonly isFragment: boolean;
  /** Bytes at the end of the packet that its capture, or the error that quotes it, has cut off. */
  readonly missing: number;
}

/** Names of IP protocols as they are usually written (IANA "Protocol Numbers"). */
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'hop-by-hop options',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  43: 'routing header',
  44: 'fragment header',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  59: 'nothing',
  60: 'destination options',
  89: 'OSPF',
  112: 'VRRP',
  132: 'SCTP',
  136: 'UDP-Lite',
};

/** The name of an IP protocol, or its number. */
export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? `protocol ${protocol}`;
}

/** `a > b` */
export function flow({ source, destination }: Envelope): string {
  return `${source} > ${destination}`;
}

/** `a:1 > b:2`, IPv6 addresses in brackets. */
export function portFlow(envelope: Envelope, sourcePort: number, destinationPort: number): string {
  const source = formatSocketAddress({ address: envelope.source, port: sourcePort });
  const destination = formatSocketAddress({
    address: envelope.destination,
    port: destinationPort,
  });
  return `${source} > ${destination}`;
}

/** `0x` and at least so many digits. */
export function hex(value: number, digits: number): string {
  return `0x${(value >>> 0).toString(16).padStart(digits, '0')}`;
}

/** What is there, joined by spaces. */
export function words(...parts: readonly (string | undefined | false)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');
}

/** The name of a value, or `what` with its number. */
export function nameOr(
  names: Readonly<Record<number, string>>,
  value: number,
  what: string,
): string {
  return names[value] ?? `${what} ${value}`;
}
