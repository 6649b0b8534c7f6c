import type { Http2Stream } from './stream.ts';
import { URGENCIES, type Http2Priority } from './wire/index.ts';

/**
 * What a stream has of which nobody has said anything: the urgency of RFC 9218, but taking turns, so that a large response does not
 * keep all others of a client waiting that knows no priorities.
 */
export const UNSIGNALLED_PRIORITY: Http2Priority = { urgency: 3, incremental: true };

/** The streams of one urgency. */
class Level {
  /** Those that are of use in parts, the one whose turn it is first. */
  readonly turns: Http2Stream[] = [];
  /** Those that are of use when whole: one after the other, in the order they were asked for. */
  readonly inOrder: Http2Stream[] = [];
  /** Whose turn it is when there are both. */
  #ordered = false;

  get isEmpty(): boolean {
    return this.turns.length === 0 && this.inOrder.length === 0;
  }

  next(): Http2Stream {
    this.#ordered = !this.#ordered;
    const takesFirst = this.turns.length === 0 || (this.#ordered && this.inOrder.length > 0);
    if (takesFirst) return this.inOrder[0]!;
    const stream = this.turns.shift()!;
    this.turns.push(stream);
    return stream;
  }

  insert(stream: Http2Stream): void {
    if (stream.priority.incremental) {
      this.turns.push(stream);
      return;
    }
    const at = this.inOrder.findIndex(({ id }) => id > stream.id);
    this.inOrder.splice(at < 0 ? this.inOrder.length : at, 0, stream);
  }
}

/** Says which of the streams that have something to send is next (RFC 9218, section 10). */
export class SendScheduler {
  readonly #levels = Array.from({ length: URGENCIES }, () => new Level());
  #size = 0;

  /** How many streams there are. */
  get size(): number {
    return this.#size;
  }

  /** The stream that may send one frame now. */
  next(): Http2Stream | undefined {
    if (this.#size === 0) return undefined;
    return this.#levels.find((level) => !level.isEmpty)?.next();
  }

  /** Puts a stream in, unless it is there. */
  add(stream: Http2Stream): void {
    if (stream.isScheduled) return;
    stream.isScheduled = true;
    this.#size++;
    this.#levels[stream.priority.urgency]!.insert(stream);
  }

  /** Takes a stream out, if it is there. */
  remove(stream: Http2Stream): void {
    if (!stream.isScheduled) return;
    stream.isScheduled = false;
    this.#size--;
    const { turns, inOrder } = this.#levels[stream.priority.urgency]!;
    const list = turns.includes(stream) ? turns : inOrder;
    list.splice(list.indexOf(stream), 1);
  }

  /** Gives a stream another priority. */
  reprioritise(stream: Http2Stream, priority: Http2Priority): void {
    const wasScheduled = stream.isScheduled;
    this.remove(stream);
    stream.priority = priority;
    if (wasScheduled) this.add(stream);
  }
}
