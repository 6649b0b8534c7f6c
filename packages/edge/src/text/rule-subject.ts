import { IpAddress, type Cidr } from 'netloom/core';
import { hostNetwork, parseCidr } from './addresses.ts';

/** What a rule of a network's policy speaks of: the addresses of a network, or those of a name and of the names below it. */
export type RuleSubject =
  | { readonly network: Cidr; readonly name?: undefined }
  | { readonly name: string; readonly network?: undefined };

/** Letters, digits, hyphens and underscores, in at least one label that does not look like a number. */
const NAME =
  /^(?=.*[a-z_])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
/** Letters of a name without the final dot (RFC 1035, section 2.3.4). */
const LONGEST_NAME = 253;

/** From text as `10.0.0.0/8`, `192.0.2.1` or `example.org`; undefined for what is none of these. A name becomes lower case. */
export function parseRuleSubject(text: string): RuleSubject | undefined {
  const address = IpAddress.tryParse(text);
  if (address !== undefined) return { network: hostNetwork(address) };
  if (text.includes('/')) {
    const network = parseCidr(text);
    return network && { network };
  }
  const name = text.toLowerCase().replace(/\.$/, '');
  return NAME.test(name) && name.length <= LONGEST_NAME ? { name } : undefined;
}
