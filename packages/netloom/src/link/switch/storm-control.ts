import { NetloomError, TokenBucket } from '../../core/index.ts';

/** How much of one kind of frame a port takes in; what comes on top is dropped. */
export interface StormRate {
  /** Default: as many as come. */
  readonly framesPerSecond?: number;
  /** Default: as many as come. */
  readonly bytesPerSecond?: number;
}

/** The kinds of frames that go out by many ports, each with its own bound; undefined: none. */
export interface StormSettings {
  readonly broadcast?: StormRate | undefined;
  /** Groups' frames but for broadcast. */
  readonly multicast?: StormRate | undefined;
  /** Frames for stations that the switch does not know. */
  readonly unknownUnicast?: StormRate | undefined;
}

/** Of what is allowed in a second, so much may come at once. */
const BURST_SECONDS = 0.1;
/** And at least so much: a few frames of an ARP exchange; a full frame. */
const LEAST_BURST_FRAMES = 8;
const LEAST_BURST_BYTES = 2 * 1522;

/** Holds one kind of frame to its {@link StormRate}. */
export class StormLimiter {
  readonly #frames: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;

  /** Throws `SWITCH_SETTING_INVALID`. */
  constructor({ framesPerSecond, bytesPerSecond }: StormRate) {
    this.#frames = bucketOf(framesPerSecond, LEAST_BURST_FRAMES);
    this.#bytes = bucketOf(bytesPerSecond, LEAST_BURST_BYTES);
  }

  /** Whether a frame of this length may come in; if so, it counts. */
  take(length: number, now: number): boolean {
    if (this.#frames !== undefined && !this.#frames.take(now)) return false;
    return this.#bytes === undefined || this.#bytes.take(now, length);
  }
}

function bucketOf(perSecond: number | undefined, leastBurst: number): TokenBucket | undefined {
  if (perSecond === undefined) return undefined;
  if (!(perSecond >= 0)) {
    throw new NetloomError('SWITCH_SETTING_INVALID', `a storm is held to ${perSecond} a second`, {
      remedy: 'Give a number of 0 or more; 0 lets nothing pass.',
    });
  }
  const burst = perSecond === 0 ? 0 : Math.max(leastBurst, perSecond * BURST_SECONDS);
  return new TokenBucket(perSecond, burst);
}

/** A limiter for the rate, or none where there is no rate. */
export function stormLimiter(rate: StormRate | undefined): StormLimiter | undefined {
  return rate === undefined ? undefined : new StormLimiter(rate);
}
