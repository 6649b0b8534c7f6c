import type { LinkChange } from '@netloom/edge/model';
import { changeLine } from './node-api.ts';

/** Tells the node of changes of a line: one request at a time, and what is changed meanwhile goes with the next. */
export class LineChanger {
  readonly #network: string;
  readonly #port: string;
  readonly #told: (problem: string) => void;
  #pending: LinkChange | undefined;
  #isBusy = false;
  #settledAt = 0;

  /** @param told called after each change: empty, or why it was refused */
  constructor(network: string, port: string, told: (problem: string) => void) {
    this.#network = network;
    this.#port = port;
    this.#told = told;
  }

  change(change: LinkChange): void {
    this.#pending = { ...this.#pending, ...change };
    if (!this.#isBusy) void this.#send();
  }

  /** Whether what was seen at this time has all the changes in it. */
  isSettledAt(time: number): boolean {
    return !this.#isBusy && time > this.#settledAt;
  }

  async #send(): Promise<void> {
    this.#isBusy = true;
    while (this.#pending !== undefined) {
      const change = this.#pending;
      this.#pending = undefined;
      try {
        await changeLine(this.#network, this.#port, change);
        this.#told('');
      } catch (error) {
        this.#told(error instanceof Error ? error.message : String(error));
      }
    }
    this.#isBusy = false;
    // What was asked for before may be of the time before the change.
    this.#settledAt = performance.timeOrigin + performance.now();
  }
}
