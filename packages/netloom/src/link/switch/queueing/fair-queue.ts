import type { FrameOffload } from '../../link.ts';

/** What a {@link FairQueue} is held to; asked for with each frame, so that it may change. */
export interface FairQueueBounds {
  readonly queueBytes: number;
  readonly queueFrames: number;
  readonly quantum: number;
}

/** A frame that waits, with what is left to do on it. */
interface Waiting {
  frame: Uint8Array;
  readonly offload: Required<FrameOffload>;
  hasOffload: boolean;
  /** The next of its flow, or of those that are free. */
  next: Waiting | undefined;
}

/** The frames of one flow, or of several that hash alike. */
interface Flow {
  first: Waiting | undefined;
  last: Waiting | undefined;
  bytes: number;
  /** Bytes it may still send before it is another's turn. */
  deficit: number;
  /** The next in the round; undefined: the last, or not in it. */
  next: Flow | undefined;
}

const NO_FRAME = new Uint8Array(0);

/**
 * Frames of one class of traffic, shared fairly between flows by deficit round robin (Shreedhar and Varghese, "Efficient Fair Queueing
 * using Deficit Round Robin", 1995): each flow that has something to send gets the same number of bytes, whatever the length of its
 * frames.
 *
 * When it is full, room is made at the cost of the flow that has most waiting: so one that sends more than its share loses what it sends too
 * much, and no other does.
 */
export class FairQueue {
  readonly #bounds: () => FairQueueBounds;
  readonly #discard: (frame: Uint8Array) => void;
  readonly #flows: (Flow | undefined)[] = [];
  /** The round of those that have frames. */
  #first: Flow | undefined;
  #last: Flow | undefined;
  /** Places that no frame waits in; there are never more than have been used at one time. */
  #free: Waiting | undefined;
  #frames = 0;
  #bytes = 0;
  #offload: FrameOffload | undefined;

  /** @param discard takes each frame that waited and is dropped to make room */
  constructor(bounds: () => FairQueueBounds, discard: (frame: Uint8Array) => void) {
    this.#bounds = bounds;
    this.#discard = discard;
  }

  get frames(): number {
    return this.#frames;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is left to do on the frame that {@link shift} gave last; valid until something else is done. */
  get offload(): FrameOffload | undefined {
    return this.#offload;
  }

  /** Puts a frame of a flow in. False: there is no room for it. */
  push(frame: Uint8Array, offload: FrameOffload | undefined, flowNumber: number): boolean {
    const flow = (this.#flows[flowNumber] ??= newFlow());
    if (!this.#makeRoom(frame.length, flow)) return false;
    const waiting = this.#place(frame, offload);
    if (flow.last === undefined) {
      flow.first = waiting;
      this.#join(flow);
    } else {
      flow.last.next = waiting;
    }
    flow.last = waiting;
    flow.bytes += frame.length;
    this.#frames++;
    this.#bytes += frame.length;
    return true;
  }

  /** Bytes of the frame that is next; 0: there is none. Settles whose turn it is. */
  nextLength(): number {
    for (;;) {
      const flow = this.#first;
      if (flow === undefined) return 0;
      const { length } = flow.first!.frame;
      if (flow.deficit >= length) return length;
      flow.deficit += this.#bounds().quantum;
      this.#leave();
      this.#join(flow);
    }
  }

  /** Takes the frame out of which {@link nextLength} has just told the length. */
  shift(): Uint8Array {
    const flow = this.#first!;
    const frame = this.#take(flow);
    flow.deficit -= frame.length;
    if (flow.first === undefined) {
      this.#leave();
      // One that has nothing more to send has no claim to what it might have sent.
      flow.deficit = 0;
    }
    return frame;
  }

  #makeRoom(length: number, own: Flow): boolean {
    const { queueBytes, queueFrames } = this.#bounds();
    while (this.#frames + 1 > queueFrames || this.#bytes + length > queueBytes) {
      const longest = this.#longest();
      if (longest === undefined || own.bytes + length >= longest.bytes) return false;
      this.#discard(this.#take(longest));
      if (longest.first === undefined) this.#remove(longest);
    }
    return true;
  }

  #longest(): Flow | undefined {
    let longest = this.#first;
    for (let flow = longest; flow !== undefined; flow = flow.next) {
      if (flow.bytes > longest!.bytes) longest = flow;
    }
    return longest;
  }

  /** A place with the frame in it. */
  #place(frame: Uint8Array, offload: FrameOffload | undefined): Waiting {
    const waiting = this.#free ?? newPlace();
    this.#free = waiting.next;
    waiting.next = undefined;
    waiting.frame = frame;
    waiting.hasOffload = offload !== undefined;
    if (offload !== undefined) Object.assign(waiting.offload, offload);
    return waiting;
  }

  /** Takes the first frame of a flow out; its place is free again, and keeps what is left to do until it is used. */
  #take(flow: Flow): Uint8Array {
    const waiting = flow.first!;
    const { frame } = waiting;
    flow.first = waiting.next;
    if (flow.first === undefined) flow.last = undefined;
    flow.bytes -= frame.length;
    this.#frames--;
    this.#bytes -= frame.length;
    this.#offload = waiting.hasOffload ? waiting.offload : undefined;
    waiting.frame = NO_FRAME;
    waiting.next = this.#free;
    this.#free = waiting;
    return frame;
  }

  /** Puts a flow at the end of the round. */
  #join(flow: Flow): void {
    if (this.#last === undefined) this.#first = flow;
    else this.#last.next = flow;
    this.#last = flow;
  }

  /** Takes the first flow out of the round. */
  #leave(): void {
    const flow = this.#first!;
    this.#first = flow.next;
    if (this.#first === undefined) this.#last = undefined;
    flow.next = undefined;
  }

  /** Takes a flow out of the round, wherever it is. */
  #remove(flow: Flow): void {
    flow.deficit = 0;
    let before: Flow | undefined;
    for (let at = this.#first; at !== flow; at = at!.next) before = at;
    if (before === undefined) {
      this.#leave();
      return;
    }
    before.next = flow.next;
    if (this.#last === flow) this.#last = before;
    flow.next = undefined;
  }
}

function newFlow(): Flow {
  return { first: undefined, last: undefined, bytes: 0, deficit: 0, next: undefined };
}

function newPlace(): Waiting {
  return {
    frame: NO_FRAME,
    offload: { checksumStart: 0, checksumOffset: 0, segmentSize: 0, checksumVerified: false },
    hasOffload: false,
    next: undefined,
  };
}
