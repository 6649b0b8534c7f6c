import { NetloomError, withLimits, type Clock } from '../core/index.ts';
import { forwardFrame } from './forward.ts';
import type { Link } from './link.ts';
import { linkPair, type LinkPairOptions } from './pair.ts';

/** The limits of a {@link Hub}. */
export interface HubLimits {
  readonly ports: number;
}

const DEFAULT_LIMITS: HubLimits = { ports: 1024 };

/** What a port of a {@link Hub} is made from: its station's name, address, and the cable's properties. */
export interface HubPortOptions extends Omit<LinkPairOptions, 'names' | 'macs'> {
  readonly name: string;
  readonly mac: NonNullable<LinkPairOptions['macs']>[0];
}

/**
 * A repeater: each frame that comes in by one link goes out by all others. It learns nothing and forwards everything,
 * so stations see each other's traffic; a ring of hubs repeats a frame for ever.
 *
 * What a frame's sender left to the link is handed on where the other link can do it, and done in software where it cannot.
 */
export class Hub {
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #links = new Set<Link>();

  constructor(clock: Clock, limits?: Partial<HubLimits>) {
    this.#clock = clock;
    this.#limits = withLimits(DEFAULT_LIMITS, limits);
  }

  /** The links that are plugged in. */
  get links(): readonly Link[] {
    return [...this.#links];
  }

  /** Makes a cable, plugs one end in, and answers the other: the link for a station. */
  port(options: HubPortOptions): Link {
    const { name, mac, ...cable } = options;
    // The hub's own end sends no frames of its own, so its address is never seen.
    const [inside, outside] = linkPair(this.#clock, {
      ...cable,
      names: [`${name}@hub`, name],
      macs: [mac, mac],
    });
    this.connect(inside);
    return outside;
  }

  /** Plugs a link in: the hub becomes its handler. When the link ends, it is unplugged. Throws `HUB_FULL`. */
  connect(link: Link): void {
    if (this.#links.size >= this.#limits.ports) {
      throw new NetloomError('HUB_FULL', `the hub has ${this.#limits.ports} ports, all in use`, {
        remedy: "Give the hub a larger limit 'ports'.",
      });
    }
    this.#links.add(link);
    link.attach({
      receive: (frame, offload) => {
        for (const other of this.#links) {
          if (other !== link) forwardFrame(other, frame, offload);
        }
      },
      batchEnd() {},
      closed: () => {
        this.#links.delete(link);
      },
    });
  }

  /** Closes every link that is plugged in. */
  async close(): Promise<void> {
    await Promise.all(this.links.map((link) => link.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
