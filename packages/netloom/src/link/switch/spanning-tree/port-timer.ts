import { NOT_QUEUED, type TimerEntry } from '../../../core/index.ts';
import type { TreePort } from './port.ts';

/**
 * A timer of IEEE 802.1D-2004, 17.17. There it is a count of seconds that goes down by one with each tick until it is zero; here it
 * expires at its instant, and what the standard writes as `timer == 0` is {@link isZero}.
 *
 * Some states keep a timer at its full value by setting it again with every tick. Here it is held, and runs from when it is released.
 */
export class PortTimer implements TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly port: TreePort;
  /** Milliseconds it is held at; -1: it is not held. */
  #held = -1;

  constructor(port: TreePort) {
    this.port = port;
  }

  /** It has run out, or was never set. */
  get isZero(): boolean {
    return this.position < 0 && this.#held < 0;
  }

  /** Sets it to run from now on; 0 clears it. */
  set(milliseconds: number): void {
    const { timers, now } = this.port.bridge;
    this.#held = -1;
    if (milliseconds > 0) timers.set(this, now + milliseconds);
    else timers.clear(this);
  }

  /** Sets it, and keeps it there. */
  hold(milliseconds: number): void {
    this.set(0);
    this.#held = milliseconds;
  }

  isHeldAt(milliseconds: number): boolean {
    return this.#held === milliseconds;
  }

  /** Lets it run, if it is held. */
  release(): void {
    if (this.#held >= 0) this.set(this.#held);
  }
}
