/** DHCP: clients for IPv4 and IPv6 and a server for IPv4, as engines without sockets and clocks. */
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
export {
  Dhcpv4Server,
  type Dhcpv4Destination,
  type Dhcpv4ServerOptions,
  type Dhcpv4ServerSink,
} from './server-v4.ts';
export type { Dhcpv4LeaseRecord, Dhcpv4Reservation } from './bindings-v4.ts';
export type { Dhcpv4Parameters } from './replies-v4.ts';
export {
  DHCPV4_CLIENT_LIMITS,
  DHCPV4_SERVER_LIMITS,
  DHCPV6_CLIENT_LIMITS,
  type Dhcpv4ClientLimits,
  type Dhcpv4ServerLimits,
  type Dhcpv6ClientLimits,
} from './limits.ts';
export type { Dhcpv4ClientOptions, Dhcpv4ClientSink, Dhcpv4LossReason } from './sink-v4.ts';
export {
  DHCPV4_BINDING_TRANSITIONS,
  DHCPV4_CLIENT_TRANSITIONS,
  type Dhcpv4BindingEvent,
  type Dhcpv4BindingState,
  type Dhcpv4ClientEvent,
  type Dhcpv4ClientState,
} from './states-v4.ts';
export type { Dhcpv6ClientOptions, Dhcpv6ClientSink, Dhcpv6LossReason } from './sink-v6.ts';
export {
  DHCPV6_CLIENT_TRANSITIONS,
  type Dhcpv6ClientEvent,
  type Dhcpv6ClientState,
} from './states-v6.ts';
