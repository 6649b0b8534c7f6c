import { isHost, type Fields } from '../../semantics/index.ts';
import type { Http1Fault } from './fault.ts';
import type { MinorVersion } from './message.ts';

/** What is wrong with a request's Host (RFC 9112, section 3.2). */
export function hostFault(fields: Fields, minorVersion: MinorVersion): Http1Fault | undefined {
  const count = fields.count('host');
  if (count === 0) return minorVersion === 1 ? 'host-missing' : undefined;
  if (count > 1) return 'host-duplicated';
  return isHost(fields.get('host')!) ? undefined : 'host-invalid';
}
