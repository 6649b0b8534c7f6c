import { StateMachine, copyBytes, type NetloomError, type Transitions } from '../../core/index.ts';
import type { Fields } from '../semantics/index.ts';
import type { ReceiveWindow, SendWindow } from './flow-control.ts';
import type { Http2Fault, Http2Priority } from './wire/index.ts';

/** Where a stream stands (RFC 9113, section 5.1). The two reserved states are those of pushed streams, which there are none of. */
export type Http2StreamState =
  | 'idle'
  | 'open'
  | 'half-closed-local'
  | 'half-closed-remote'
  | 'closed';

type Http2StreamEvent = 'headers' | 'send-end' | 'receive-end' | 'reset';

/** The steps of a stream; a reset is sent or received. */
export const HTTP2_STREAM_TRANSITIONS: Transitions<Http2StreamState, Http2StreamEvent> = {
  idle: { headers: 'open', reset: 'closed' },
  open: {
    'send-end': 'half-closed-local',
    'receive-end': 'half-closed-remote',
    reset: 'closed',
  },
  'half-closed-local': { 'receive-end': 'closed', reset: 'closed' },
  'half-closed-remote': { 'send-end': 'closed', reset: 'closed' },
  closed: {},
};

/** What is told of a stream: an exchange. */
export interface StreamUser {
  /** A part of the body: borrowed. */
  data(chunk: Uint8Array): void;
  /** The peer's side has ended. */
  ended(trailers: Fields | undefined, now: number): void;
  /** Our side has ended: all of it was sent. */
  sent(now: number): void;
  /** There is room for more again. */
  drain(): void;
  /** It is over: cut short, or reset. Told once, and not if both sides have ended. */
  cut(error: NetloomError): void;
}

/** What a {@link Http2Stream} is made from. */
export interface StreamParts {
  readonly id: number;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  readonly priority: Http2Priority;
  /** Milliseconds without a byte of a body that is wanted. */
  readonly bodyTimeout: number;
}

/** One stream of a connection: its state, its windows, and what waits in either direction. */
export class Http2Stream {
  readonly id: number;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  readonly #machine: StateMachine<Http2StreamState, Http2StreamEvent>;
  priority: Http2Priority;
  user: StreamUser | undefined;
  /** The next one in its place of the connection's table. */
  nextInPlace: Http2Stream | undefined;
  /** The two directions end each by itself, as those of a CONNECT do. */
  isTunnel = false;

  /** The final head has come: what follows is a body. */
  headReceived = false;
  /** The frame that is being read ends the peer's side. */
  endArriving = false;
  /** Nobody wants what the peer still sends: it is dropped. */
  lingers = false;
  /** The body's length, if it was told. */
  expectedLength: number | undefined;
  #receivedLength = 0;
  /** The body is wanted. */
  reading = false;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** The peer's side has ended; that comes after what waits. */
  #end: { readonly trailers: Fields | undefined } | undefined;
  #endDelivered = false;

  readonly #queue: Uint8Array[] = [];
  /** Bytes that wait to be sent. */
  queuedBytes = 0;
  /** Nothing more will be written. */
  ending = false;
  /** To be sent after the body. */
  trailers: Iterable<readonly [name: string, value: string]> | undefined;
  /** It is among those that the scheduler takes turns with. */
  isScheduled = false;

  /** Milliseconds without a byte of a body that is wanted. */
  bodyTimeout: number;
  /** When the peer must have gone on. */
  readDeadline: number = Infinity;
  /** When the peer, that makes us wait for its windows, must have taken enough; and what it has taken. */
  stallDeadline: number = Infinity;
  stallBytes = 0;

  constructor({ id, sendWindow, receiveWindow, priority, bodyTimeout }: StreamParts) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.priority = priority;
    this.bodyTimeout = bodyTimeout;
    this.#machine = new StateMachine('http2-stream', HTTP2_STREAM_TRANSITIONS, 'idle');
  }

  get state(): Http2StreamState {
    return this.#machine.state;
  }

  take(event: Http2StreamEvent, now: number): void {
    this.#machine.take(event, now);
  }

  /** The peer may still send. */
  get isPeerOpen(): boolean {
    return this.state === 'open' || this.state === 'half-closed-local';
  }

  /** We may still send. */
  get isLocalOpen(): boolean {
    return this.state === 'open' || this.state === 'half-closed-remote';
  }

  /** The peer's side has ended, and its end was told. */
  get endDelivered(): boolean {
    return this.#endDelivered;
  }

  /** Somebody wants what the peer has not sent yet. */
  get isAwaiting(): boolean {
    return this.reading && this.isPeerOpen && this.#waitingBytes === 0;
  }

  /** Bytes received that nobody has taken. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Counts a part of the body; answers what is wrong with its length. */
  countReceived(length: number, limit: number): Http2Fault | undefined {
    this.#receivedLength += length;
    if (this.expectedLength !== undefined && this.#receivedLength > this.expectedLength) {
      return 'content-length-mismatch';
    }
    return this.#receivedLength > limit ? 'body-too-large' : undefined;
  }

  /** Whether the body that has come is as long as was told. */
  get isLengthRight(): boolean {
    return this.expectedLength === undefined || this.expectedLength === this.#receivedLength;
  }

  /** Takes a part of the body, borrowed. True: it was handed over at once; false: it waits. */
  deliver(chunk: Uint8Array): boolean {
    if (this.reading && this.#waitingBytes === 0 && this.user !== undefined) {
      this.user.data(chunk);
      return true;
    }
    this.#waiting.push(copyBytes(chunk));
    this.#waitingBytes += chunk.length;
    return false;
  }

  /** The peer's side has ended. */
  endReceived(trailers: Fields | undefined, now: number): void {
    this.#end = { trailers };
    this.#deliverEnd(now);
  }

  /** Hands over what waits, as far as it is wanted; `taken` is told of each part. */
  deliverWaiting(taken: (length: number) => void, now: number): void {
    while (this.reading && this.#waiting.length > 0) {
      const chunk = this.#waiting.shift()!;
      this.#waitingBytes -= chunk.length;
      taken(chunk.length);
      this.user?.data(chunk);
    }
    this.#deliverEnd(now);
  }

  /** The end is told after all that was before it, whether anybody wants that or not. */
  #deliverEnd(now: number): void {
    if (this.#end === undefined || this.#endDelivered || this.#waiting.length > 0) return;
    this.#endDelivered = true;
    this.user?.ended(this.#end.trailers, now);
  }

  /** Puts a part of our body, given away, behind those that wait to be sent. */
  enqueue(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.queuedBytes += chunk.length;
  }

  /** Takes at most so many bytes of what is first in the queue. */
  dequeue(most: number): Uint8Array {
    const first = this.#queue[0]!;
    if (first.length <= most) {
      this.#queue.shift();
      this.queuedBytes -= first.length;
      return first;
    }
    this.#queue[0] = first.subarray(most);
    this.queuedBytes -= most;
    return first.subarray(0, most);
  }

  /** Drops all that waits, in both directions; answers how much was received and not taken. */
  clear(): number {
    const untaken = this.#waitingBytes;
    this.#waiting.length = this.#queue.length = 0;
    this.#waitingBytes = this.queuedBytes = 0;
    this.readDeadline = this.stallDeadline = Infinity;
    return untaken;
  }
}
