import type { IpAddress } from '../../core/index.ts';
import type { Interface } from '../interface/interface.ts';
import type { Neighbour } from '../neighbour/neighbour.ts';

/**
 * How packets from one address to another leave: the interface, the next hop, and how large they may be. Kept by connections
 * and sockets; {@link Path.generation} tells whether routes, addresses or path MTUs have changed since.
 */
export interface Path {
  readonly interface: Interface;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Undefined where the link needs no resolution or the destination is a group. */
  readonly neighbour: Neighbour | undefined;
  /** The destination's link address as two halves, where it is known without asking: groups, broadcast, loopback. */
  readonly groupHigh: number;
  readonly groupLow: number;
  /** The largest IP packet that gets through. */
  readonly mtu: number;
  /** The source is no address of this host, which speaks in another's name: see `interception/`. */
  readonly isForeign: boolean;
  readonly generation: number;
}
