import type { CongestionControl } from './congestion/index.ts';
import { Rack } from './rack.ts';
import { RateReduction } from './rate-reduction.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { lowestBlock } from './sack-blocks.ts';
import { Scoreboard, type SentSegment } from './scoreboard.ts';
import { after, before } from './sequence.ts';

/** What an acknowledgment tells the sender. One mutable instance per connection. */
export interface Acknowledgment {
  /** SEG.ACK. */
  number: number;
  /** Pairs of edges of the SACK blocks, and how many pairs count. */
  sackEdges: Int32Array;
  sackCount: number;
  /** Same number as before, no data, same window, while data is outstanding (RFC 5681, section 2). */
  duplicate: boolean;
  /** The round-trip time by the timestamp echoed, in milliseconds; undefined without timestamps. */
  timestampRtt: number | undefined;
  /** The timestamp echoed; meaningful when {@link timestampRtt} is defined. */
  timestampEcho: number;
}

/** The longest an acknowledgment is held back by a peer we assume (RFC 8985, section 7.2). */
const MAX_PEER_ACK_DELAY = 200;

/**
 * The least time to a tail loss probe. On a path of next to no delay an answer takes as long as the peer's turn of work, and whoever asks
 * sooner repeats what has long arrived. (Dukkipati et al., draft-dukkipati-tcpm-tcp-loss-probe-01, section 2.1, has it; RFC 8985 leaves it open.)
 */
const LEAST_PROBE_WAIT = 10;

/**
 * What a sender knows of the network: what is in flight, what is lost, how much more may be sent, and when to stop waiting.
 *
 * Reading list: RFC 6298 (retransmission timer), RFC 8985 (RACK and tail loss probe), RFC 6675 (SACK recovery), RFC 6937 (rate reduction),
 * RFC 6582 (recovery without SACK), RFC 3522 (Eifel detection).
 */
