import { NetloomError } from './errors.ts';

/**
 * The limits of a part of the library: every table, queue, buffer and parser has one. Each part declares an
 * interface of numbers and a constant of defaults, and takes a partial of it in its options.
 */
export type Limits = { readonly [name: string]: number };

/** The defaults with what the caller gave in their place. Throws `LIMIT_INVALID` for an unknown name or a value that is not a number of 0 or more. */
export function withLimits<T extends { readonly [K in keyof T]: number }>(
  defaults: T,
  given: Partial<T> | undefined,
): T {
  if (given === undefined) return defaults;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new NetloomError('LIMIT_INVALID', `there is no limit '${name}'`, {
        remedy: `The limits here are ${Object.keys(defaults).join(', ')}.`,
      });
    }
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new NetloomError('LIMIT_INVALID', `the limit '${name}' must be a number of 0 or more`);
    }
  }
  return { ...defaults, ...given };
}
