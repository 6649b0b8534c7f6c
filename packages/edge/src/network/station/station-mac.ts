import { createHash } from 'node:crypto';
import { MacAddress } from 'netloom/core';
import type { NetworkModel } from '../../model/index.ts';
import type { NetworkEnvironment } from '../environment.ts';

/**
 * The address of a station that follows from names, so that it is the same at every start: a unicast one, locally administered (IEEE 802, clause 8.4). On a network
 * that others are on, it is another at each place: stations of theirs may have the same names.
 */
export function stationMac(
  { name, kind }: Pick<NetworkModel, 'name' | 'kind'>,
  { place = '' }: Pick<NetworkEnvironment, 'place'>,
  ...names: readonly string[]
): MacAddress {
  const where = kind.kind === 'isolated' ? [] : [place];
  const text = JSON.stringify([name, ...names, ...where]);
  const digest = createHash('sha256').update(text).digest();
  digest[0] = (digest[0]! & 0xfc) | 0x02;
  return MacAddress.read(digest, 0);
}
