import { secureRandom, seededRandom, type Clock } from 'netloom/core';
import { ImpairedLink, type Link } from 'netloom/link';
import type { CaptureFile } from '../capture-file.ts';
import type { Period } from './quantities.ts';
import type { RunRequest } from './request.ts';

/** The line between the program's interface and the gateway, with what is wrong with it. */
export class Line {
  /** The gateway's end. */
  readonly link: Link;
  readonly #clock: Clock;
  readonly #impaired: ImpairedLink | undefined;
  readonly #partitions: readonly Period[];

  /** @param capture is shown each frame as the program's interface has it: after what it sends, and before what it gets, passes the line */
  constructor(inner: Link, request: RunRequest, clock: Clock, capture: CaptureFile | undefined) {
    const { impairment, partitions, seed } = request;
    this.#clock = clock;
    this.#partitions = partitions;
    const seen = capture?.capture(inner, clock) ?? inner;
    if (impairment !== undefined || partitions.length > 0) {
      this.#impaired = new ImpairedLink(seen, {
        clock,
        random: seed === undefined ? secureRandom() : seededRandom(seed),
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
