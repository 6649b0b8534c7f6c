import { copyBytes } from '../../core/index.ts';
import { before } from './sequence.ts';

/** Data received beyond a gap: chunks without gap between them. */
interface Range {
  start: number;
  end: number;
  readonly chunks: Uint8Array[];
  /** When it last grew: the newest is reported first (RFC 2018, section 4). */
  order: number;
}

/**
 * Segments that have come out of order, as ranges sorted by sequence number. A range is at once what is delivered when the gap
 * before it closes and what is reported in a SACK block.
 */
export class Reassembly {
  readonly #ranges: Range[] = [];
  readonly #limit: number;
  #order = 0;
  /** Bytes held. */
  length = 0;

  /** `limit`: how many separate ranges are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** The sequence number of the first byte held; undefined if none is. */
  get start(): number | undefined {
    return this.#ranges[0]?.start;
  }

  /** Separate ranges held. */
  get size(): number {
    return this.#ranges.length;
  }

  /**
   * Takes the bytes of `data` (copied) that are not there yet, `data` beginning at sequence number `start`. What came first is kept.
   * False: nothing was taken, because all of it was there or the limit of ranges was reached; see {@link covers}.
   */
  insert(start: number, data: Uint8Array): boolean {
    const end = (start + data.length) | 0;
    const at = this.#firstEndingAtOrAfter(start);
    const range = this.#ranges[at];
    if (range === undefined || before(end, range.start))
      return this.#insertRange(at, start, end, data);
    const held = this.length;
    if (before(start, range.start)) this.#prepend(range, start, data);
    if (before(range.end, end)) this.#extend(at, start, end, data);
    // Even when all was there: the first block reported is the one that holds what just came (RFC 2018, section 4).
    range.order = ++this.#order;
    return this.length > held;
  }

  #insertRange(at: number, start: number, end: number, data: Uint8Array): boolean {
    if (this.#ranges.length >= this.#limit) return false;
    this.#ranges.splice(at, 0, { start, end, chunks: [copyBytes(data)], order: ++this.#order });
    this.length += data.length;
    return true;
  }

  #prepend(range: Range, start: number, data: Uint8Array): void {
    const count = (range.start - start) | 0;
    prependChunk(range.chunks, copyBytes(data, 0, count));
    range.start = start;
    this.length += count;
  }

  /** Appends what reaches past the range's end, swallowing the ranges it meets on the way. */
  #extend(at: number, start: number, end: number, data: Uint8Array): void {
    const range = this.#ranges[at]!;
    for (;;) {
      const next = this.#ranges[at + 1];
      const stop = next !== undefined && !before(end, next.start) ? next.start : end;
      const chunk = copyBytes(data, (range.end - start) | 0, (stop - start) | 0);
      if (chunk.length > 0) appendChunk(range.chunks, chunk);
      this.length += chunk.length;
      range.end = stop;
      if (next === undefined || before(end, next.start)) return;
      for (const held of next.chunks) appendChunk(range.chunks, held);
      range.end = next.end;
      this.#ranges.splice(at + 1, 1);
      if (!before(range.end, end)) return;
    }
  }

  /** The chunks that go on at `sequence`, without what lies before it; they are removed, and all before them. */
  take(sequence: number): readonly Uint8Array[] {
    for (;;) {
      const first = this.#ranges[0];
      if (first === undefined || before(sequence, first.start)) return NONE;
      this.#ranges.shift();
      this.length -= (first.end - first.start) | 0;
      // One large segment may have filled several gaps, and brought again what lay between them.
      if (before(sequence, first.end)) return chunksFrom(first, sequence);
    }
  }

  /** Writes up to `count` SACK blocks as pairs of edges, the most recent first; answers how many. */
  report(edges: Int32Array, at: number, count: number): number {
    let reported = 0;
    let newest = Infinity;
    while (reported < count) {
      let best: Range | undefined;
      for (const range of this.#ranges) {
        if (range.order < newest && (best === undefined || range.order > best.order)) best = range;
      }
      if (best === undefined) break;
      edges[at + 2 * reported] = best.start;
      edges[at + 2 * reported + 1] = best.end;
      newest = best.order;
      reported++;
    }
    return reported;
  }

  clear(): void {
    this.#ranges.length = 0;
    this.length = 0;
  }

  /** Whether all of the `length` bytes from `start` on are there. */
  covers(start: number, length: number): boolean {
    const range = this.#ranges[this.#firstEndingAtOrAfter(start)];
    if (range === undefined) return false;
    return !before(start, range.start) && !before(range.end, (start + length) | 0);
  }

  /** Index of the first range whose end is at or after `start`: the one that data from there touches or lies before. */
  #firstEndingAtOrAfter(start: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.#ranges[middle]!.end, start)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Neighbouring chunks that are no longer than this together are held as one: a peer that sends byte by byte is not to cost a hundred times what it sends. */
const SMALL_CHUNKS = 1024;

function appendChunk(chunks: Uint8Array[], chunk: Uint8Array): void {
  const last = chunks.at(-1);
  if (last === undefined || last.length + chunk.length > SMALL_CHUNKS) chunks.push(chunk);
  else chunks[chunks.length - 1] = joined(last, chunk);
}

function prependChunk(chunks: Uint8Array[], chunk: Uint8Array): void {
  const first = chunks[0];
  if (first === undefined || first.length + chunk.length > SMALL_CHUNKS) chunks.unshift(chunk);
  else chunks[0] = joined(chunk, first);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** The chunks of a range, less what lies before `sequence`. */
function chunksFrom({ start, chunks }: Range, sequence: number): readonly Uint8Array[] {
  let overlap = (sequence - start) | 0;
  let skipped = 0;
  while (overlap >= chunks[skipped]!.length) overlap -= chunks[skipped++]!.length;
  if (overlap > 0) chunks[skipped] = chunks[skipped]!.subarray(overlap);
  return skipped === 0 ? chunks : chunks.slice(skipped);
}

const NONE: readonly Uint8Array[] = [];
