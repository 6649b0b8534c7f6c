import { parseDate } from './date.ts';

/** What tells one version of a representation from another (RFC 9110, section 8.8). */
export interface Validators {
  /** The `ETag` as it was sent, quotes and all. */
  readonly etag?: string;
  /** The `Last-Modified` as it was sent. */
  readonly lastModified?: string;
}

/** The part of web `Headers` used here. */
interface HeaderSource {
  get(name: string): string | null;
}

/** The validators of a response that can be relied on for ranges; empty if there is none. */
export function strongValidators(headers: HeaderSource): Validators {
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  return {
    ...(etag !== null && isStrongEntityTag(etag) ? { etag } : {}),
    ...(lastModified !== null && isStrongDate(lastModified, headers.get('date'))
      ? { lastModified }
      : {}),
  };
}

/** Whether the text is an entity tag, and not a weak one: a weak one promises no equal bytes (RFC 9110, section 8.8.1). */
export function isStrongEntityTag(text: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}

/** A date is strong if the answer was made at least a second after it, so that no later change carries it too (RFC 9110, section 8.8.2.2). */
function isStrongDate(lastModified: string, date: string | null): boolean {
  const modified = parseDate(lastModified);
  const made = date === null ? undefined : parseDate(date);
  return modified !== undefined && made !== undefined && made - modified >= 1000;
}

/** The value of `If-Range` that asks for the rest of what these name (RFC 9110, section 13.1.5); undefined if none is good for that. */
export function ifRange(validators: Validators): string | undefined {
  return validators.etag ?? validators.lastModified;
}

/** Whether both may name the same version. Only what both have is compared; false means that they certainly differ. */
export function mayBeSame(a: Validators, b: Validators): boolean {
  if (a.etag !== undefined && b.etag !== undefined) return a.etag === b.etag;
  if (a.lastModified === undefined || b.lastModified === undefined) return true;
  return a.lastModified === b.lastModified;
}
