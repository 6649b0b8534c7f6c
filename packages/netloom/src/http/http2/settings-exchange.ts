import type { HeaderCompression } from './compression.ts';
import { ReceiveWindow } from './flow-control.ts';
import type { Http2Limits } from './limits.ts';
import type { Sender } from './sender.ts';
import type { Http2Stream } from './stream.ts';
import {
  CLIENT_PREFACE,
  INITIAL_SETTINGS,
  SettingId,
  readSettings,
  type Http2Fault,
} from './wire/index.ts';

/** Both sides' settings: ours are told, and hold when acknowledged; the peer's hold when they come (RFC 9113, section 6.5.3). */
export class SettingsExchange {
  readonly #side: 'client' | 'server';
  readonly #limits: Http2Limits;
  readonly #sender: Sender;
  readonly #compression: HeaderCompression;
  #isAcknowledged = false;

  constructor(
    side: 'client' | 'server',
    limits: Http2Limits,
    sender: Sender,
    compression: HeaderCompression,
  ) {
    this.#side = side;
    this.#limits = limits;
    this.#sender = sender;
    this.#compression = compression;
  }

  /** Tells the peer ours, after the preface if we are the client (RFC 9113, section 3.4). */
  send(others: readonly (readonly [id: number, value: number])[]): void {
    const { writer } = this.#sender;
    if (this.#side === 'client') writer.raw(new TextEncoder().encode(CLIENT_PREFACE));
    writer.settings([
      [SettingId.HEADER_TABLE_SIZE, this.#limits.headerTableSize],
      [SettingId.INITIAL_WINDOW_SIZE, this.#limits.streamWindow],
      [SettingId.MAX_FRAME_SIZE, this.#limits.maxFrameSize],
      [SettingId.MAX_HEADER_LIST_SIZE, this.#limits.headerBytes],
      ...others,
    ]);
  }

  /** The window of a new stream: until the peer has acknowledged a smaller one, it may fill that of the standard. */
  newReceiveWindow(): ReceiveWindow {
    const { streamWindow } = this.#limits;
    const granted = this.#isAcknowledged
      ? streamWindow
      : Math.max(streamWindow, INITIAL_SETTINGS.initialWindowSize);
    return new ReceiveWindow(streamWindow, granted);
  }

  /** The peer has acknowledged ours. */
  acknowledged(streams: readonly Http2Stream[]): void {
    if (this.#isAcknowledged) return;
    this.#isAcknowledged = true;
    this.#compression.acknowledgeTableSize(this.#limits.headerTableSize);
    const excess = INITIAL_SETTINGS.initialWindowSize - this.#limits.streamWindow;
    if (excess > 0) for (const stream of streams) stream.receiveWindow.shrink(excess);
  }

  /** Takes the peer's. */
  take(payload: Uint8Array, streams: readonly Http2Stream[]): Http2Fault | undefined {
    const { peer } = this.#sender;
    const { headerTableSize, initialWindowSize } = peer;
    const peerSide = this.#side === 'client' ? 'server' : 'client';
    const fault = readSettings(payload, peer, peerSide);
    if (fault !== undefined) return fault;
    if (peer.headerTableSize !== headerTableSize) {
      this.#compression.setPeerTableSize(peer.headerTableSize);
    }
    const difference = peer.initialWindowSize - initialWindowSize;
    if (difference === 0) return undefined;
    for (const stream of streams) {
      // RFC 9113, section 6.9.2: a window that becomes too large so is the connection's fault; one may become negative.
      if (!stream.sendWindow.grow(difference)) return 'window-size-invalid';
      this.#sender.wake(stream);
    }
    return undefined;
  }
}
