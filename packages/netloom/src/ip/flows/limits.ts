/** The limits of a {@link FlowTracker}. */
export interface FlowTrackerLimits {
  /** Flows known at once, those that have ended included. */
  readonly flows: number;
  /** Pieces beyond a gap that are held for one direction of a flow. */
  readonly pieces: number;
  /** Bytes beyond a gap that are held for one direction of a flow. */
  readonly heldPerDirection: number;
  /** Bytes beyond gaps that are held in all. */
  readonly held: number;
}

/** The defaults. */
export const FLOW_TRACKER_LIMITS: FlowTrackerLimits = {
  flows: 10_000,
  pieces: 1024,
  heldPerDirection: 4 * 1024 * 1024,
  held: 64 * 1024 * 1024,
};
