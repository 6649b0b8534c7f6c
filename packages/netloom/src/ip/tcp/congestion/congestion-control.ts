/**
 * How much a sender may have in the network at once. Bytes and milliseconds throughout.
 *
 * Reading list: RFC 5681 (the frame: slow start, congestion avoidance, what to do at a loss), RFC 3465 (counting
 * bytes, not acknowledgments), RFC 6928 (initial window), RFC 7661 (when the application is the limit).
 */

/** What an acknowledgment tells congestion control. One mutable instance is used again and again: do not keep it. */
export interface AcknowledgedBytes {
  /** Bytes newly known to have arrived. */
  bytes: number;
  now: number;
  /** The round-trip time this acknowledgment measured, if it measured one. */
  rtt: number | undefined;
  smoothedRtt: number;
  minRtt: number;
  /** Bytes in the network before this acknowledgment. */
  inFlight: number;
  /**
   * The window was not what held the sender back: the application, or the peer's window, was. Judge by the
   * most that was in flight in the last round trip, not by this instant: acknowledgments come in batches.
   */
  applicationLimited: boolean;
  /** Everything that was in flight when the previous round started has been acknowledged: a round trip has passed. */
  roundStarted: boolean;
}

/**
 * A congestion control algorithm. It is told what happened and answers {@link window}.
 *
 * During a recovery ({@link onCongestion} to {@link onRecoveryEnd}) acknowledgments need not be reported: what may be sent
 * then is proportional rate reduction's to say (RFC 6937), with {@link slowStartThreshold} as its goal.
 */
export interface CongestionControl {
  /** What it is called in logs, as `cubic`. */
  readonly name: string;
  /**
   * The congestion window: so many bytes may be in the network. Two segments or more, and one between a timeout and
   * the next acknowledgment.
   */
  readonly window: number;
  /** Below this window it grows by slow start; Infinity until the first congestion. */
  readonly slowStartThreshold: number;
  /** Bytes were sent; `inFlight` counts them in. */
  onSent?(bytes: number, inFlight: number, now: number): void;
  onAcknowledged(ack: AcknowledgedBytes): void;
  /** Congestion: a loss, or a mark (ECN). Called once for each recovery; `inFlight` as it was before the loss was known. */
  onCongestion(now: number, inFlight: number): void;
  /** All that was outstanding when the recovery began has been acknowledged. */
  onRecoveryEnd(now: number): void;
  /** The retransmission timer fired; again, without an acknowledgment in between, when it fires again. */
  onTimeout(now: number, inFlight: number): void;
  /** The last reduction was a mistake: nothing had been lost (RFC 3522, RFC 5682, RFC 2883). */
  undo(): void;
  /** The sender goes on after `idleFor` milliseconds without sending; `timeout` is the retransmission timeout. */
  onIdle(now: number, idleFor: number, timeout: number): void;
  /** The path or the peer takes segments of another size now. */
  setMaximumSegmentSize(bytes: number): void;
}

/** What a {@link CongestionControl} is made with. */
export interface CongestionOptions {
  /** Bytes of payload in a full segment (SMSS). */
  readonly maximumSegmentSize: number;
  /** Default: {@link initialWindow}. One segment when the handshake had to be repeated (RFC 6928, section 2). */
  readonly initialWindow?: number;
  /**
   * Segments an acknowledgment counts for in slow start, at most: L of RFC 3465. Infinity where the sender paces, or
   * where offload in the receiver makes acknowledgments rare.
   */
  readonly acknowledgmentLimit?: number;
}

/** The largest window TCP can use: what the greatest window scale can express (RFC 7323, section 2.3). */
export const MAXIMUM_WINDOW: number = 2 ** 30;

/** The window a connection starts with (RFC 6928, section 2). */
export function initialWindow(maximumSegmentSize: number): number {
  return Math.min(10 * maximumSegmentSize, Math.max(2 * maximumSegmentSize, 14_600));
}

/**
 * The window after a time without sending: halved for each timeout that went by, down to the initial window.
 *
 * RFC 5681, section 4.1 would have the initial window at once, RFC 7661 the whole window for five minutes. Halving is the middle,
 * proposed by RFC 2861 and common since. The slow start threshold keeps the memory (RFC 7661, section 4.4.3).
 */
export function windowAfterIdle(
  window: number,
  idleFor: number,
  timeout: number,
  restartWindow: number,
): number {
  if (!(idleFor >= timeout) || timeout <= 0) return window;
  return Math.max(window / 2 ** Math.floor(idleFor / timeout), Math.min(restartWindow, window));
}
