/** One round of a measurement: the figure, in the case's unit. */
export type Round = () => number | Promise<number>;

/** What is compared in one case: ours and peers, round by round. */
export interface Comparison {
  /** What is measured, as `1460 bytes`. */
  readonly case: string;
  /** What the figures are in, as `MB/s`. */
  readonly unit: string;
  readonly netloom: Round;
  /** The others, by name; null: not installed. One that throws is left out from then on. */
  readonly peers: Readonly<Record<string, Round | null>>;
  /** The ratio to reach against each peer that is judged. */
  readonly target?: Readonly<Record<string, number>>;
  /** The figures are a cost (time, memory), not a rate. Ratios are turned, so that more is better in them either way. */
  readonly lessIsBetter?: boolean;
}

/** The outcome of a case: one line of `--json`. Figures are medians. */
export interface Result {
  readonly bench: string;
  readonly case: string;
  readonly unit: string;
  readonly netloom: number;
  readonly peers: Readonly<Record<string, number | null>>;
  /** Ours to the peer's, so that more is better; null where the peer was not measured. */
  readonly ratio: Readonly<Record<string, number | null>>;
  readonly target: Readonly<Record<string, number>>;
  /** Every target whose peer is installed is reached. */
  readonly met: boolean;
}

/** What a bench tells of its outcome. */
export interface Report {
  /** Runs the rounds, ours and peers in turns, reports the medians, and answers them. */
  compare(comparison: Comparison): Promise<Result>;
  /** Reports figures that the bench has measured, or worked out of others, itself. */
  record(figures: Figures): Result;
  /** Says something beside the figures: why a peer is missing, say. It does not go to standard output under `--json`. */
  note(text: string): void;
}

/** A case whose figures are at hand. */
export interface Figures extends Omit<Comparison, 'netloom' | 'peers'> {
  readonly netloom: number;
  readonly peers: Readonly<Record<string, number | null>>;
}

/**
 * A bench: a file `bench/NAME.ts` that exports one as `bench`. Nothing else has to be told of it. Importing the file must start
 * nothing.
 */
export interface Bench {
  /** The file's name without `.ts`. */
  readonly name: string;
  /** One line. */
  readonly description: string;
  run(report: Report): void | Promise<void>;
}
