import { Fields, listMembers } from '../semantics/index.ts';
import type { MinorVersion } from './wire/index.ts';

/** Fields about one connection and its framing, which the engines write themselves (RFC 9110, section 7.6.1). */
export const CONNECTION_FIELDS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'content-length',
];

/** Whether the sender of this message is willing to keep the connection (RFC 9112, section 9.3). */
export function wantsPersistence(fields: Fields, minorVersion: MinorVersion): boolean {
  const options = listMembers(fields.get('connection'));
  if (options.includes('close')) return false;
  return minorVersion === 1 || options.includes('keep-alive');
}

/** A copy without the {@link CONNECTION_FIELDS}. */
export function withoutConnectionFields(fields: Fields): Fields {
  const copy = new Fields();
  for (const [name, value] of fields) {
    if (!CONNECTION_FIELDS.includes(name)) copy.appendParsed(name, value);
  }
  return copy;
}
