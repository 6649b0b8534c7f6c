import type { Period } from '@netloom/edge/text';
import { secureRandom, seededRandom, type Clock, type Random } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import { ImpairedLink, type Link } from 'netloom/link';
import type { CaptureFile } from '../capture-file.ts';
import type { RunRequest } from './request.ts';

/** The line between the program's interface and the gateway, with what is wrong with it. */
export class Line {
  /** The gateway's end. */
  readonly link: Link;
  readonly #clock: Clock = new SystemClock({ precise: true });
  readonly #impaired: ImpairedLink | undefined;
  readonly #partitions: readonly Period[];

  /** @param capture is shown each frame as the program's interface has it: after what it sends, and before what it gets, passes the line */
  constructor(inner: Link, request: RunRequest, capture: CaptureFile | undefined) {
    const { impairment, partitions, seed } = request;
    this.#partitions = partitions;
    const seen = capture?.capture(inner, this.#clock) ?? inner;
    if (impairment !== undefined || partitions.length > 0) {
      this.#impaired = new ImpairedLink(seen, {
        clock: this.#clock,
        ...fates(seed),
        outbound: impairment ?? {},
        inbound: impairment ?? {},
      });
    }
    this.link = this.#impaired ?? seen;
    if (partitions.length > 0) this.#startPartitions();
  }

  /** From here on the times of partitions are counted. */
  #startPartitions(): void {
    const start = this.#clock.now();
    // By what the time is, not by what has begun and ended: they may overlap.
    const update = (): void => {
      const elapsed = this.#clock.now() - start;
      const partition = this.#partitions.some(({ from, to }) => from <= elapsed && elapsed < to);
      this.#impaired?.impair({ partition });
    };
    for (const time of this.#partitions.flatMap(({ from, to }) => [from, to])) {
      this.#clock.timer(update).set(start + time);
    }
    update();
  }
}

/** What decides the fate of frames. Each way has its own, so that with a seed that of the program's frames depends on no others. */
function fates(seed: number | undefined): { random: Random; inboundRandom?: Random } {
  if (seed === undefined) return { random: secureRandom() };
  const inboundRandom = seededRandom(seed);
  return { random: seededRandom(inboundRandom.uint32()), inboundRandom };
}
