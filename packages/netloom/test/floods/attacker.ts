import type { Clock, Random } from 'netloom/core';
import type { Link } from 'netloom/link';

/** Makes a flood's frames, one for each number. */
export type FrameMaker = (number: number, random: Random) => Uint8Array;

/** How often in a virtual second an attacker sends what its rate asks for by then. */
const TICKS = 1000;

/** A station that keeps no rule: it sends whatever frames a test makes. */
export class Attacker {
  /** Is shown what comes to it, and may answer by {@link send}. */
  heard: (frame: Uint8Array) => void = () => undefined;
  /** Frames sent. */
  sent = 0;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #random: Random;
  #stop: () => void = () => undefined;

  constructor(link: Link, clock: Clock, random: Random) {
    this.#link = link;
    this.#clock = clock;
    this.#random = random;
    link.attach({ receive: (frame) => this.heard(frame), batchEnd: () => undefined });
  }

  get mac(): Link['mac'] {
    return this.#link.mac;
  }

  send(frame: Uint8Array): void {
    const own = this.#link.allocate(frame.length);
    own.set(frame);
    this.#link.transmit(own);
    this.sent++;
  }

  /** Floods until {@link stop}, in place of what it did before. */
  flood(make: FrameMaker, rate: number): void {
    this.stop();
    let number = 0;
    const start = this.#clock.now();
    const timer = this.#clock.timer(() => {
      const now = this.#clock.now();
      while (number <= ((now - start) * rate) / 1000) this.send(make(number++, this.#random));
      timer.set(now + 1000 / TICKS);
    });
    timer.set(this.#clock.now());
    this.#stop = () => timer.clear();
  }

  stop(): void {
    this.#stop();
  }
}
