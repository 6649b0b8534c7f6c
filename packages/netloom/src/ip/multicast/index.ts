/** Multicast group membership, host side. */
export {
  COMPATIBILITY_TRANSITIONS,
  type CompatibilityEvent,
  type CompatibilityMode,
} from './compatibility.ts';
export { MEMBERSHIP_TRANSITIONS, type MembershipEvent, type MembershipState } from './group.ts';
export { IGMP } from './igmp.ts';
export {
  GroupMembership,
  MEMBERSHIP_LIMITS,
  type MembershipLimits,
  type MembershipSink,
} from './membership.ts';
export { MLD } from './mld.ts';
export type { MembershipProtocol, MembershipQuery, Outgoing } from './protocol.ts';
