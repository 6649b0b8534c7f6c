import { Cidr, IpAddress } from 'netloom/core';
import { usageError } from '../command.ts';

/** What a program may or may not reach: the addresses of a network, or those of a name and of the names below it. */
export type Rule = { readonly verdict: 'allow' | 'deny' } & (
  | { readonly network: Cidr; readonly name?: undefined }
  | { readonly name: string; readonly network?: undefined }
);

/** Letters, digits, hyphens and underscores, in at least one label that does not look like a number. */
const NAME =
  /^(?=.*[a-z_])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/** Reads the value of `--deny` or `--allow`. Throws `USAGE`. */
export function readRule(verdict: Rule['verdict'], text: string): Rule {
  const address = IpAddress.tryParse(text);
  if (address !== undefined) {
    return { verdict, network: new Cidr(address, address.family === 4 ? 32 : 128) };
  }
  if (text.includes('/')) {
    try {
      return { verdict, network: Cidr.parse(text) };
    } catch {
      throw notUnderstood(verdict, text);
    }
  }
  const name = text.toLowerCase().replace(/\.$/, '');
  if (!NAME.test(name)) throw notUnderstood(verdict, text);
  return { verdict, name };
}

function notUnderstood(verdict: string, text: string) {
  const forms = '192.0.2.0/24, 2001:db8::1 or example.org';
  return usageError(
    'run',
    `--${verdict} wants a network, an address or a name, as ${forms}, not '${text}'`,
  );
}
