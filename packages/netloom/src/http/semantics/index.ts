/** What HTTP means, whatever version carries it (RFC 9110). */
export { isHost, isTargetOfForm } from './authority.ts';
export {
  CHARACTERS,
  FIELD_VALUE,
  TARGET,
  TOKEN,
  isFieldValue,
  isTarget,
  isToken,
} from './characters.ts';
export { formatDate, parseDate } from './date.ts';
export { Fields, listMembers } from './fields.ts';
export { isIdempotent } from './method.ts';
export {
  formatContentRange,
  parseContentRange,
  parseRange,
  type ByteRange,
  type ContentRange,
} from './range.ts';
export { isWithoutContent, reasonPhrase } from './status.ts';
export {
  ifRange,
  isStrongEntityTag,
  mayBeSame,
  strongValidators,
  type Validators,
} from './validator.ts';
