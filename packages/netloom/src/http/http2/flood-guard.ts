import { TokenBucket } from '../../core/index.ts';
import type { Http2Limits } from './limits.ts';
import type { Http2Fault } from './wire/index.ts';

/** What a peer may do too often: each costs it next to nothing, and us some work. */
export type FloodKind =
  | 'empty-frame-flood'
  | 'ping-flood'
  | 'priority-flood'
  | 'provoked-reset-flood'
  | 'reset-flood'
  | 'settings-flood'
  | 'unknown-frame-flood'
  | 'window-update-flood';

/** WINDOW_UPDATE frames that are due for each DATA frame sent: one of the stream, one of the connection. */
const UPDATES_PER_FRAME = 2;

/**
 * Counts what costs a peer next to nothing (RFC 9113, section 10.5), each in a bucket of its own: so much at once, so much for
 * each second after that. What goes beyond ends the connection.
 */
export class FloodGuard {
  readonly #limits: Http2Limits;
  /** Made when first needed: most connections never see most of these. */
  readonly #buckets = new Map<FloodKind, TokenBucket>();
  /** WINDOW_UPDATE frames that our data calls for. */
  #updatesDue = 0;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** The peer has done this once more; answers the fault, if that was too often. */
  note(kind: FloodKind, now: number): Http2Fault | undefined {
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      const [burst, perSecond] = allowance(kind, this.#limits);
      bucket = new TokenBucket(perSecond, burst);
      this.#buckets.set(kind, bucket);
    }
    return bucket.take(now) ? undefined : kind;
  }

  /** A DATA frame was sent: the peer will open windows for it. */
  dataSent(): void {
    this.#updatesDue = Math.min(this.#updatesDue + UPDATES_PER_FRAME, this.#limits.windowUpdates);
  }

  /** A WINDOW_UPDATE has come. */
  noteWindowUpdate(now: number): Http2Fault | undefined {
    if (this.#updatesDue === 0) return this.note('window-update-flood', now);
    this.#updatesDue--;
    return undefined;
  }
}

function allowance(kind: FloodKind, limits: Http2Limits): readonly [burst: number, rate: number] {
  switch (kind) {
    case 'empty-frame-flood':
      return [limits.emptyFrames, limits.emptyFramesPerSecond];
    case 'ping-flood':
      return [limits.pings, limits.pingsPerSecond];
    case 'priority-flood':
      return [limits.priorities, limits.prioritiesPerSecond];
    case 'provoked-reset-flood':
      return [limits.provokedResets, limits.provokedResetsPerSecond];
    case 'reset-flood':
      return [limits.resets, limits.resetsPerSecond];
    case 'settings-flood':
      return [limits.settings, limits.settingsPerSecond];
    case 'unknown-frame-flood':
      return [limits.unknownFrames, limits.unknownFramesPerSecond];
    case 'window-update-flood':
      return [limits.windowUpdates, limits.windowUpdatesPerSecond];
  }
}
