import type { NetloomError } from '../../src/core/index.ts';
import type { Http1Sink } from '../../src/http/index.ts';
import { fromLatin1 } from './messages.ts';

/** A connection's sending side that writes down what an engine does to it. */
export class RecordingSink implements Http1Sink {
  /** What was written, not asked for yet by {@link take}. */
  #sent = '';
  hasRoom = true;
  paused = false;
  /** How often it was paused. */
  pauses = 0;
  closed = false;
  aborted: NetloomError | undefined;

  write(bytes: Uint8Array): boolean {
    if (this.closed) throw new Error('written after close');
    this.#sent += fromLatin1(bytes);
    return this.hasRoom;
  }

  pause(): void {
    this.paused = true;
    this.pauses++;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.closed = true;
  }

  abort(error: NetloomError): void {
    this.closed = true;
    this.aborted = error;
  }

  /** What was written since this was last called. */
  take(): string {
    const sent = this.#sent;
    this.#sent = '';
    return sent;
  }
}
