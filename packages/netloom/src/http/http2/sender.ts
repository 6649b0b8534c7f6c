import { EMPTY, type NetloomError } from '../../core/index.ts';
import type { FieldPairs, HeaderCompression } from './compression.ts';
import type { FloodGuard } from './flood-guard.ts';
import { SendWindow } from './flow-control.ts';
import type { Http2Limits } from './limits.ts';
import { SendScheduler } from './scheduler.ts';
import type { Http2Stream } from './stream.ts';
import { FrameWriter, INITIAL_SETTINGS, type Http2Settings } from './wire/index.ts';

/** What an HTTP/2 engine does to its connection; a `Connection` of a Host has all of it. */
export interface Http2Sink {
  /** Sends bytes, given away. False: wait for the engine's `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Sends what was written, then is gone, discarding what still comes. */
  close(): void;
  /** Gone now. */
  abort(error: NetloomError): void;
}

/** A payload of one turn: what others wait for at most, also where the peer would take larger frames. */
const LARGEST_TURN = 16_384;

/** What the sender tells the connection. */
export interface SenderOwner {
  /** All of our side of the stream was sent. */
  sentEnd(stream: Http2Stream, now: number): void;
}

/** The sending side of a connection: what goes out, in which order, and how much of it may. */
export class Sender {
  readonly writer: FrameWriter;
  readonly window: SendWindow = new SendWindow(INITIAL_SETTINGS.initialWindowSize);
  /** What the peer has told of itself. */
  readonly peer: Http2Settings = { ...INITIAL_SETTINGS };
  readonly #sink: Http2Sink;
  readonly #limits: Http2Limits;
  readonly #guard: FloodGuard;
  readonly #compression: HeaderCompression;
  readonly #owner: SenderOwner;
  readonly #scheduler = new SendScheduler();
  #hasRoom = true;
  /** Bytes of answers to what the peer sends, written since the sink has asked to wait. */
  #backlog = 0;
  /** Those that were asked to wait. */
  readonly #waiting = new Set<Http2Stream>();
  #pumping = false;
  #closed = false;
  /** When the sink must have taken something. */
  writeDeadline: number = Infinity;
  /** When a stream that waits for the peer's windows is to be looked at; it may be too early. */
  stallDeadline: number = Infinity;
  #now = 0;

