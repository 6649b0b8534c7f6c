/** The limits of a simulated world. */
export interface SimLimits {
  readonly machines: number;
  readonly networks: number;
  /** The last frames a world remembers, for its `trace`. */
  readonly traceFrames: number;
  /** Virtual milliseconds past which a run is given up with `SIM_OVERDUE`: where something repeats for ever, nothing else would end it. */
  readonly virtualTime: number;
  /** Callbacks at one instant past which a run is given up with `SIM_STUCK`. */
  readonly callbacksPerInstant: number;
}

/** The defaults. The time is a day. */
export const SIM_LIMITS: SimLimits = {
  machines: 65_536,
  networks: 250,
  traceFrames: 256,
  virtualTime: 86_400_000,
  callbacksPerInstant: 1_000_000,
};
