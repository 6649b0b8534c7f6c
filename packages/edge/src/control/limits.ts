/** The limits of a node's control API. */
export interface ControlLimits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  /** Captures that are watched at once. */
  readonly captures: number;
  /** Bytes of a capture that wait for who watches; frames that come when they are there are dropped. */
  readonly captureBytes: number;
}

/** The defaults. */
export const CONTROL_LIMITS: ControlLimits = {
  bodyBytes: 1024 * 1024,
  captures: 16,
  captureBytes: 4 * 1024 * 1024,
};
