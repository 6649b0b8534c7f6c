import { IpAddress, hostError } from '../core/index.ts';

/** RFC 6761, section 6.3: `localhost` and names under it are this machine, and are not asked for anywhere. */
const LOOPBACK: readonly IpAddress[] = [IpAddress.LOOPBACK6, IpAddress.LOOPBACK4];

/**
 * The addresses that need no resolver: an address written as text, and the names RFC 6761 decides. Undefined for every
 * other name. Throws `NAME_NOT_FOUND` for what is known to have none. Every Host's `resolve` begins with this.
 */
export function resolveSpecialName(
  name: string,
  family: 4 | 6 | undefined,
): readonly IpAddress[] | undefined {
  const addresses = specialAddresses(name);
  if (addresses === undefined || family === undefined) return addresses;
  const ofFamily = addresses.filter((address) => address.family === family);
  if (ofFamily.length > 0) return ofFamily;
  throw hostError('NAME_NOT_FOUND', `'${name}' has no IPv${family} address`);
}

function specialAddresses(name: string): readonly IpAddress[] | undefined {
  const literal = IpAddress.tryParse(name);
  if (literal !== undefined) return [literal];
  const lastLabel = /([^.]*)\.?$/.exec(name)![1]!.toLowerCase();
  if (lastLabel === 'localhost') return LOOPBACK;
  // RFC 6761, section 6.4: `invalid` is known not to exist; an empty name is none.
  if (lastLabel === 'invalid' || lastLabel === '') {
    throw hostError('NAME_NOT_FOUND', `the name '${name}' has no address`);
  }
  return undefined;
}