  constructor(
    sink: Http2Sink,
    limits: Http2Limits,
    guard: FloodGuard,
    compression: HeaderCompression,
    owner: SenderOwner,
  ) {
    this.#sink = sink;
    this.#limits = limits;
    this.#guard = guard;
    this.#compression = compression;
    this.#owner = owner;
    this.writer = new FrameWriter((bytes) => this.#write(bytes));
  }

  /** Counts an answer to something the peer has sent; false: it makes us write, and does not read it. */
  answered(length: number): boolean {
    if (!this.#hasRoom) this.#backlog += length;
    return this.#backlog <= this.#limits.controlBacklog;
  }

  /** Writes a header block. */
  headers(stream: Http2Stream, isEnd: boolean, ...fields: readonly FieldPairs[]): void {
    const block = this.#compression.encode(...fields);
    this.writer.headers(stream.id, block, isEnd, this.peer.maxFrameSize);
  }

  /** Puts a part of a body in the stream's queue. */
  enqueue(stream: Http2Stream, chunk: Uint8Array): void {
    stream.enqueue(chunk);
    this.#scheduler.add(stream);
  }

  /** Whether more may be written to the stream for now; otherwise it will be told. */
  hasRoomFor(stream: Http2Stream): boolean {
    const hasRoom = this.#hasRoom && stream.queuedBytes < this.#limits.sendBuffer;
    if (!hasRoom) this.#waiting.add(stream);
    return hasRoom;
  }

  /** The stream may have something to send, or may send more than before. */
  wake(stream: Http2Stream): void {
    if (stream.isLocalOpen && (stream.queuedBytes > 0 || stream.ending))
      this.#scheduler.add(stream);
  }

  /** The stream is closed, or has nothing more to send. */
  forget(stream: Http2Stream): void {
    this.#scheduler.remove(stream);
    this.#waiting.delete(stream);
  }

  /** Gives a stream another priority. */
  reprioritise(stream: Http2Stream, priority: Http2Stream['priority']): void {
    this.#scheduler.reprioritise(stream, priority);
  }

  /** The sink has room again. */
  drained(): void {
    this.#hasRoom = true;
    this.#backlog = 0;
    this.writeDeadline = Infinity;
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true;
    this.writeDeadline = this.stallDeadline = Infinity;
  }

  /** Sends as much as may be sent, in turns. It is not entered twice: what a handler adds meanwhile is seen by the loop. */
  pump(now: number): void {
    this.#now = now;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      do this.#sendTurns(now);
      while (this.#tellDrained());
    } finally {
      this.#pumping = false;
    }
  }

  /** Hands what was written to the sink. */
  flush(now: number): void {
    this.#now = now;
    this.writer.flush();
  }

  /** Looks for streams that the peer has held up for too long (at `now`), and for when to look next. */
  overdue(streams: Iterable<Http2Stream>, now: number): Http2Stream[] {
    const found: Http2Stream[] = [];
    this.stallDeadline = Infinity;
    for (const stream of streams) {
      if (stream.isScheduled) stream.stallDeadline = Infinity;
      if (now >= stream.stallDeadline) {
        if (stream.stallBytes < this.#limits.slowReadBytes) found.push(stream);
        else this.#stalled(stream, now);
      }
      this.stallDeadline = Math.min(this.stallDeadline, stream.stallDeadline);
    }
    return found;
  }

  #sendTurns(now: number): void {
    while (this.#hasRoom && !this.#closed) {
      const stream = this.#scheduler.next();
      if (stream === undefined) return;
      if (stream.queuedBytes === 0) {
        this.#scheduler.remove(stream);
        if (stream.ending) this.#sendEnd(stream, now);
        continue;
      }
      const room = Math.min(stream.sendWindow.available, this.window.available);
      if (room > 0) {
        this.#sendData(stream, Math.min(room, LARGEST_TURN), now);
      } else {
        this.#stalled(stream, now);
        // The connection's window is everybody's: who would be next would wait for it too.
        this.#scheduler.remove(stream);
      }
    }
  }

  #sendData(stream: Http2Stream, most: number, now: number): void {
    const chunk = stream.dequeue(most);
    const isEmpty = stream.queuedBytes === 0;
    const isEnd = isEmpty && stream.ending && stream.trailers === undefined;
    stream.sendWindow.take(chunk.length);
    this.window.take(chunk.length);
    stream.stallBytes += chunk.length;
    this.writer.data(stream.id, chunk, isEnd);
    this.#guard.dataSent();
    if (isEmpty) stream.stallDeadline = Infinity;
    if (!isEmpty || (stream.ending && !isEnd)) return;
    this.#scheduler.remove(stream);
    if (isEnd) this.#owner.sentEnd(stream, now);
  }

  #sendEnd(stream: Http2Stream, now: number): void {
    const { trailers } = stream;
    if (trailers === undefined) this.writer.data(stream.id, EMPTY, true);
    else this.headers(stream, true, trailers);
    this.#owner.sentEnd(stream, now);
  }

  /** The peer's windows hold the stream up: from now on, or anew, as it has taken enough since it was held up first. */
  #stalled(stream: Http2Stream, now: number): void {
    const tookEnough = stream.stallBytes >= this.#limits.slowReadBytes;
    if (stream.stallDeadline !== Infinity && !tookEnough) return;
    stream.stallBytes = 0;
    stream.stallDeadline = now + this.#limits.slowReadTimeout;
    this.stallDeadline = Math.min(this.stallDeadline, stream.stallDeadline);
  }

  /** Tells those who wait that there is room; true: somebody was told, and may have written. */
  #tellDrained(): boolean {
    if (!this.#hasRoom || this.#closed || this.#waiting.size === 0) return false;
    const most = this.#limits.sendBuffer / 2;
    const told = [...this.#waiting].filter(({ queuedBytes }) => queuedBytes <= most);
    for (const stream of told) this.#waiting.delete(stream);
    for (const stream of told) if (stream.isLocalOpen) stream.user?.drain();
    return told.length > 0;
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#sink.write(bytes)) return;
    this.#hasRoom = false;
    if (this.writeDeadline === Infinity) {
      this.writeDeadline = this.#now + this.#limits.writeTimeout;
    }
  }
}
