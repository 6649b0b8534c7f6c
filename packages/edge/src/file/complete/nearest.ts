import { suggest } from 'netloom/core';

/** More names than these are not listed. */
const MOST_NAMES = 8;

/** What to write instead of a name that there is not: the nearest, or those there are. */
export function nearest(name: string, names: readonly string[], what: string): string {
  const near = suggest(name, names);
  if (near !== undefined) return `Did you mean '${near}'?`;
  if (names.length === 0) return 'There is none at all yet.';
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return `${what}: ${shown}${names.length > MOST_NAMES ? ' and others' : ''}.`;
}
