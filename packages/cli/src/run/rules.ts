import type { Rule } from '@netloom/edge/policy';
import { parseRuleSubject } from '@netloom/edge/text';
import { usageError } from '../command.ts';

/** Reads the value of `--deny` or `--allow`. Throws `USAGE`. */
export function readRule(verdict: Rule['verdict'], text: string): Rule {
  const subject = parseRuleSubject(text);
  if (subject !== undefined) return { verdict, ...subject };
  const forms = '192.0.2.0/24, 2001:db8::1 or example.org';
  throw usageError(
    'run',
    `--${verdict} wants a network, an address or a name, as ${forms}, not '${text}'`,
  );
}
