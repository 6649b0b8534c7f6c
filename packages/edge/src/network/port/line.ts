import { seededRandom, type Clock, type Random } from 'netloom/core';
import { ImpairedLink, NO_IMPAIRMENT, type Impairment, type Link } from 'netloom/link';
import type { LinkChange, LinkModel } from '../../model/index.ts';
import type { LinkStatus } from '../../status/index.ts';

/** A line with what is wrong with it changed. */
export function changeLink(line: LinkModel, change: LinkChange): LinkModel {
  const changed = Object.entries({ ...line, ...change });
  return Object.fromEntries(changed.filter(([, value]) => value !== null && value !== undefined));
}

/** What befalls frames on a line: all that the model does not speak of is in order. */
function impairmentOf(line: LinkModel): Impairment {
  const { seed: _, ...impairment } = line;
  return { ...NO_IMPAIRMENT, ...impairment };
}

/** The line of a station: what is wrong with it may be changed at any time, and cuts nothing. With nothing wrong it costs one copy of each frame sent. */
export class Line {
  readonly link: ImpairedLink;
  readonly #outboundFate: Fate;
  readonly #inboundFate: Fate;
  #model: LinkModel;

  /** Throws `IMPAIRMENT_INVALID`. */
  constructor(inner: Link, model: LinkModel, clock: Clock, random: Random) {
    this.#model = model;
    this.#outboundFate = new Fate(random);
    this.#inboundFate = new Fate(random);
    this.#seed(model.seed);
    const impairment = impairmentOf(model);
    this.link = new ImpairedLink(inner, {
      clock,
      random: this.#outboundFate,
      inboundRandom: this.#inboundFate,
      outbound: impairment,
      inbound: impairment,
    });
  }

  get model(): LinkModel {
    return this.#model;
  }

  /** What is wrong from now on. Throws `IMPAIRMENT_INVALID`, and changes nothing then. */
  set(model: LinkModel): void {
    this.link.impair(impairmentOf(model));
    // Frames go on to be decided by the same row of numbers, unless another is asked for.
    if (model.seed !== this.#model.seed) this.#seed(model.seed);
    this.#model = model;
  }

  /** Each way has its own row of numbers, so that what befalls one depends on nothing of the other. */
  #seed(seed: number | undefined): void {
    const inbound = seed === undefined ? undefined : seededRandom(seed);
    this.#inboundFate.follow(inbound);
    this.#outboundFate.follow(inbound && seededRandom(inbound.uint32()));
  }

  /** @param waiting bytes that wait elsewhere on the way to the station */
  status(waiting: number): LinkStatus {
    const { outbound, inbound } = this.link;
    const queuedBytes = waiting + outbound.bytesUnderWay + inbound.bytesUnderWay;
    return linkStatus(this.#model, queuedBytes);
  }
}

/** A line as people and programs read it. */
export function linkStatus(model: LinkModel, queuedBytes: number): LinkStatus {
  return {
    delay: model.delay ?? 0,
    jitter: model.jitter ?? 0,
    rate: model.rate ?? null,
    loss: model.loss ?? 0,
    reorder: model.reorder ?? 0,
    duplicate: model.duplicate ?? 0,
    corrupt: model.corrupt ?? 0,
    partition: model.partition ?? false,
    queuedBytes,
  };
}

/** Decides what befalls frames, by a seed that may be given and taken away. */
class Fate implements Random {
  readonly #unseeded: Random;
  #random: Random;

  constructor(unseeded: Random) {
    this.#unseeded = unseeded;
    this.#random = unseeded;
  }

  /** Undefined: no seed decides. */
  follow(seeded: Random | undefined): void {
    this.#random = seeded ?? this.#unseeded;
  }

  uint32(): number {
    return this.#random.uint32();
  }

  float(): number {
    return this.#random.float();
  }

  below(bound: number): number {
    return this.#random.below(bound);
  }

  fill(bytes: Uint8Array): Uint8Array {
    return this.#random.fill(bytes);
  }
}
