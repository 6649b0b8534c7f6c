import type { LossRecovery } from './loss-recovery.ts';
import type { SentSegment } from './scoreboard.ts';
import { SendQueue } from './send-queue.ts';
import { after, before } from './sequence.ts';

/** The longest time between two probes of a closed window (RFC 9293, section 3.8.6.1 asks for back-off and names no limit). */
const MAX_PERSIST = 60_000;

/**
 * Sends one segment: `length` bytes of the queue from `offset` on (counted from SND.UNA), with FIN if asked. `resent` is the
 * record of the segment if it goes out again.
 */
export type SegmentSink = (
  sequence: number,
  offset: number,
  length: number,
  fin: boolean,
  push: boolean,
  resent: SentSegment | undefined,
) => void;

/**
 * The sending half of a connection: what was written, what the peer's window and congestion control let out, and in which pieces.
 */
export class Sender {
  readonly queue: SendQueue = new SendQueue();
  /** SND.UNA */
  unacknowledged: number;
  /** SND.NXT */
  next: number;
  /** SND.WND, scaled. */
  window = 0;
  /** The largest window the peer has ever offered. */
  maximumWindow = 0;
  /** SND.WL1 and SND.WL2: the segment the window was last taken from. */
  #windowSequence = 0;
  #windowAcknowledgment = 0;
  /** The user has ended: a FIN follows the last byte. */
  ended = false;
  /** Sequence number of our FIN; meaningful once {@link finSent}. */
  finSent = false;
  /** Small segments go out although others are outstanding (no Nagle). */
  noDelay = true;
  corked = false;
  /** The largest payload of one segment on the wire, with no options but timestamps. */
  segmentSize: number;
  /** What the link takes in one frame beside headers: more than {@link segmentSize} where it cuts. */
  frameRoom: number;
  /** Bytes of each segment's room that SACK blocks take at present. */
  reserved = 0;
  recovery!: LossRecovery;
  /** When the closed window is probed next; Infinity: it is not. */
  persistAt: number = Infinity;
  persistCount = 0;
  readonly #send: SegmentSink;

  constructor(initialSequence: number, segmentSize: number, send: SegmentSink) {
    this.unacknowledged = initialSequence;
    this.next = initialSequence;
    this.segmentSize = segmentSize;
    this.frameRoom = segmentSize;
    this.#send = send;
  }

  /** The largest payload of one segment now. */
  get payloadSize(): number {
    return this.segmentSize - this.reserved;
  }

