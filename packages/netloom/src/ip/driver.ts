import type { Clock, Engine, Timer } from '../core/index.ts';
import type { Interface } from './interface/interface.ts';

/** An engine that sends what it has to send when it is told that the input at hand has been taken. */
export interface FlushedEngine extends Engine {
  flush(now: number): void;
}

/** What a {@link StackDriver} drives. */
export interface StackDriverOptions {
  readonly clock: Clock;
  readonly interfaces: readonly Interface[];
}

/**
 * Drives the parts of a stack, which are engines: one instant for all frames of a batch, output at the end of it, one timer for all deadlines.
 *
 * Most batches move no deadline but the transport's: a frame of a busy link that is not for us, an acknowledgment. So the others are asked for theirs only
 * after a {@link requestFlush}. (Asking all of them after every batch took a tenth of the time of a thousand hosts that hear each other's ARP.)
 */
export class StackDriver {
  readonly #options: StackDriverOptions;
  readonly #timer: Timer;
  #transport: FlushedEngine | undefined;
  #engines: readonly Engine[] = [];
  #now: number;
  /** Frames of a batch are being taken: the time stands still and output waits for the end of the batch. */
  #inBatch = false;
  /** What is asked for now will be looked after before the present call is over. */
  #isDriving = false;
  #flushRequested = false;
  #timersMoved = false;
  #isClosed = false;

  constructor(options: StackDriverOptions) {
    this.#options = options;
    this.#now = options.clock.now();
    this.#timer = options.clock.timer(() => this.#advance());
  }

  /** Says what to drive, beside the neighbours of the interfaces: engines in this order, the transport last. All but the transport call {@link requestFlush} when their deadlines move. */
  drive(engines: readonly Engine[], transport: FlushedEngine): void {
    this.#engines = engines;
    this.#transport = transport;
  }

  /** The time of what is being done: one instant for all frames of a batch. */
  now(): number {
    if (!this.#inBatch) this.#now = this.#options.clock.now();
    return this.#now;
  }

  /** A frame is about to be taken: a batch begins, if there is none. */
  beginBatch(): void {
    if (this.#inBatch) return;
    this.#now = this.#options.clock.now();
    this.#inBatch = true;
  }

  /** The frames at hand have all been taken. */
  endBatch(): void {
    this.#inBatch = false;
    this.#flush();
  }

  /** Output is asked for, or a deadline has moved: at the end of the batch if one is being taken, else once the caller's turn is over. */
  requestFlush(): void {
    this.#timersMoved = true;
    if (this.#inBatch || this.#isDriving || this.#flushRequested) return;
    this.#flushRequested = true;
    this.#options.clock.defer(() => {
      this.#flushRequested = false;
      if (!this.#inBatch) this.#flush();
    });
  }

  /** Calls nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer.clear();
  }

  #advance(): void {
    this.#isDriving = true;
    try {
      const now = this.now();
      for (const via of this.#options.interfaces) via.neighbours.advance(now);
      for (const engine of this.#engines) engine.advance(now);
      this.#transport?.advance(now);
    } finally {
      this.#isDriving = false;
      this.#timersMoved = true;
    }
    this.#flush();
  }

  #flush(): void {
    this.#isDriving = true;
    try {
      this.#transport?.flush(this.now());
    } finally {
      this.#isDriving = false;
      this.#setTimer();
    }
  }

  /** One timer for all: the earliest deadline. That of a transport may have moved to later; then it fires for nothing, once. */
  #setTimer(): void {
    if (this.#isClosed) return;
    const earliest = this.#transport?.deadline() ?? Infinity;
    if (!this.#timersMoved && earliest >= this.#timer.deadline) return;
    this.#timersMoved = false;
    let deadline = earliest;
    for (const engine of this.#engines) deadline = Math.min(deadline, engine.deadline());
    for (const via of this.#options.interfaces) {
      deadline = Math.min(deadline, via.neighbours.deadline());
    }
    if (deadline === Infinity) this.#timer.clear();
    else if (deadline !== this.#timer.deadline) this.#timer.set(deadline);
  }
}
