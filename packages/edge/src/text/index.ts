/** What people write, on command lines and in files: quantities, and what a rule speaks of. */
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
export { parseCidr, parseRuleSubject, type RuleSubject } from './rule-subject.ts';
