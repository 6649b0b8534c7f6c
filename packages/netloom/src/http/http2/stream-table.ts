import type { Http2Stream } from './stream.ts';

/** How a stream ended: what that says of frames that still come for it (RFC 9113, section 5.1, "closed"). */
export type StreamEnding = 'ended' | 'reset-by-peer' | 'reset-by-us';

/** A stream that was closed. */
interface ClosedStream {
  readonly id: number;
  readonly ending: StreamEnding;
}

/** Places at first: a power of two, as all their numbers are. */
const INITIAL_PLACES = 16;

/**
 * The streams of a connection that are open, and how those that were closed last have ended.
 *
 * Not a `Map`: when streams come and go, V8 makes a new table of it every few of them, and each old one keeps those streams from the
 * young generation's collector that were in it. An exchange took twice the time.
 */
export class StreamTable {
  /** What the numbers of the peer's streams are, modulo 2 (RFC 9113, section 5.1.1). */
  readonly #peersParity: 0 | 1;
  readonly #remembered: number;
  /** Chains of open streams, by number: those of one side are two apart, so that most chains are of one. */
  #places: (Http2Stream | undefined)[] = emptyPlaces(INITIAL_PLACES);
  #size = 0;
  /** A ring of those that were closed last. */
  readonly #closed: ClosedStream[] = [];
  #closedCount = 0;
  /** The greatest number that the peer, and that we, have opened a stream with. */
  lastPeerId = 0;
  lastOwnId = 0;

  /** So many closed streams are remembered. */
  constructor(side: 'client' | 'server', remembered: number) {
    this.#peersParity = side === 'server' ? 1 : 0;
    this.#remembered = remembered;
  }

  /** How many are open. */
  get size(): number {
    return this.#size;
  }

  get(id: number): Http2Stream | undefined {
    let stream = this.#places[this.#placeOf(id)];
    while (stream !== undefined && stream.id !== id) stream = stream.nextInPlace;
    return stream;
  }

  /** Those that are open, in the order of their numbers; the list is the caller's. */
  list(): Http2Stream[] {
    const streams: Http2Stream[] = [];
    for (let stream of this.#places) {
      for (; stream !== undefined; stream = stream.nextInPlace) streams.push(stream);
    }
    return streams.sort((a, b) => a.id - b.id);
  }

  /** Whether the number is one for streams that the peer opens. */
  isPeers(id: number): boolean {
    return id % 2 === this.#peersParity;
  }

  /** Whether a stream of this number was never opened, nor passed over by one of a greater number. */
  isIdle(id: number): boolean {
    return id > (this.isPeers(id) ? this.lastPeerId : this.lastOwnId);
  }

  /** How a closed stream ended. Undefined: it was passed over, or is forgotten. */
  endingOf(id: number): StreamEnding | undefined {
    return this.#closed.find((closed) => closed.id === id)?.ending;
  }

  add(stream: Http2Stream): void {
    if (this.#size === this.#places.length) this.#grow();
    this.#put(stream);
    this.#size++;
  }

  /** The stream of this number, open or not, is closed. */
  close(id: number, ending: StreamEnding): void {
    this.#remove(id);
    if (this.#remembered === 0) return;
    this.#closed[this.#closedCount++ % this.#remembered] = { id, ending };
  }

  #placeOf(id: number): number {
    return (id >>> 1) & (this.#places.length - 1);
  }

  #put(stream: Http2Stream): void {
    const place = this.#placeOf(stream.id);
    stream.nextInPlace = this.#places[place];
    this.#places[place] = stream;
  }

  #remove(id: number): void {
    const stream = this.get(id);
    if (stream === undefined) return;
    const place = this.#placeOf(id);
    let before = this.#places[place];
    if (before === stream) {
      this.#places[place] = stream.nextInPlace;
    } else {
      while (before!.nextInPlace !== stream) before = before!.nextInPlace;
      before!.nextInPlace = stream.nextInPlace;
    }
    stream.nextInPlace = undefined;
    this.#size--;
  }

  #grow(): void {
    const streams = this.list();
    this.#places = emptyPlaces(2 * this.#places.length);
    for (const stream of streams) this.#put(stream);
  }
}

function emptyPlaces(count: number): (Http2Stream | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
