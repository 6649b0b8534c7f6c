import { copyBytes } from '../../core/index.ts';
import { Reassembly } from './reassembly.ts';
import { after, before } from './sequence.ts';

/** The largest window that the header's 16 bits and a scale of 14 can say (RFC 7323, section 2.3). */
const MAX_WINDOW_SCALE = 14;

/** The window scale that lets `buffer` bytes be advertised. */
export function windowScaleFor(buffer: number): number {
  let scale = 0;
  while (scale < MAX_WINDOW_SCALE && 65_535 * 2 ** scale < buffer) scale++;
  return scale;
}

/**
 * The receiving half of a connection: what is expected next, what is held, what window is offered.
 *
 * Bytes in order reach the user without a copy: {@link direct} is a view of the frame they came in. Only what the user does
 * not take at once, and what comes out of order, is copied.
 */
export class Receiver {
  /** RCV.NXT: the sequence number expected next. */
  next: number;
  /** In-order bytes, from the segment now at hand, that the user can be given; borrowed from the frame. */
  direct: Uint8Array | undefined;
  /** The user takes bytes: a handler is there and not paused. */
  flowing = false;
  /** What comes is acknowledged and thrown away: the connection is being closed. */
  discarding = false;
  /** The peer's FIN has come, and everything before it. */
  finished = false;
  readonly reassembly: Reassembly;
  /** Segments beyond a gap that were dropped because there are too many gaps. */
  refusals = 0;
  /** In-order bytes the user has not taken. */
  #queue: Uint8Array[] = [];
  #queued = 0;
  /** How much may be held: grows by {@link #tune}. */
  #capacity: number;
  readonly #maximumCapacity: number;
  /** The right edge of the window as the peer knows it; it never moves left (RFC 9293, section 3.8.6.2.2). */
  #edge: number;
  /** The shift of windows we advertise. */
  scale = 0;
  /** {@link next} as the handshake left it. */
  #first: number;
  /** Sequence number of the peer's FIN, once it has been seen. */
  #finAt: number | undefined;
  /** The duplicate just received, to be reported (RFC 2883). */
  #duplicateStart = 0;
  #duplicateEnd = 0;
  #tunedAt = 0;
  #takenSinceTuned = 0;
  /** What was taken in the round trip before. */
  #takenBefore = Infinity;

  constructor(initialSequence: number, capacity: number, maximumCapacity: number, ranges: number) {
    this.next = initialSequence;
    this.#first = initialSequence;
    this.#edge = initialSequence;
    this.#capacity = capacity;
    this.#maximumCapacity = maximumCapacity;
    this.reassembly = new Reassembly(ranges);
  }

