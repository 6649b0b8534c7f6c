/**
 * Says of a frame whether it passes: {@link YES}, {@link NO}, or {@link CUT_OFF} where that cannot be told, because the bytes that
 * decide it were not captured or were never there. A frame of which it cannot be told does not pass, whatever the filter says, `not`
 * included: so it is with the filters of the kernel, where a load beyond the end ends the program (bpf(4)).
 */
export type Test = (frame: Uint8Array, length: number) => number;

/** Works out a value from a frame: 0 to 2^32 - 1, or {@link CUT_OFF}. */
export type Reader = (frame: Uint8Array, length: number) => number;

/** It passes. */
export const YES = 1;
/** It does not pass. */
export const NO = 0;
/** It cannot be told. */
export const CUT_OFF = -1;

/** The byte at `at`. */
export function load8(frame: Uint8Array, at: number): number {
  return at < frame.length ? frame[at]! : CUT_OFF;
}

/** The two bytes from `at`. */
export function load16(frame: Uint8Array, at: number): number {
  return at + 2 <= frame.length ? (frame[at]! << 8) | frame[at + 1]! : CUT_OFF;
}

/** The four bytes from `at`. */
export function load32(frame: Uint8Array, at: number): number {
  if (at + 4 > frame.length) return CUT_OFF;
  const word = (frame[at]! << 24) | (frame[at + 1]! << 16) | (frame[at + 2]! << 8) | frame[at + 3]!;
  return word >>> 0;
}

/** Both pass. */
export function both(first: Test, second: Test): Test {
  return (frame, length) => {
    const answer = first(frame, length);
    return answer === YES ? second(frame, length) : answer;
  };
}

/** One passes; the second is asked only where the first says no. */
export function either(first: Test, second: Test): Test {
  return (frame, length) => {
    const answer = first(frame, length);
    return answer === NO ? second(frame, length) : answer;
  };
}

/** It does not pass. */
export function inverse(test: Test): Test {
  return (frame, length) => {
    const answer = test(frame, length);
    return answer === CUT_OFF ? CUT_OFF : YES - answer;
  };
}