export class LossRecovery {
  readonly board: Scoreboard = new Scoreboard();
  readonly rtt: RttEstimator = new RttEstimator();
  readonly congestion: CongestionControl;
  readonly #rack: Rack;
  readonly #sack: boolean;
  segmentSize: number;
  /** Open: all is well. Recovery: repairing a loss found by acknowledgments. Loss: repairing after a timeout. */
  #phase: 'open' | 'recovery' | 'loss' = 'open';
  /** The phase ends when this is acknowledged. */
  #recoveryPoint: number;
  /** When the window was last reduced for this recovery. */
  #recoveryStart = 0;
  /** Without SACK, each duplicate acknowledgment stands for one segment that has arrived. */
  #duplicates = 0;
  /** When the retransmission timer goes off. */
  #timeoutAt = Infinity;
  /** When the tail loss probe is due, where it is before {@link #timeoutAt}. */
  #probeAt = Infinity;
  /** Since the round trip was last measured: until then the timeout stays as it was backed off (RFC 6298, section 5). */
  #timeoutsInARow = 0;
  /** What may go out in a recovery. */
  readonly #reduction = new RateReduction();
  /** Tail loss probe (RFC 8985, section 7): what is to be acknowledged for the episode to end. */
  #probeEnd: number | undefined;
  #probeResent = false;
  /** Timestamp of the first retransmission of this phase, for the Eifel detection. */
  #firstResentTimestamp: number | undefined;
  /** Nothing has been acknowledged since this phase began: the next acknowledgment tells whether it was needless. */
  #isUntested = false;
  #roundEnd: number;
  /** The window held the sender back, in this round trip and in the one before. */
  #filledThisRound = false;
  #filledLastRound = false;
  /** Retransmitted segments and timeouts, for statistics. */
  retransmissions = 0;
  timeouts = 0;
  readonly #ackForCongestion = {
    bytes: 0,
    now: 0,
    rtt: undefined as number | undefined,
    smoothedRtt: 0,
    minRtt: 0,
    inFlight: 0,
    applicationLimited: false,
    roundStarted: false,
  };
  #delivered = 0;
  #sampleSentAt = -1;
  /** When the segment was sent whose timestamp the acknowledgment at hand echoes; Infinity without timestamps. */
  #echoedAt = Infinity;

  constructor(options: {
    initialSequence: number;
    sack: boolean;
    segmentSize: number;
    congestion: CongestionControl;
  }) {
    this.congestion = options.congestion;
    this.segmentSize = options.segmentSize;
    this.#sack = options.sack;
    this.#rack = new Rack(options.initialSequence);
    this.#recoveryPoint = options.initialSequence;
    this.#roundEnd = options.initialSequence;
  }

  get phase(): 'open' | 'recovery' | 'loss' {
    return this.#phase;
  }

  /** Bytes in the network as far as is known (RFC 6675: pipe). */
  get inFlight(): number {
    return Math.max(0, this.board.inFlight - this.#duplicates * this.segmentSize);
  }

  /** Bytes that congestion control lets out now. */
  get allowance(): number {
    if (this.#phase === 'recovery') return this.#reduction.budget;
    return this.congestion.window - this.inFlight;
  }

  /** When {@link advance} is wanted. */
  get deadline(): number {
    return Math.min(this.#timeoutAt, this.#probeAt, this.#rack.deadline);
  }

  /** There is more to send than the congestion window lets out. */
  windowFilled(): void {
    this.#filledThisRound = true;
  }

  /** New data was sent. */
  sent(start: number, end: number, now: number): void {
    this.board.sent(start, end, now);
    this.congestion.onSent?.((end - start) | 0, this.inFlight, now);
    this.#reduction.sent((end - start) | 0);
    if (this.#timeoutAt === Infinity) this.#armTimeout(now);
    this.#armProbe(now);
  }

  /** A segment was sent again; `timestamp` is the value its timestamp option carried. */
  resent(segment: SentSegment, timestamp: number, now: number): void {
    this.board.resent(segment, now);
    this.#reduction.sent((segment.end - segment.start) | 0);
    this.#firstResentTimestamp ??= timestamp;
    this.retransmissions += Math.ceil(((segment.end - segment.start) | 0) / this.segmentSize);
    if (this.#timeoutAt === Infinity) this.#armTimeout(now);
  }

  /**
   * Takes an acknowledgment. `sendNext` is SND.NXT, `previous` SND.UNA before it. Answers whether anything is known to
   * have arrived by it.
   */
  acknowledge(ack: Acknowledgment, previous: number, sendNext: number, now: number): boolean {
    const { board } = this;
    const inFlightBefore = this.inFlight;
    this.#delivered = 0;
    this.#sampleSentAt = -1;
    this.#echoedAt = ack.timestampRtt === undefined ? Infinity : Math.floor(now) - ack.timestampRtt;
    const advanced = after(ack.number, previous);
    const reported = this.#duplicates;
    if (advanced) {
      board.acknowledge(ack.number, (segment) => this.#arrived(segment, now));
      this.#duplicates = 0;
    }
    const sawDuplicateSack = this.#takeSackBlocks(ack, now);
    this.#sampleRtt(ack, sawDuplicateSack, now);
    const spurious = this.#detectSpurious(ack, advanced);
    this.#endPhase(ack.number, now);
    const lost = this.#detectLoss(ack, advanced, sendNext, now);
    if (lost) this.#lossFound(inFlightBefore, sendNext, now);
    this.#endProbe(ack, sawDuplicateSack, now);
    if (this.#delivered > 0 && !spurious) {
      this.#tellCongestion(ack, inFlightBefore, sendNext, now);
    }
    if (this.#phase === 'recovery') {
      this.#reduction.acknowledged(
        this.#deliveredNow(ack, advanced, reported),
        this.inFlight,
        this.congestion.slowStartThreshold,
        this.segmentSize,
        // Without SACK each partial acknowledgment brings a retransmission (RFC 6582, section 3.2, step 3).
        !this.#sack && advanced,
      );
    }
    if (advanced || this.#delivered > 0) {
      this.#armTimeout(now);
      this.#armProbe(now);
    }
    return advanced || this.#delivered > 0;
  }

  /**
   * Does what is due. Answers what the sender must do: 'probe': send one segment, new or the last one again; 'lost':
   * something waits to be sent again; undefined: nothing.
   */
  advance(sendNext: number, now: number): 'probe' | 'lost' | undefined {
    if (this.#rack.deadline <= now) {
      const inFlight = this.inFlight;
      const lost = this.#rack.detectLoss(
        this.board,
        this.rtt,
        this.#phase !== 'open',
        this.segmentSize,
        now,
      );
      if (lost) {
        this.#lossFound(inFlight, sendNext, now);
        return 'lost';
      }
    }
    if (this.#timeoutAt <= now) {
      this.#timeout(sendNext, now);
      return 'lost';
    }
    if (this.#probeAt > now) return undefined;
    this.#probeAt = Infinity;
    this.#probeEnd = sendNext;
    this.#probeResent = false;
    // After the probe the timeout is waited for anew (RFC 8985, section 7.3).
    this.#armTimeout(now);
    return 'probe';
  }

  /** The probe asked for by {@link advance} was the last segment sent again; or it was new data that ends at `end`. */
  probed(resent: boolean, end: number): void {
    this.#probeResent = resent;
    this.#probeEnd = end;
  }

  /** Nothing is outstanding any more, or the peer's window is closed: the timers rest. */
  stop(): void {
    this.#timeoutAt = Infinity;
    this.#probeAt = Infinity;
    this.#rack.deadline = Infinity;
  }

  /** The network takes segments of another size now: what is outstanding in larger ones is sent again (RFC 1191, section 6.5). */
  segmentSizeChanged(segmentSize: number): void {
    this.segmentSize = segmentSize;
    this.congestion.setMaximumSegmentSize(segmentSize);
    for (let i = 0; ; i++) {
      const segment = this.board.at(i);
      if (segment === undefined) break;
      if (((segment.end - segment.start) | 0) > segmentSize) this.board.setLost(segment, true);
    }
  }

  #arrived(segment: SentSegment, now: number): void {
    this.#delivered += (segment.end - segment.start) | 0;
    // An echo from before the retransmission answers the original, of whose sending nothing is known any more (RFC 8985, section 6.2, step 2).
    const isOriginal = segment.retransmitted && this.#echoedAt < Math.floor(segment.sentAt);
    if (!isOriginal) this.#rack.arrived(segment, now, this.rtt.minimum);
    // Karn's algorithm (RFC 6298, section 3): no sample from a segment sent twice.
    if (!segment.retransmitted) this.#sampleSentAt = Math.max(this.#sampleSentAt, segment.sentAt);
  }

  /** Answers whether the first block reports a duplicate (RFC 2883, section 4). */
  #takeSackBlocks(ack: Acknowledgment, now: number): boolean {
    if (!this.#sack || ack.sackCount === 0) return false;
    const { sackEdges: edges } = ack;
    const newest = this.board.last()?.end ?? ack.number;
    let first = 0;
    const duplicate =
      !after(edges[1]!, ack.number) ||
      (ack.sackCount > 1 && !before(edges[0]!, edges[2]!) && !after(edges[1]!, edges[3]!));
    if (duplicate) {
      this.#rack.duplicateReported(newest, ack.number);
      first = 1;
    }
    // By sequence number, not by age: taken otherwise, what one acknowledgment reports would look like segments out of order.
    let from = ack.number;
    for (let taken = first; taken < ack.sackCount; taken++) {
      const i = lowestBlock(edges, first, ack.sackCount, from);
      if (i < 0) break;
      const start = edges[2 * i]!;
      const end = edges[2 * i + 1]!;
      from = end;
      // Blocks that cannot be are passed over: empty, already acknowledged, or of what was never sent.
      if (!before(start, end) || after(end, newest)) continue;
      this.board.sack(start, end, (segment) => this.#arrived(segment, now));
    }
    return duplicate;
  }

  /**
   * By the sending time of what was sent once (RFC 6298, section 3); of what was sent twice, by the timestamp echoed. Where a duplicate is reported the
   * acknowledgment of the first transmission was lost, and the echo is as old as that: the time measured would be our own timeout.
   */
  #sampleRtt(ack: Acknowledgment, sawDuplicateSack: boolean, now: number): void {
    if (this.#sampleSentAt >= 0) this.rtt.sample(now - this.#sampleSentAt, now);
    else if (this.#delivered > 0 && ack.timestampRtt !== undefined && !sawDuplicateSack) {
      this.rtt.sample(ack.timestampRtt, now);
    } else return;
    this.#timeoutsInARow = 0;
  }

  /** Eifel (RFC 3522): the first acknowledgment after a retransmission echoes an older timestamp, so the original had arrived. */
  #detectSpurious(ack: Acknowledgment, advanced: boolean): boolean {
    if (!advanced || !this.#isUntested) return false;
    this.#isUntested = false;
    const resentAt = this.#firstResentTimestamp;
    if (resentAt === undefined || ack.timestampRtt === undefined) return false;
    if (!before(ack.timestampEcho, resentAt)) return false;
    if (this.#phase === 'recovery') this.#rack.reorderingShown();
    this.congestion.undo();
    this.#phase = 'open';
    for (let i = 0; ; i++) {
      const segment = this.board.at(i);
      if (segment === undefined) break;
      this.board.setLost(segment, false);
    }
    return true;
  }

  #endPhase(acknowledgment: number, now: number): void {
    if (this.#phase === 'open' || before(acknowledgment, this.#recoveryPoint)) return;
    if (this.#phase === 'recovery') {
      this.congestion.onRecoveryEnd(now);
      this.#rack.recovered();
    }
    this.#phase = 'open';
    this.#isUntested = false;
  }

  #detectLoss(ack: Acknowledgment, advanced: boolean, sendNext: number, now: number): boolean {
    if (this.board.isEmpty) {
      this.#rack.deadline = Infinity;
      return false;
    }
    if (this.#sack) {
      return this.#rack.detectLoss(
        this.board,
        this.rtt,
        this.#phase !== 'open',
        this.segmentSize,
        now,
      );
    }
    // Without SACK: three duplicates (RFC 5681, section 3.2), and in recovery each partial acknowledgment (RFC 6582, section 3.2, step 3).
    if (ack.duplicate) this.#duplicates++;
    const first = this.board.first()!;
    const lost =
      this.#phase === 'recovery'
        ? advanced && before(ack.number, sendNext)
        : this.#duplicates === 3;
    if (lost) this.board.setLost(first, true);
    return lost;
  }

  /**
   * Starts a recovery; also within one, when what is lost was sent after its beginning, be it a retransmission: a second loss that the first
   * reduction has not prevented asks for a second (RFC 5681, section 4.3).
   */
  #lossFound(inFlight: number, sendNext: number, now: number): void {
    const isFirst = this.#phase === 'open';
    const isSecond = this.#phase === 'recovery' && this.#rack.lostSentAt >= this.#recoveryStart;
    if (!isFirst && !isSecond) return;
    this.#enterRecovery(inFlight, sendNext, now);
    // What is acknowledged next answers retransmissions of before: it says nothing of a second reduction.
    this.#isUntested = isFirst;
  }

  #enterRecovery(inFlight: number, sendNext: number, now: number): void {
    this.#phase = 'recovery';
    this.#recoveryStart = now;
    this.#recoveryPoint = sendNext;
    this.#firstResentTimestamp = undefined;
    this.congestion.onCongestion(now, inFlight);
    this.#reduction.begin(inFlight, this.segmentSize);
  }

  /** Without SACK a duplicate acknowledgment stands for a segment delivered; what `reported` of them have told is not counted again (RFC 6937, section 2). */
  #deliveredNow(ack: Acknowledgment, advanced: boolean, reported: number): number {
    if (this.#sack) return this.#delivered;
    if (advanced) return Math.max(0, this.#delivered - reported * this.segmentSize);
    return ack.duplicate ? this.segmentSize : 0;
  }

  /** RFC 8985, section 7.4.2. Until it is known whether a probe that repeated a segment was needless, the episode goes on. */
  #endProbe(ack: Acknowledgment, sawDuplicateSack: boolean, now: number): void {
    if (this.#probeEnd === undefined || before(ack.number, this.#probeEnd)) return;
    const needless = !this.#probeResent || sawDuplicateSack;
    const repaired = !needless && after(ack.number, this.#probeEnd);
    if (!needless && !repaired) return;
    this.#probeEnd = undefined;
    // The probe repaired a loss that nothing else showed: congestion control must hear of it.
    if (repaired) this.congestion.onCongestion(now, this.inFlight);
  }

  #tellCongestion(ack: Acknowledgment, inFlight: number, sendNext: number, now: number): void {
    const told = this.#ackForCongestion;
    told.bytes = this.#delivered;
    told.now = now;
    told.rtt = this.#sampleSentAt >= 0 ? now - this.#sampleSentAt : undefined;
    told.smoothedRtt = this.rtt.smoothed;
    told.minRtt = this.rtt.minimum;
    told.inFlight = inFlight;
    told.roundStarted = !before(ack.number, this.#roundEnd);
    if (told.roundStarted) {
      this.#roundEnd = sendNext;
      this.#filledLastRound = this.#filledThisRound;
      this.#filledThisRound = false;
    }
    told.applicationLimited = !this.#filledThisRound && !this.#filledLastRound;
    // In recovery the window is what PRR makes of it.
    if (this.#phase !== 'recovery') this.congestion.onAcknowledged(told);
  }

  #timeout(sendNext: number, now: number): void {
    this.timeouts++;
    const inFlight = this.inFlight;
    if (this.#phase !== 'loss') {
      this.#firstResentTimestamp = undefined;
      this.#isUntested = true;
    }
    this.#duplicates = 0;
    // A segment at the front that was SACKed and then not acknowledged: the peer has reneged (RFC 2018, section 8).
    if (this.board.first()!.sacked) this.board.forgetSacks();
    this.board.markAllLost();
    this.congestion.onTimeout(now, inFlight);
    this.#phase = 'loss';
    this.#recoveryPoint = sendNext;
    this.#probeEnd = undefined;
    this.#timeoutsInARow++;
    this.#armTimeout(now);
    this.#probeAt = Infinity;
  }

  /** Starts the retransmission timer anew (RFC 6298, section 5). */
  #armTimeout(now: number): void {
    if (this.board.isEmpty) this.stop();
    else this.#timeoutAt = now + this.rtt.timeout(this.#timeoutsInARow);
  }

  /** Sets the time for the tail loss probe, if one is allowed and would come before the timeout (RFC 8985, section 7.2). */
  #armProbe(now: number): void {
    this.#probeAt = Infinity;
    const mayProbe =
      this.#sack &&
      this.#phase === 'open' &&
      this.#probeEnd === undefined &&
      this.board.sackedBytes === 0 &&
      !this.board.isEmpty;
    if (!mayProbe) return;
    let wait = this.rtt.hasSample ? Math.max(LEAST_PROBE_WAIT, 2 * this.rtt.smoothed) : 1000;
    if (this.board.size === 1) wait += MAX_PEER_ACK_DELAY;
    if (now + wait < this.#timeoutAt) this.#probeAt = now + wait;
  }
}
