/** What people write, on command lines and in files, and read: addresses, quantities, what a rule speaks of, who has a lease. */
export {
  bracketed,
  formatNetwork,
  hostNetwork,
  parseBracketed,
  parseCidr,
  parsePort,
  parseSocketAddress,
  withoutPrefixLength,
  type SocketAddressDefaults,
} from './addresses.ts';
export { countOf } from './count.ts';
export { describeLeaseClient } from './lease-client.ts';
export {
  parseDuration,
  parsePercent,
  parsePeriod,
  parseRate,
  parseSize,
  parseSpread,
  type Period,
  type Spread,
} from './quantities.ts';
export { printable } from './printable.ts';
export { parseRuleSubject, type RuleSubject } from './rule-subject.ts';
