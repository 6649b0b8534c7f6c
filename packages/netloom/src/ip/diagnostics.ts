import { channel, type Channel, type PublishedCount, type PublishedStep } from '../core/index.ts';
import type { Interface } from './interface/interface.ts';
import type { Nat } from './nat/index.ts';
import type { Neighbour, NeighbourEvent, NeighbourState } from './neighbour/neighbour.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { TcpLayer } from './tcp/layer.ts';
import type { TcpEvent, TcpState } from './tcp/states.ts';
import type { UdpLayer } from './udp/udp-layer.ts';

/** Packets dropped by an interface, by reason. */
export const IP_DROP: Channel<PublishedCount<Interface>> = channel('netloom:ip:drop');

/** Packets dropped by a NAT, by reason. */
export const NAT_DROP: Channel<PublishedCount<Nat>> = channel('netloom:nat:drop');

/** The steps of all entries of neighbour caches. */
export const NEIGHBOUR_STATE: Channel<PublishedStep<Neighbour, NeighbourState, NeighbourEvent>> =
  channel('netloom:ip:neighbour');

/** The steps of all TCP connections. */
export const TCP_STATE: Channel<PublishedStep<TcpConnection, TcpState, TcpEvent>> =
  channel('netloom:tcp:state');

/** Segments dropped, by reason. */
export const TCP_DROP: Channel<PublishedCount<TcpLayer>> = channel('netloom:tcp:drop');

/** UDP datagrams dropped, by reason. */
export const UDP_DROP: Channel<PublishedCount<UdpLayer>> = channel('netloom:udp:drop');
