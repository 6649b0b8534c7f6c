/**
 * Sequence numbers of TCP: 32 bits that wrap (RFC 9293, section 3.4), held as signed integers.
 * Two of them can be compared as long as they are less than 2^31 apart, which windows see to (RFC 7323, section 2.3).
 */

/** Whether `a` comes before `b`. */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** Whether `a` comes after `b`. */
export function after(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

/** Whether `sequence` lies in the range from `start` up to but not including `end`. An empty range holds nothing. */
export function between(start: number, sequence: number, end: number): boolean {
  return (sequence - start) >>> 0 < (end - start) >>> 0;
}

/** How many numbers `to` is after `from`; negative when it is before. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}
