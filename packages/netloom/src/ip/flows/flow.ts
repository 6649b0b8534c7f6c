import type { SocketAddress } from '../../core/index.ts';

/** Which way something goes: from the side that began the flow, as far as was seen, or to it. */
export type FlowDirection = 'forward' | 'backward';

/** How a TCP connection ended: both sides had finished, or one cut it off. */
export type FlowEnd = 'finished' | 'reset';

/** What went one way. */
export interface FlowTraffic {
  readonly frames: number;
  /** Of what TCP or UDP carried, counted as it was sent: what was sent twice counts twice. */
  readonly bytes: number;
}

/** A flow: the segments of a TCP connection, or the datagrams between two UDP ports. Live. */
export interface Flow {
  /** From 1 on, in the order in which flows began. */
  readonly id: number;
  readonly protocol: 'tcp' | 'udp';
  /** The side that began it; where the beginning was not seen, the one that was seen first. */
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly forward: FlowTraffic;
  readonly backward: FlowTraffic;
  /** Times of the first and the latest frame, as they were given. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  /** Undefined: it was not seen to end (UDP has no end). */
  readonly end: FlowEnd | undefined;
  /** Whether its beginning was seen: the SYN, or any datagram. */
  readonly isWhole: boolean;
}
