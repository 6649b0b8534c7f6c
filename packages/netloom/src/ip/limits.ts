import type { TcpLimits } from './tcp/limits.ts';
import type { NeighbourLimits } from './neighbour/neighbour-cache.ts';

/** Limits of a stack outside TCP and the neighbour caches. */
export interface StackLimits {
  readonly interfaces: number;
  readonly addressesPerInterface: number;
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
}
