import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

/** Where the parsed bytes begin in their surroundings: the same in all, so that indexes in the answers are, too. */
const LEAD = 24;

/** A parser of this library: total, and reading nothing outside `start` and `end`. */
export type Parse<T> = (bytes: Uint8Array, start: number, end: number) => T;

/**
 * Parses `body` in three surroundings: among zeros, among ones, and at the very end of a buffer. The answers must be the same,
 * or the parser has read what it was not given. Answers the first.
 */
export function parseGuarded<T>(body: Uint8Array, parse: Parse<T>): T {
  const end = LEAD + body.length;
  const answers = [surround(body, 0x00, 32), surround(body, 0xff, 32), surround(body, 0xff, 0)].map(
    (bytes) => parse(bytes, LEAD, end),
  );
  const [first, ...others] = answers as [T, ...T[]];
  for (const other of others) {
    // Comparing by assert at once would make a message for each equal pair as well.
    if (!isDeepStrictEqual(other, first)) {
      assert.deepEqual(other, first, 'the answer depends on bytes outside the packet');
    }
  }
  return first;
}

function surround(body: Uint8Array, fill: number, trail: number): Uint8Array {
  const bytes = new Uint8Array(LEAD + body.length + trail).fill(fill);
  bytes.set(body, LEAD);
  return bytes;
}

/** Parses `body`, which must be good: a fault fails the test. */
export function parseGood<T>(body: Uint8Array, parse: Parse<T>): Exclude<T, string> {
  const answer = parseGuarded(body, parse);
  assert.notEqual(typeof answer, 'string', `fault: ${String(answer)}`);
  return answer as Exclude<T, string>;
}

/** What `emit` writes into a buffer that held other things before, from index 3 on to where it says that it ended. */
export function emitted(
  length: number,
  emit: (bytes: Uint8Array, at: number) => number,
): Uint8Array {
  const bytes = new Uint8Array(3 + length + 3).fill(0xa5);
  assert.equal(emit(bytes, 3), 3 + length, 'it ends where the length says');
  assert.deepEqual(
    [...bytes.subarray(0, 3), ...bytes.subarray(3 + length)],
    Array.from({ length: 6 }, () => 0xa5),
    'nothing outside is written',
  );
  return bytes.slice(3, 3 + length);
}