  /** The largest payload handed to the link in one frame now: a multiple of {@link payloadSize}. */
  get #largestSend(): number {
    const size = this.payloadSize;
    return Math.max(
      size,
      this.frameRoom - this.reserved - ((this.frameRoom - this.reserved) % size),
    );
  }

  /** Bytes in the queue that have never been sent. */
  get unsent(): number {
    return this.queue.length - this.outstandingBytes;
  }

  /** Bytes of data sent and not acknowledged (a FIN does not count). */
  get outstandingBytes(): number {
    const finOutstanding = this.finSent && this.unacknowledged !== this.next;
    return ((this.next - this.unacknowledged) | 0) - (finOutstanding ? 1 : 0);
  }

  get hasOutstanding(): boolean {
    return this.next !== this.unacknowledged;
  }

  /** Our FIN was sent and acknowledged. */
  get finAcknowledged(): boolean {
    return this.finSent && this.unacknowledged === this.next;
  }

  /** Takes SEG.WND, scaled, if the segment is newer than the one it was last taken from (RFC 9293, section 3.10.7.4). */
  updateWindow(sequence: number, acknowledgment: number, window: number): void {
    if (
      after(sequence, this.#windowSequence) ||
      (sequence === this.#windowSequence && !before(acknowledgment, this.#windowAcknowledgment))
    ) {
      this.setWindow(sequence, acknowledgment, window);
    }
  }

  setWindow(sequence: number, acknowledgment: number, window: number): void {
    this.window = window;
    this.#windowSequence = sequence;
    this.#windowAcknowledgment = acknowledgment;
    if (window > this.maximumWindow) this.maximumWindow = window;
    if (window > 0) {
      this.persistAt = Infinity;
      this.persistCount = 0;
    }
  }

  /** SND.UNA moves up to `acknowledgment`; answers how many bytes of data that releases. */
  acknowledge(acknowledgment: number): number {
    let bytes = (acknowledgment - this.unacknowledged) | 0;
    this.unacknowledged = acknowledgment;
    if (bytes > this.queue.length) bytes = this.queue.length;
    this.queue.release(bytes);
    return bytes;
  }

  /** Sends what may be sent now. */
  output(now: number): void {
    const { recovery } = this;
    while (recovery.board.lostBytes > 0) {
      if (this.#resendFirstLost()) continue;
      recovery.windowFilled();
      return;
    }
    while (this.#sendNew()) {
      // Goes on until something stands in the way.
    }
    if (this.unsent > 0 && recovery.allowance < this.segmentSize) recovery.windowFilled();
    this.#watchClosedWindow(now);
  }

  /** Sends the last segment again, or a new one: the tail loss probe. Answers whether it was sent again. */
  probe(): boolean {
    const length = Math.min(this.unsent, this.payloadSize, this.#usableWindow());
    if (length > 0) {
      this.#sendSegment(length);
      return false;
    }
    const last = this.recovery.board.last();
    if (last === undefined) return false;
    if (((last.end - last.start) | 0) > this.payloadSize) {
      this.recovery.board.splitAt(last, (last.end - this.payloadSize) | 0);
    }
    this.#resend(this.recovery.board.last()!);
    return true;
  }

  /** Bytes the peer's window still has room for. */
  #usableWindow(): number {
    return (this.unacknowledged + this.window - this.next) | 0;
  }

  /** Sends the oldest lost segment again if congestion control lets it; false if it does not. */
  #resendFirstLost(): boolean {
    const { recovery } = this;
    const segment = recovery.board.firstLost()!;
    const allowance = recovery.allowance;
    // One segment may always go when nothing is in flight: the retransmission timer let it.
    if (allowance < this.payloadSize && recovery.inFlight > 0) return false;
    const size = this.payloadSize;
    const largest = Math.max(size, Math.min(this.#largestSend, allowance - (allowance % size)));
    if (((segment.end - segment.start) | 0) > largest) {
      recovery.board.splitAt(segment, (segment.start + largest) | 0);
    }
    this.#resend(segment);
    return true;
  }

  #resend(segment: SentSegment): void {
    const offset = (segment.start - this.unacknowledged) | 0;
    const length = (segment.end - segment.start) | 0;
    const fin = this.finSent && segment.end === this.next;
    this.#send(segment.start, offset, fin ? length - 1 : length, fin, true, segment);
  }

  /** Sends one new segment if there is one and nothing stands in its way. */
  #sendNew(): boolean {
    const unsent = this.unsent;
    const finPending = this.ended && !this.finSent;
    if (unsent === 0 && !finPending) return false;
    const { recovery } = this;
    const window = this.#usableWindow();
    const allowance = recovery.allowance;
    let length = Math.min(unsent, window, allowance, this.#largestSend);
    if (unsent > 0) {
      if (length <= 0) return false;
      if (length < unsent && length > this.payloadSize) length -= length % this.payloadSize;
      if (!this.#isWorthSending(length, unsent)) return false;
      this.#sendSegment(length);
      return true;
    }
    // A FIN alone needs no window to speak of; it is one sequence number (RFC 9293, section 3.8.6).
    this.#sendSegment(0);
    return false;
  }

  /** Silly-window avoidance and Nagle's algorithm (RFC 9293, sections 3.8.6.2.1 and 3.7.4). */
  #isWorthSending(length: number, unsent: number): boolean {
    if (length >= this.payloadSize) return true;
    if (length < unsent) return length * 2 >= this.maximumWindow;
    if (this.corked && !this.ended) return false;
    return this.noDelay || this.ended || !this.hasOutstanding;
  }

  #sendSegment(length: number): void {
    const offset = this.outstandingBytes;
    const last = length === this.queue.length - offset;
    const fin = last && this.ended && !this.finSent;
    const start = this.next;
    this.next = (this.next + length + (fin ? 1 : 0)) | 0;
    if (fin) this.finSent = true;
    this.#send(start, offset, length, fin, last, undefined);
  }

  /** Sees that a closed window is probed: nothing in flight would bring news of its opening (RFC 9293, section 3.8.6.1). */
  #watchClosedWindow(now: number): void {
    const stuck = (this.unsent > 0 || (this.ended && !this.finSent)) && !this.hasOutstanding;
    if (!stuck || this.corked) this.persistAt = Infinity;
    else if (this.persistAt === Infinity) this.schedulePersist(now);
  }

  /** Sends into a window that silly-window avoidance has held to be too small; false if it is closed. */
  useSmallWindow(): boolean {
    const length = Math.min(this.unsent, this.#usableWindow(), this.payloadSize);
    if (length <= 0) return false;
    this.#sendSegment(length);
    this.persistAt = Infinity;
    return true;
  }

  schedulePersist(now: number): void {
    this.persistAt = now + Math.min(this.recovery.rtt.timeout(this.persistCount), MAX_PERSIST);
  }
}
