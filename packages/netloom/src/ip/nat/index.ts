/** Network address translation between interfaces of a forwarding stack. */
export type { NatCount, NatFlow, NatFlowState } from './flow.ts';
export type { NatMapping } from './mapping.ts';
export { Nat } from './nat.ts';
export { openNat } from './open-nat.ts';
export {
  NAT_BEHAVIOUR,
  NAT_LIMITS,
  NAT_TIMEOUTS,
  type NatBehaviour,
  type NatDependence,
  type NatLimits,
  type NatOptions,
  type NatPortAssignment,
  type NatPublicationOptions,
  type NatTimeouts,
} from './options.ts';
export { PrefixMapping, type PrefixPair } from './prefix-mapping.ts';
export {
  PrefixTranslator,
  openPrefixTranslation,
  type PrefixTranslationOptions,
} from './prefix-translator.ts';
export type { NatPublication } from './publication.ts';
export { NAT_TCP_TRANSITIONS, type NatTcpEvent, type NatTcpState } from './tcp-session.ts';
export type { Translation } from './translation.ts';
export { Translators, type Translator } from './translators.ts';
