/** The stack: interfaces, neighbours, routes, ICMP, UDP, TCP over any link. */
export { AddressClaims } from './address/address-claims.ts';
export {
  ADDRESS_CONFLICT,
  type AddressConflict,
  type ConflictOutcome,
} from './address/address-conflict.ts';
export type { AddAddressOptions } from './address/addresses.ts';
export * from './dhcp/index.ts';
export {
  IP_DROP,
  NAT_DROP,
  NEIGHBOUR_STATE,
  TCP_DROP,
  TCP_STATE,
  UDP_DROP,
} from './diagnostics.ts';
export {
  CONFLICT_LIMITS,
  ConflictDetector,
  type ConflictDefence,
  type ConflictLimits,
} from './address/duplicate-address-v4.ts';
export type { AutoconfigureOptions } from './autoconfiguration.ts';
export type {
  AttemptEnd,
  InterceptedConnection,
  InterceptedDatagram,
  InterceptedEcho,
  Interception,
  InterceptionOptions,
  Interceptor,
  Refusal,
} from './interception/index.ts';
export * from './flows/index.ts';
export { Interface, type InterfaceAddress } from './interface/interface.ts';
export { STACK_LIMITS, type AllStackLimits, type StackLimits } from './limits.ts';
export type { AddInterfaceOptions } from './interface/interfaces.ts';
export { IpStack, type IpStackOptions } from './stack.ts';
export * from './tcp/congestion/index.ts';
export type { TcpConnection } from './tcp/connection.ts';
export type { CongestionFactory } from './tcp/layer.ts';
export type { TcpListener } from './tcp/listener.ts';
export { TCP_LIMITS, type TcpLimits } from './tcp/limits.ts';
export { TCP_TRANSITIONS, type TcpEvent, type TcpState } from './tcp/states.ts';
export { NEIGHBOUR_TRANSITIONS, type NeighbourState } from './neighbour/neighbour.ts';
export * from './address/duplicate-address-v4.ts';
export * from './address/duplicate-address-v6.ts';
export {
  COMPATIBILITY_TRANSITIONS,
  MEMBERSHIP_TRANSITIONS,
  type CompatibilityMode,
  type MembershipState,
} from './multicast/index.ts';
export * from './router-advertisement/index.ts';
export * from './nat/index.ts';
export { RouteTable, type Route } from './route/routes.ts';
export * from './slaac/index.ts';
