import { TokenBucket } from '../../core/index.ts';
import { NO_STATION } from './binding.ts';

/** Stations that are kept apart; past it the one heard first begins anew. */
const STATIONS = 4096;

/** How much a second's allowance may be exceeded after a quiet time. */
const BURST = 2;

/** Holds each station of a link to a rate. Answers of a server may go to all stations, so that one which asks without end would cost them all. */
export class StationRates {
  readonly #perSecond: number;
  readonly #buckets = new Map<number, TokenBucket>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Whether one more of this station's may be served; where nobody has said which it is, it may. */
  take(station: number, now: number): boolean {
    if (station === NO_STATION) return true;
    let bucket = this.#buckets.get(station);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#perSecond, BURST * this.#perSecond);
      this.#buckets.set(station, bucket);
      if (this.#buckets.size > STATIONS) this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    return bucket.take(now);
  }
}
