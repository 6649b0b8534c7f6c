import {
  type IpAddress,
  NOT_QUEUED,
  TimerQueue,
  seededRandom,
  type Engine,
  type Random,
  type TimerEntry,
} from '../../src/core/index.ts';

/** What befalls the messages of a {@link VirtualLan}; shares of 1, and milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  /** Each message takes a time between 0 and this, so later ones overtake. */
  readonly delay: number;
}

/** Nothing is lost, and everything arrives within a millisecond. */
export const FAIR: Weather = { loss: 0, duplication: 0, delay: 1 };

/** A station: an engine, and what hands it a message. */
export interface Station {
  readonly engine: Engine;
  /** Whether a message to this address is for it. */
  takes(destination: IpAddress): boolean;
  receive(bytes: Uint8Array, from: IpAddress, now: number): void;
}

interface Delivery extends TimerEntry {
  readonly bytes: Uint8Array;
  readonly from: IpAddress;
  readonly to: Station;
}

/** Engines on one link, in virtual time: all that happens is a function of the seed. */
export class VirtualLan {
  now = 0;
  /** Everything sent, in order: who sees the same twice has run the same. */
  readonly trace: string[] = [];
  readonly random: Random;
  weather: Weather;
  readonly #stations: Station[] = [];
  readonly #deliveries = new TimerQueue<Delivery>();

  constructor(seed: number, weather: Weather = FAIR) {
    this.random = seededRandom(seed);
    this.weather = weather;
  }

  add(station: Station): void {
    this.#stations.push(station);
  }

  /** Takes the station off the link; what is on its way to it is lost. */
  remove(station: Station): void {
    this.#stations.splice(this.#stations.indexOf(station), 1);
  }

  send(bytes: Uint8Array, from: IpAddress, destination: IpAddress, sender: Station): void {
    this.trace.push(`${this.now.toFixed(3)} ${from} ${destination} ${bytes.length}`);
    for (const to of this.#stations) {
      if (to === sender || !to.takes(destination)) continue;
      if (this.random.float() < this.weather.loss) continue;
      const copies = this.random.float() < this.weather.duplication ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const at = this.now + this.random.float() * this.weather.delay;
        this.#deliveries.set({ ...NOT_QUEUED, bytes: bytes.slice(), from, to }, at);
      }
    }
  }

  /** Runs until the instant `until`, or until nothing is left to happen, or `done` says so. */
  run(until: number, done: () => boolean = () => false): void {
    while (!done()) {
      const engines = Math.min(...this.#stations.map(({ engine }) => engine.deadline()));
      const next = Math.min(engines, this.#deliveries.deadline());
      if (next > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, next);
      const delivery = this.#deliveries.takeDue(this.now);
      if (delivery !== undefined) this.#deliver(delivery);
      else
        for (const { engine } of this.#stations)
          if (engine.deadline() <= this.now) engine.advance(this.now);
    }
  }

  #deliver({ bytes, from, to }: Delivery): void {
    if (!this.#stations.includes(to)) return;
    to.receive(bytes, from, this.now);
    // Bytes are borrowed: an engine that keeps a view of them will see this.
    bytes.fill(0xee);
  }
}
