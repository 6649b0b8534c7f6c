import { NetloomError, type MacAddress, type SocketAddress } from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  LARGEST_VXLAN_IDENTIFIER,
  UDP_HEADER_LENGTH,
  VXLAN_HEADER_LENGTH,
} from '../../wire/index.ts';

/** The limits of a {@link VxlanEndpoint}. */
export interface VxlanEndpointLimits {
  readonly networks: number;
  /** Bytes that may wait to be sent, of all networks. */
  readonly queueBytes: number;
}

/** The defaults of {@link VxlanEndpointLimits}. */
export const ENDPOINT_LIMITS: VxlanEndpointLimits = {
  networks: 1024,
  queueBytes: 8 * 1024 * 1024,
};

/** The limits of one network of a {@link VxlanEndpoint}. */
export interface VxlanLimits {
  readonly peers: number;
  /** Stations that are known behind all peers, static ones included. */
  readonly stations: number;
}

/** The defaults of {@link VxlanLimits}. */
export const NETWORK_LIMITS: VxlanLimits = { peers: 256, stations: 8192 };

/** What a network of a {@link VxlanEndpoint} is made from, beside its identifier. */
export interface VxlanOptions {
  /** The other tunnel ends. More can come and go later. */
  readonly peers?: readonly SocketAddress[];
  /** Default `vxlan` with the identifier. */
  readonly name?: string;
  /** The address of the station at this end. Default: a random one. */
  readonly mac?: MacAddress;
  /** The largest IP packet that the way to the peers takes whole. Default 1500. */
  readonly underlayMtu?: number;
  /** Default, and at most: what {@link underlayMtu} leaves; with 1500, 1450 over IPv4 and 1430 over IPv6. */
  readonly mtu?: number;
  /** Whether stations are learned from the frames that come. Default true; without, unknown stations are reached by all peers. */
  readonly learning?: boolean;
  /** Milliseconds after which a silent station is forgotten. Default 300,000. */
  readonly ageing?: number;
  readonly limits?: Partial<VxlanLimits>;
}

/** As Linux and IEEE 802.1Q (table 8-6) have it. */
export const DEFAULT_AGEING = 300_000;
export const DEFAULT_UNDERLAY_MTU = 1500;
/** The least that IPv4 asks of a link (RFC 791, section 3.2). */
const SMALLEST_MTU = 68;

/** Bytes of an IP packet before the Ethernet frame in it. */
export function encapsulationOverhead(family: 4 | 6): number {
  const ip = family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  return ip + UDP_HEADER_LENGTH + VXLAN_HEADER_LENGTH;
}

/** The MTU of a network: what is asked for, or what the underlay leaves. Throws `VXLAN_MTU_INVALID`. */
export function mtuOf(
  { mtu, underlayMtu = DEFAULT_UNDERLAY_MTU }: VxlanOptions,
  family: 4 | 6,
): number {
  const largest = underlayMtu - encapsulationOverhead(family) - ETHERNET_HEADER_LENGTH;
  const chosen = mtu ?? largest;
  if (chosen >= SMALLEST_MTU && chosen <= largest) return chosen;
  throw new NetloomError(
    'VXLAN_MTU_INVALID',
    `an overlay cannot have an MTU of ${chosen} over IPv${family} packets of at most ${underlayMtu} bytes`,
    {
      remedy: `Give at most ${largest}, or say as 'underlayMtu' what the way to the peers takes: a tunnel end does not fragment (RFC 7348, section 4.3).`,
    },
  );
}

/** Throws `VXLAN_IDENTIFIER_INVALID`. */
export function checkIdentifier(identifier: number): void {
  if (Number.isInteger(identifier) && identifier >= 0 && identifier <= LARGEST_VXLAN_IDENTIFIER) {
    return;
  }
  throw new NetloomError(
    'VXLAN_IDENTIFIER_INVALID',
    `${identifier} is no VXLAN network identifier`,
    { remedy: 'Give an integer from 0 to 16,777,215.' },
  );
}
