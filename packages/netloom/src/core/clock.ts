/**
 * A timer of a {@link Clock}: made once, set and cleared as often as wanted, without allocating.
 * Setting a set timer moves it.
 */
export interface Timer {
  /** Calls back at `deadline` (in the clock's milliseconds) or as soon after as possible. */
  set(deadline: number): void;
  clear(): void;
  /** When it will call back; Infinity when it is not set. */
  readonly deadline: number;
}

/**
 * Where time comes from: the platform's, or a simulation's.
 *
 * Time is a number: milliseconds with fraction, monotonic, from an origin of the clock's own.
 */
export interface Clock {
  now(): number;
  /** Milliseconds since 1970, for what must be compared with the outside: certificates, time to live on disk. */
  wallTime(): number;
  /** A timer that is not set yet. */
  timer(callback: () => void): Timer;
  /** Calls back after the code that runs now and what the platform already has at hand, at the same instant in a simulation. */
  defer(callback: () => void): void;
}
