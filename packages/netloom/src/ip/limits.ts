import type { TcpLimits } from './tcp/limits.ts';
import type { MembershipLimits } from './multicast/index.ts';
import type { NeighbourLimits } from './neighbour/neighbour-cache.ts';
import type { PathMtuLimits } from './route/path-mtu.ts';
import type { ReassemblyLimits } from './reassembly/index.ts';
import type { SlaacLimits } from './slaac/index.ts';

/** Limits of a stack outside the parts that {@link AllStackLimits} names. */
export interface StackLimits {
  readonly interfaces: number;
  readonly addressesPerInterface: number;
  /** Addresses that are asked for or watched over: see `AddressClaims`. */
  readonly claimsPerInterface: number;
  readonly udpSockets: number;
  /** Bytes of datagrams one UDP socket keeps for a user that has not started. */
  readonly udpReceiveBuffer: number;
  /** ICMP errors sent a second (RFC 4443, section 2.4 f). */
  readonly icmpErrors: number;
  /** Echo requests of ours waiting for a reply. */
  readonly pings: number;
}

/** The defaults. */
export const STACK_LIMITS: StackLimits = {
  interfaces: 256,
  addressesPerInterface: 64,
  claimsPerInterface: 128,
  udpSockets: 16_384,
  udpReceiveBuffer: 262_144,
  icmpErrors: 1000,
  pings: 1024,
};

/** All limits of a stack, as its options take them. */
export interface AllStackLimits {
  readonly stack?: Partial<StackLimits>;
  readonly tcp?: Partial<TcpLimits>;
  readonly neighbour?: Partial<NeighbourLimits>;
  /** Of datagrams that have come in part. */
  readonly reassembly?: Partial<ReassemblyLimits>;
  readonly pathMtu?: Partial<PathMtuLimits>;
  /** For each family on each interface. */
  readonly multicast?: Partial<MembershipLimits>;
  /** For each interface that configures itself. */
  readonly autoconfiguration?: Partial<SlaacLimits>;
}
