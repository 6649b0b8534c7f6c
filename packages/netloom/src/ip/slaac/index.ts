/** Stateless address autoconfiguration of IPv6. */
export {
  AUTO_ADDRESS_STEPS,
  AUTO_ADDRESS_TRANSITIONS,
  type AutoAddress,
  type AutoAddressEvent,
  type AutoAddressKind,
  type AutoAddressState,
  type AutoAddressStep,
} from './address.ts';
export {
  isReservedIdentifier,
  stableIdentifier,
  type InterfaceIdentifier,
  type KeyedHash,
  type StableIdentifierOptions,
} from './identifier.ts';
export { SLAAC_LIMITS, type SlaacLimits } from './limits.ts';
export type { LinkParameters } from './parameters.ts';
export type { DefaultRouter } from './routers.ts';
export { Slaac, type SlaacOptions, type SlaacSink } from './slaac.ts';
