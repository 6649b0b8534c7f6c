import { after, before } from './sequence.ts';

/** A segment that has been sent and not cumulatively acknowledged. */
export interface SentSegment {
  start: number;
  /** One past its last sequence number (a FIN counts as one). */
  end: number;
  /** When it was last sent. */
  sentAt: number;
  /** It has been sent more than once. */
  retransmitted: boolean;
  /** The peer has it (a SACK block covers it). */
  sacked: boolean;
  /** It is taken to be lost and has not been sent again since. */
  lost: boolean;
}

/**
 * What is outstanding: sent and not cumulatively acknowledged, in order of sequence number, with what SACK has told of each
 * segment (RFC 6675, section 3). Keeps the number of bytes in flight ("pipe") as it goes.
 */
export class Scoreboard {
  #segments: SentSegment[] = [];
  #head = 0;
  /** Bytes believed to be in the network: sent, neither acknowledged nor SACKed nor lost. */
  inFlight = 0;
  /** Bytes the peer holds beyond a gap, and how many segments they came in. */
  sackedBytes = 0;
  sackedSegments = 0;
  /** Bytes that wait to be sent again. */
  lostBytes = 0;

  get isEmpty(): boolean {
    return this.#head === this.#segments.length;
  }

  get size(): number {
    return this.#segments.length - this.#head;
  }

  /** The oldest outstanding segment. */
  first(): SentSegment | undefined {
    return this.#segments[this.#head];
  }

  /** The newest outstanding segment. */
  last(): SentSegment | undefined {
    return this.isEmpty ? undefined : this.#segments[this.#segments.length - 1];
  }

  /** The `index`th outstanding segment, counted from the oldest. */
  at(index: number): SentSegment | undefined {
    return this.#segments[this.#head + index];
  }

  /** Records a segment sent for the first time; it follows the newest. */
  sent(start: number, end: number, now: number): void {
    this.#segments.push({
      start,
      end,
      sentAt: now,
      retransmitted: false,
      sacked: false,
      lost: false,
    });
    this.inFlight += (end - start) | 0;
  }

  /** Records that a segment has been sent again. */
  resent(segment: SentSegment, now: number): void {
    this.setLost(segment, false);
    segment.sentAt = now;
    segment.retransmitted = true;
  }

  /**
   * Removes what lies before `acknowledgment`, calling `each` with every segment that was not known to have arrived. A segment
   * acknowledged in part (the link has cut it, and its pieces are acknowledged one by one) keeps the rest; of that one `each`
   * sees the part.
   */
  acknowledge(acknowledgment: number, each: (segment: SentSegment) => void): void {
    let head = this.#head;
    for (; head < this.#segments.length; head++) {
      const segment = this.#segments[head]!;
      if (after(segment.end, acknowledgment)) {
        if (before(segment.start, acknowledgment)) this.#trim(segment, acknowledgment, each);
        break;
      }
      if (segment.sacked) this.sackedSegments--;
      this.#discount(segment);
      if (!segment.sacked) each(segment);
    }
    this.#head = head;
    this.#compact();
  }

  /** Marks what the block from `start` to `end` covers as arrived, calling `each` with every segment newly so. */
  sack(start: number, end: number, each: (segment: SentSegment) => void): void {
    for (let i = this.#indexOf(start); i < this.#segments.length; i++) {
      let segment = this.#segments[i]!;
      if (!before(segment.start, end)) return;
      if (segment.sacked) continue;
      // A block that covers a part of a (large) segment splits it.
      if (before(segment.start, start)) {
        this.#split(i, start);
        continue;
      }
      if (after(segment.end, end)) segment = this.#split(i, end);
      this.#discount(segment);
      segment.lost = false;
      segment.sacked = true;
      this.sackedBytes += (segment.end - segment.start) | 0;
      this.sackedSegments++;
      each(segment);
    }
  }

  /** Changes whether a segment waits to be sent again. */
  setLost(segment: SentSegment, lost: boolean): void {
    if (segment.lost === lost || segment.sacked) return;
    const length = (segment.end - segment.start) | 0;
    segment.lost = lost;
    this.lostBytes += lost ? length : -length;
    this.inFlight += lost ? -length : length;
  }

  /** The oldest segment that waits to be sent again. */
  firstLost(): SentSegment | undefined {
    if (this.lostBytes === 0) return undefined;
    for (let i = this.#head; i < this.#segments.length; i++) {
      if (this.#segments[i]!.lost) return this.#segments[i];
    }
    return undefined;
  }

  /** Keeps the first part of a segment, up to `sequence`, and puts the rest behind it: before resending a large segment in smaller ones. */
  splitAt(segment: SentSegment, sequence: number): void {
    this.#split(this.#segments.indexOf(segment, this.#head), sequence);
  }

  /** Everything not SACKed waits to be sent again (after a retransmission timeout), and SACK information may be renounced: see {@link forgetSacks}. */
  markAllLost(): void {
    for (let i = this.#head; i < this.#segments.length; i++) this.setLost(this.#segments[i]!, true);
  }

  /** Forgets what was SACKed: the peer may renege (RFC 2018, section 8). */
  forgetSacks(): void {
    for (let i = this.#head; i < this.#segments.length; i++) {
      const segment = this.#segments[i]!;
      if (!segment.sacked) continue;
      segment.sacked = false;
      const length = (segment.end - segment.start) | 0;
      this.sackedBytes -= length;
      this.inFlight += length;
    }
    this.sackedSegments = 0;
  }

  clear(): void {
    this.#segments = [];
    this.#head = 0;
    this.inFlight = 0;
    this.sackedBytes = 0;
    this.sackedSegments = 0;
    this.lostBytes = 0;
  }

  /** Takes what has been acknowledged off the front of a segment. */
  #trim(segment: SentSegment, start: number, each: (segment: SentSegment) => void): void {
    const { end } = segment;
    segment.end = start;
    this.#discount(segment);
    if (!segment.sacked) each(segment);
    segment.start = start;
    segment.end = end;
  }

  /** Takes a segment's bytes out of the sum they are counted in. */
  #discount({ start, end, sacked, lost }: SentSegment): void {
    const length = (end - start) | 0;
    if (sacked) this.sackedBytes -= length;
    else if (lost) this.lostBytes -= length;
    else this.inFlight -= length;
  }

  /** Cuts the segment at `index` in two at `sequence`; answers the first part, which stays in its place. */
  #split(index: number, sequence: number): SentSegment {
    const segment = this.#segments[index]!;
    this.#segments.splice(index + 1, 0, { ...segment, start: sequence });
    if (segment.sacked) this.sackedSegments++;
    segment.end = sequence;
    return segment;
  }

  /** Index of the first segment that ends after `sequence`. */
  #indexOf(sequence: number): number {
    let low = this.#head;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (after(this.#segments[middle]!.end, sequence)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #compact(): void {
    if (this.#head === this.#segments.length) {
      this.#segments.length = 0;
      this.#head = 0;
    } else if (this.#head >= 256 && this.#head * 2 >= this.#segments.length) {
      this.#segments = this.#segments.slice(this.#head);
      this.#head = 0;
    }
  }
}
