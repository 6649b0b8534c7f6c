/** DHCP: clients and servers for IPv4 and IPv6, as engines without sockets and clocks. */
export {
  DHCP_BINDING_TRANSITIONS,
  type DhcpBindingEvent,
  type DhcpBindingState,
  type DhcpFreeReason,
  type DhcpHeir,
} from './binding.ts';
export { Dhcpv4Client } from './client-v4.ts';
export { Dhcpv6Client } from './client-v6.ts';
export { DHCP_DROP, DHCP_STATE, type DhcpDropEvent, type DhcpStateEvent } from './diagnostics.ts';
export type { Dhcpv4Lease } from './lease-v4.ts';
export type {
  Dhcpv6Lease,
  Dhcpv6LeasedAddress,
  Dhcpv6LeasedPrefix,
  Dhcpv6Parameters,
} from './lease-v6.ts';
export { Dhcpv4Server, type Dhcpv4ServerOptions, type Dhcpv4ServerSink } from './server-v4.ts';
export { Dhcpv6Server, type Dhcpv6ServerOptions, type Dhcpv6ServerSink } from './server-v6.ts';
export type { Dhcpv4LeaseRecord, Dhcpv4Reservation, Dhcpv4ReservedClient } from './bindings-v4.ts';
export type {
  Dhcpv6LeaseKind,
  Dhcpv6LeaseRecord,
  Dhcpv6Reservation,
  Dhcpv6ReservedClient,
} from './bindings-v6.ts';
export type { Dhcpv6Lifetimes, Dhcpv6ServerParameters } from './replies-v6.ts';
export type { Dhcpv4Destination, Dhcpv4Parameters } from './replies-v4.ts';
export {
  DHCPV4_CLIENT_LIMITS,
  DHCPV4_SERVER_LIMITS,
  DHCPV6_CLIENT_LIMITS,
  DHCPV6_SERVER_LIMITS,
  type Dhcpv4ClientLimits,
  type Dhcpv4ServerLimits,
  type Dhcpv6ClientLimits,
  type Dhcpv6ServerLimits,
} from './limits.ts';
export type { Dhcpv4ClientOptions, Dhcpv4ClientSink, Dhcpv4LossReason } from './sink-v4.ts';
export {
  DHCPV4_CLIENT_TRANSITIONS,
  type Dhcpv4ClientEvent,
  type Dhcpv4ClientState,
} from './states-v4.ts';
export type { Dhcpv6ClientOptions, Dhcpv6ClientSink, Dhcpv6LossReason } from './sink-v6.ts';
export {
  DHCPV6_CLIENT_TRANSITIONS,
  type Dhcpv6ClientEvent,
  type Dhcpv6ClientState,
} from './states-v6.ts';