  /** The window our SYN offers, which is never scaled (RFC 7323, section 2.2). */
  get initialWindow(): number {
    return Math.min(0xffff, this.#capacity);
  }

  /** The peer's SYN has told where its numbers begin; our SYN has offered the initial window, or is about to. */
  synchronize(next: number): void {
    this.next = next;
    this.#first = next;
    this.#edge = (next + this.initialWindow) | 0;
  }

  /** In-order bytes waiting for the user. */
  get queued(): number {
    return this.#queued;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** RCV.WND: how far beyond {@link next} the peer may send. */
  get window(): number {
    return (this.#edge - this.next) | 0;
  }

  /** Whether a segment of `length` sequence numbers from `sequence` is in the window (RFC 9293, section 3.4, table 6). */
  isAcceptable(sequence: number, length: number): boolean {
    const offset = (sequence - this.next) | 0;
    const window = this.window;
    if (length === 0) return window === 0 ? offset === 0 : offset >= 0 && offset < window;
    if (window === 0) return false;
    const last = offset + length - 1;
    return (offset >= 0 && offset < window) || (last >= 0 && last < window);
  }

  /**
   * Takes the text of an acceptable segment: the bytes from `from` to `to`, the first of which has the number `sequence`. Answers
   * whether it was the text expected next (and nothing waits behind a gap); otherwise it is to be acknowledged at once.
   */
  take(sequence: number, bytes: Uint8Array, from: number, to: number, fin: boolean): boolean {
    if (fin) this.#finAt ??= (sequence + (to - from)) | 0;
    const overlap = (this.next - sequence) | 0;
    let start = from;
    let number = sequence;
    if (overlap > 0) {
      this.#noteDuplicate(sequence, Math.min(overlap, to - from));
      start += overlap;
      number = this.next;
    }
    const stop = Math.min(to, start + ((this.#edge - number) | 0));
    const hadGap = !this.reassembly.isEmpty;
    if (number !== this.next) {
      if (stop > start) this.#takeBeyondGap(number, bytes.subarray(start, stop));
      return false;
    }
    if (stop > start) this.#takeInOrder(bytes.subarray(start, stop));
    if (hadGap) for (const chunk of this.reassembly.take(this.next)) this.#enqueueOwned(chunk);
    if (this.#finAt === this.next && !this.finished) {
      this.finished = true;
      this.next = (this.next + 1) | 0;
      if (after(this.next, this.#edge)) this.#edge = this.next;
    }
    return !hadGap && overlap <= 0;
  }

  /** The next chunk the user has waited for, owned; undefined when there is none. */
  shift(): Uint8Array | undefined {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) this.#queued -= chunk.length;
    return chunk;
  }

  /**
   * The user has taken bytes: tunes the buffer to twice what is taken in a round trip (dynamic right-sizing, Fisk and Feng 2001), and to four
   * times while that doubles. For a sender in slow start has doubled once more by the time the window that is told here is used; a window
   * of less would hold it back for a round trip, and then let go in a burst what it has held.
   */
  taken(count: number, roundTrip: number, now: number): void {
    this.#takenSinceTuned += count;
    if (now - this.#tunedAt < roundTrip) return;
    const growth = Math.min(2, Math.max(1, this.#takenSinceTuned / this.#takenBefore));
    const wanted = Math.min(this.#maximumCapacity, Math.ceil(2 * growth * this.#takenSinceTuned));
    if (wanted > this.#capacity) this.#capacity = wanted;
    this.#takenBefore = this.#takenSinceTuned;
    this.#takenSinceTuned = 0;
    this.#tunedAt = now;
  }

  /** Copies what is in {@link direct} to the queue: the user did not take it. */
  keepDirect(): void {
    const { direct } = this;
    this.direct = undefined;
    if (direct === undefined) return;
    const kept = copyBytes(direct);
    this.#queue.unshift(kept);
    this.#queued += kept.length;
  }

  /** Whether the window could be opened by enough to be worth telling the peer (RFC 9293, section 3.8.6.2.2). */
  wantsWindowUpdate(segmentSize: number): boolean {
    // Where little has come yet, a request say, the window that the SYN offered will do; the first acknowledgment tells the whole, and rides on the answer
    // most often. One who sends whole segments is told at once: it is in slow start.
    const taken = (this.next - this.#first) | 0;
    const isInitial = this.#edge === ((this.#first + this.initialWindow) | 0);
    const little = Math.min(segmentSize, this.initialWindow >> 1);
    if (taken === 0 || (isInitial && taken > 0 && taken < little)) return false;
    const gain = (this.#wantedEdge() - this.#edge) | 0;
    return gain >= Math.min(this.#capacity >> 1, 2 * segmentSize) && gain > 0;
  }

  /** The window field for a segment to be sent now; moves the right edge. */
  advertise(segmentSize: number): number {
    const wanted = this.#wantedEdge();
    // Small openings are kept back, so that the peer does not send small segments into them.
    if (((wanted - this.#edge) | 0) >= Math.min(this.#capacity >> 1, segmentSize))
      this.#edge = wanted;
    const field = Math.min(0xffff, ((this.#edge - this.next) | 0) >>> this.scale);
    const told = (this.next + field * 2 ** this.scale) | 0;
    // What rounding takes away must not count as offered, unless it had been offered before.
    if (before(this.#edge, told)) this.#edge = told;
    return field;
  }

  /** Writes the SACK blocks to be sent: a duplicate first (RFC 2883), then ranges, newest first. Answers how many. */
  report(edges: Int32Array, limit: number): number {
    let count = 0;
    if (this.#duplicateStart !== this.#duplicateEnd) {
      edges[0] = this.#duplicateStart;
      edges[1] = this.#duplicateEnd;
      this.#duplicateStart = this.#duplicateEnd;
      count = 1;
    }
    return count + this.reassembly.report(edges, 2 * count, limit - count);
  }

  /** A segment came that lies before the window: if it had text, that is a duplicate to report. */
  noteUnacceptable(sequence: number, length: number): void {
    if (length > 0 && before(sequence, this.next)) this.#noteDuplicate(sequence, length);
  }

  /** How many blocks {@link report} has. */
  get reportSize(): number {
    return this.reassembly.size + (this.#duplicateStart === this.#duplicateEnd ? 0 : 1);
  }

  /** Whether there is something for {@link report}. */
  get hasReport(): boolean {
    return !this.reassembly.isEmpty || this.#duplicateStart !== this.#duplicateEnd;
  }

  clear(): void {
    this.direct = undefined;
    this.#queue = [];
    this.#queued = 0;
    this.reassembly.clear();
  }

  #wantedEdge(): number {
    const free = Math.max(0, this.#capacity - this.#queued);
    // Within what the window field can say.
    const edge = (this.next + Math.min(free, 0xffff * 2 ** this.scale)) | 0;
    return before(edge, this.#edge) ? this.#edge : edge;
  }

  #takeInOrder(view: Uint8Array): void {
    this.next = (this.next + view.length) | 0;
    if (this.discarding) return;
    if (this.flowing && this.#queue.length === 0) this.direct = view;
    else this.#enqueueOwned(copyBytes(view), false);
  }

  #enqueueOwned(chunk: Uint8Array, advance = true): void {
    if (advance) this.next = (this.next + chunk.length) | 0;
    if (this.discarding || chunk.length === 0) return;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
  }

  #takeBeyondGap(sequence: number, data: Uint8Array): void {
    if (this.reassembly.insert(sequence, data)) return;
    // What was refused for want of room must not be reported: the peer would think that it is here.
    if (this.reassembly.covers(sequence, data.length)) this.#noteDuplicate(sequence, data.length);
    else this.refusals++;
  }

  #noteDuplicate(start: number, length: number): void {
    this.#duplicateStart = start;
    this.#duplicateEnd = (start + length) | 0;
  }
}
