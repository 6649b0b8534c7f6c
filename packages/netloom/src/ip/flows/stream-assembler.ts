import { Reassembly } from '../tcp/reassembly.ts';
import { after, before, distance } from '../tcp/sequence.ts';
import type { FlowTrackerLimits } from './limits.ts';

/** What a {@link StreamAssembler} calls. */
export interface StreamSink {
  /** The next bytes: borrowed. */
  data(bytes: Uint8Array): void;
  /** So many bytes are not there and will not come; what follows comes after them. */
  gap(length: number): void;
  /** A segment was dropped that is farther off than any window reaches. */
  stray(): void;
}

/** Bytes held beyond gaps by many assemblers. */
export interface HeldBytes {
  total: number;
}

/** No window is larger (RFC 7323, section 2.3): what is farther off belongs to something else. */
const LARGEST_WINDOW = 2 ** 30;

/**
 * One direction of a TCP connection as somebody sees it who only looks on: the stream in order and once, whatever was sent twice, cut
 * otherwise, or overtaken. Where two segments differ in the same bytes, those that came first count.
 *
 * An onlooker cannot ask for what it has missed. It takes a gap for one when the receiver has acknowledged what is in it, when more is
 * held beyond it than the limits allow, or at the end.
 */
export class StreamAssembler {
  readonly #sink: StreamSink;
  readonly #limits: FlowTrackerLimits;
  readonly #held: HeldBytes;
  readonly #beyond: Reassembly;
  /** The sequence number after the last byte handed on; undefined: nothing was seen yet. */
  #next: number | undefined;

  /** `held` is shared between the assemblers of a tracker. */
  constructor(sink: StreamSink, limits: FlowTrackerLimits, held: HeldBytes) {
    this.#sink = sink;
    this.#limits = limits;
    this.#held = held;
    this.#beyond = new Reassembly(limits.pieces);
  }

  /** The stream begins with this sequence number: that after the SYN. */
  begin(sequence: number): void {
    this.#next ??= sequence | 0;
  }

  /** A segment with these bytes (borrowed), the first of which has this sequence number. Of a stream that was not seen to begin the first is it. */
  segment(sequence: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.begin(sequence);
    const ahead = distance(this.#next!, sequence);
    if (ahead > LARGEST_WINDOW || ahead < -LARGEST_WINDOW) this.#sink.stray();
    else if (ahead <= 0) this.#take(bytes, -ahead);
    else this.#hold(sequence, bytes);
  }

  /** The receiver has all before this sequence number: what of it was not seen will hardly come. */
  acknowledged(sequence: number): void {
    while (this.#next !== undefined && after(sequence, this.#next)) {
      if (distance(this.#next, sequence) > LARGEST_WINDOW) return;
      const { start } = this.#beyond;
      // Nothing is known to be missing before bytes have come from beyond: an acknowledgment may count a FIN.
      if (start === undefined || before(sequence, start)) return;
      this.#skipTo(start);
    }
  }

  /** Hands on what is held, gaps and all. */
  flush(): void {
    for (let { start } = this.#beyond; start !== undefined; { start } = this.#beyond) {
      this.#skipTo(start);
    }
  }

  #take(bytes: Uint8Array, known: number): void {
    if (known >= bytes.length) return;
    this.#emit(known === 0 ? bytes : bytes.subarray(known));
    this.#deliver();
  }

  #hold(sequence: number, bytes: Uint8Array): void {
    const beyond = this.#beyond;
    const held = beyond.length;
    const isTaken = beyond.insert(sequence, bytes);
    this.#held.total += beyond.length - held;
    const isFull =
      beyond.length > this.#limits.heldPerDirection || this.#held.total > this.#limits.held;
    if (isFull || (!isTaken && !beyond.covers(sequence, bytes.length))) {
      this.flush();
      // Without a place among the pieces it was not taken; now it may be old, next, or the only one beyond a gap.
      if (!isTaken) this.segment(sequence, bytes);
    }
  }

  #skipTo(start: number): void {
    this.#sink.gap(distance(this.#next!, start));
    this.#next = start;
    this.#deliver();
  }

  /** Hands on what was held and is now next. */
  #deliver(): void {
    const held = this.#beyond.length;
    const chunks = this.#beyond.take(this.#next!);
    this.#held.total += this.#beyond.length - held;
    for (const chunk of chunks) this.#emit(chunk);
  }

  #emit(bytes: Uint8Array): void {
    this.#next = (this.#next! + bytes.length) | 0;
    this.#sink.data(bytes);
  }
}
