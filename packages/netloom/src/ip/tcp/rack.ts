import type { RttEstimator } from './rtt-estimator.ts';
import type { Scoreboard, SentSegment } from './scoreboard.ts';
import { after, before } from './sequence.ts';

/** So many SACKed segments say that one before them is lost, where segments keep their order (RFC 5681, section 3.2). */
const DUPLICATE_THRESHOLD = 3;

/**
 * What is sent again is given this many milliseconds at least: on a path without delay every report of its loss would else have it sent once
 * more at the same instant.
 */
const LEAST_WAIT = 1;

function leastWait({ retransmitted }: SentSegment): number {
  return retransmitted ? LEAST_WAIT : 0;
}

/**
 * Loss detection by time, RACK (RFC 8985): a segment is lost when one sent after it has arrived and a reordering window has passed.
 *
 * Reading list: RFC 8985, sections 6.2 (the steps, numbered here) and 7 (the tail loss probe, in `loss-recovery.ts`).
 */
export class Rack {
  /** When the most recently sent segment that has arrived was sent. */
  #sentAt = -Infinity;
  #end = 0;
  /** Its round-trip time. */
  #rtt = 0;
  /** The highest sequence number known to have arrived. */
  #forwardAcknowledgment: number;
  #reorderingSeen = false;
  /** Multiplier of the reordering window, raised when a DSACK shows it too small (step 4). */
  #windowMultiplier = 1;
  #windowPersist = 16;
  /** Until this sequence number is acknowledged, further DSACKs do not raise the window again. */
  #dsackRound: number | undefined;
  /** When an outstanding segment will count as lost; Infinity: none is about to. */
  deadline: number = Infinity;
  /** When the latest sent of what {@link detectLoss} has just marked was sent. */
  lostSentAt: number = -Infinity;

  constructor(initialSequence: number) {
    this.#forwardAcknowledgment = initialSequence;
  }

  /** Steps 1 to 3, for each segment newly known to have arrived. */
  arrived(segment: SentSegment, now: number, minRtt: number): void {
    if (after(segment.end, this.#forwardAcknowledgment)) this.#forwardAcknowledgment = segment.end;
    else if (!segment.retransmitted) this.#reorderingSeen = true;
    const rtt = now - segment.sentAt;
    // An answer quicker than the path allows is to the earlier transmission (step 2).
    if (segment.retransmitted && rtt < minRtt) return;
    if (this.#isLater(segment.sentAt, segment.end)) {
      this.#sentAt = segment.sentAt;
      this.#end = segment.end;
      this.#rtt = rtt;
    }
  }

  /** Step 4: a DSACK says that a retransmission was needless; the window grows, for 16 recoveries. */
  duplicateReported(sendNext: number, acknowledgment: number): void {
    if (this.#dsackRound !== undefined && before(acknowledgment, this.#dsackRound)) return;
    this.#dsackRound = sendNext;
    this.#windowMultiplier++;
    this.#windowPersist = 16;
  }

  /** What was taken for lost has come late: a needless recovery shows reordering as well as a late arrival does (step 3). */
  reorderingShown(): void {
    this.#reorderingSeen = true;
  }

  /** A recovery has ended. */
  recovered(): void {
    if (--this.#windowPersist <= 0) this.#windowMultiplier = 1;
  }

  /** Step 5: marks what is lost, sets {@link deadline} for what may be next, and answers whether anything was marked. */
  detectLoss(
    board: Scoreboard,
    rtt: RttEstimator,
    inRecovery: boolean,
    segmentSize: number,
    now: number,
  ): boolean {
    this.deadline = Infinity;
    this.lostSentAt = -Infinity;
    this.#endDsackRound(board);
    if (this.#sentAt === -Infinity) return false;
    const window = this.#reorderingWindow(board, rtt, inRecovery, segmentSize);
    let marked = false;
    for (let i = 0; ; i++) {
      const segment = board.at(i);
      if (segment === undefined) break;
      if (!this.#isLater(segment.sentAt, segment.end, true)) {
        // Segments never sent again stand in the order of their sending: the rest is later still.
        if (segment.retransmitted) continue;
        break;
      }
      if (segment.sacked || segment.lost) continue;
      const dueAt = segment.sentAt + Math.max(this.#rtt + window, leastWait(segment));
      if (dueAt <= now) {
        board.setLost(segment, true);
        this.lostSentAt = Math.max(this.lostSentAt, segment.sentAt);
        marked = true;
      } else {
        this.deadline = Math.min(this.deadline, dueAt);
      }
    }
    return marked;
  }

  /** The round is over before its number could come around again (step 4). */
  #endDsackRound(board: Scoreboard): void {
    const first = board.first();
    if (this.#dsackRound === undefined || first === undefined) return;
    if (!before(first.start, this.#dsackRound)) this.#dsackRound = undefined;
  }

  /** How much later than expected a segment may come (step 4). */
  #reorderingWindow(
    board: Scoreboard,
    rtt: RttEstimator,
    inRecovery: boolean,
    segmentSize: number,
  ): number {
    // A segment that the link has cut counts for as many as it was cut into.
    const isLossClear =
      board.sackedSegments >= DUPLICATE_THRESHOLD ||
      board.sackedBytes >= DUPLICATE_THRESHOLD * segmentSize;
    if (!this.#reorderingSeen && (inRecovery || isLossClear)) return 0;
    return Math.min((this.#windowMultiplier * rtt.minimum) / 4, rtt.smoothed);
  }

  /** Whether (sentAt, end) was sent after the newest arrival; `inverse` asks whether it was sent before it. */
  #isLater(sentAt: number, end: number, inverse = false): boolean {
    if (inverse) return sentAt < this.#sentAt || (sentAt === this.#sentAt && after(this.#end, end));
    return sentAt > this.#sentAt || (sentAt === this.#sentAt && after(end, this.#end));
  }
}
