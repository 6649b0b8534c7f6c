/**
 * What is wrong with a line between a station and the switch, in both directions alike. Probabilities are for each frame, 0 to 1; what is
 * not said is not wrong.
 */
export interface LinkModel {
  /** Milliseconds each way. */
  readonly delay?: number;
  /** Milliseconds that the delay varies by, either way. */
  readonly jitter?: number;
  /** Bits per second each way. */
  readonly rate?: number;
  /** Bytes that may wait for a line of that rate. */
  readonly queueBytes?: number;
  readonly loss?: number;
  readonly reorder?: number;
  readonly duplicate?: number;
  readonly corrupt?: number;
  /** Nothing passes. */
  readonly partition?: boolean;
  /** Decides each frame's fate, the same at every start. */
  readonly seed?: number;
}

/** A change of a line: null takes back what was wrong. */
export type LinkChange = { readonly [Name in keyof LinkModel]?: LinkModel[Name] | null };
