/** Byte ranges (RFC 9110, section 14). Positions are of bytes, from 0; `end` is one past the last. */

/** Part of a representation. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a `Content-Range` says (RFC 9110, section 14.4). */
export interface ContentRange {
  /** Undefined in a 416, where it is `*`. */
  readonly range: ByteRange | undefined;
  /** Bytes of the whole; undefined when the sender does not know. */
  readonly total: number | undefined;
}

/** Reads a `Content-Range`; undefined if it is not one in bytes, or contradicts itself. */
export function parseContentRange(value: string): ContentRange | undefined {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/i.exec(value);
  if (match === null) return undefined;
  const total = match[3] === '*' ? undefined : Number(match[3]);
  if (match[1] === undefined) return total === undefined ? undefined : { range: undefined, total };
  const range = { start: Number(match[1]), end: Number(match[2]) + 1 };
  if (range.end <= range.start || (total !== undefined && range.end > total)) return undefined;
  return { range, total };
}

/** The `Content-Range` of a 206, or of a 416 when `range` is undefined. */
export function formatContentRange(range: ByteRange | undefined, total: number): string {
  return `bytes ${range === undefined ? '*' : `${range.start}-${range.end - 1}`}/${total}`;
}

/**
 * What a `Range` asks of a representation of `size` bytes: a range, `unsatisfiable` (answer 416), or undefined (ignore it:
 * it is in another unit or malformed, RFC 9110, section 14.2). Several ranges are ignored too, which a server may.
 */
export function parseRange(value: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=[\t ]*(\d{0,15})-(\d{0,15})[\t ]*$/i.exec(value);
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const suffix = Math.min(Number(match[2]), size);
    return suffix === 0 ? 'unsatisfiable' : { start: size - suffix, end: size };
  }
  const start = Number(match[1]);
  const last = match[2] === '' ? Infinity : Number(match[2]);
  if (last < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(last + 1, size) };
}
