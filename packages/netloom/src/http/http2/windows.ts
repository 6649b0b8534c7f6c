import { ReceiveWindow } from './flow-control.ts';
import type { Http2Limits } from './limits.ts';
import type { Sender } from './sender.ts';
import type { StreamTable } from './stream-table.ts';
import type { Http2Stream } from './stream.ts';
import { INITIAL_SETTINGS, type Http2Fault } from './wire/index.ts';

/** The flow control of a connection and its streams (RFC 9113, section 6.9): WINDOW_UPDATE frames both ways. */
export class Windows {
  readonly #sender: Sender;
  readonly #streams: StreamTable;
  /** What may come on all streams together. */
  readonly connection: ReceiveWindow;

  constructor(sender: Sender, streams: StreamTable, limits: Http2Limits) {
    this.#sender = sender;
    this.#streams = streams;
    // RFC 9113, section 6.9.2: it begins at 65,535 whatever the settings, and only WINDOW_UPDATE opens it further.
    const granted = INITIAL_SETTINGS.initialWindowSize;
    this.connection = new ReceiveWindow(Math.max(granted, limits.connectionWindow), granted);
  }

  /** Opens the connection's window as far as the limit says. */
  openAtFirst(limits: Http2Limits): void {
    this.credit(limits.connectionWindow - INITIAL_SETTINGS.initialWindowSize);
  }

  /** So much was taken, or dropped: the connection's window is opened by it, sooner or later. */
  credit(length: number): void {
    const increment = length > 0 ? this.connection.take(length) : 0;
    if (increment > 0) this.#sender.writer.windowUpdate(0, increment);
  }

  /** So much was taken of a stream's body: its window is opened too. */
  creditStream(stream: Http2Stream, length: number): void {
    this.credit(length);
    const increment = stream.receiveWindow.take(length);
    if (increment > 0 && stream.isPeerOpen && !stream.endArriving) {
      this.#sender.writer.windowUpdate(stream.id, increment);
    }
  }

  /** The peer opens the connection's window (0), or a stream's. One of a stream that is closed was under way when it did. */
  opened(streamId: number, increment: number): Http2Fault | undefined {
    if (streamId === 0) return this.#connectionOpened(increment);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return undefined;
    if (!stream.sendWindow.grow(increment)) return 'stream-window-overflow';
    this.#sender.wake(stream);
    return undefined;
  }

  #connectionOpened(increment: number): Http2Fault | undefined {
    const { window } = this.#sender;
    const wasShut = window.available <= 0;
    if (!window.grow(increment)) return 'connection-window-overflow';
    if (wasShut) for (const stream of this.#streams.list()) this.#sender.wake(stream);
    return undefined;
  }
}
