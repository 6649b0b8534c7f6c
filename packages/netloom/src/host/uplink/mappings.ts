import {
  TimerQueue,
  type Clock,
  type Counters,
  type SocketAddress,
  type Timer,
} from '../../core/index.ts';
import type { UplinkLimits } from './limits.ts';
import { Mapping, keyOf } from './mapping.ts';

/** How exact the order of use is: what was used within this time of each other counts as used at once. */
const ORDER_GRAIN = 1000;

/** What {@link Mappings} needs of the uplink around it. */
export interface MappingsEnvironment {
  readonly clock: Clock;
  readonly limits: UplinkLimits;
  readonly drops: Counters;
  /** A mapping is over: nothing was carried for so long, or it gave way to another. */
  gone(mapping: Mapping, why: 'idle' | 'limit'): void;
}

/** The UDP mappings of an uplink, in order of use, for all guests and for each; each step costs the same however many there are. */
export class Mappings {
  readonly #environment: MappingsEnvironment;
  /** Least recently used first. */
  readonly #all = new Map<string, Mapping>();
  readonly #byGuest = new Map<string, Map<string, Mapping>>();
  readonly #queue = new TimerQueue<Mapping>();
  readonly #timer: Timer;
  /** The one used last: datagrams come in trains. */
  #last: Mapping | undefined;

  constructor(environment: MappingsEnvironment) {
    this.#environment = environment;
    this.#timer = environment.clock.timer(() => this.#expire());
  }

  get size(): number {
    return this.#all.size;
  }

  /** All of them, least recently used first. */
  list(): Mapping[] {
    return [...this.#all.values()];
  }

  find(guest: SocketAddress): Mapping | undefined {
    if (this.#last?.isOf(guest) === true) return this.#last;
    return (this.#last = this.#all.get(keyOf(guest)));
  }

  /** A new one for a guest; others give way where there are too many. */
  add(guest: SocketAddress): Mapping {
    const { clock, limits, drops } = this.#environment;
    const host = String(guest.address);
    const ofGuest = this.#byGuest.get(host);
    if (ofGuest !== undefined && ofGuest.size >= limits.mappingsPerGuest) {
      drops.add('udp-mappings-of-guest-limit');
      this.#displaceFirst(ofGuest);
    } else if (this.#all.size >= limits.mappings) {
      drops.add('udp-mapping-limit');
      this.#displaceFirst(this.#all);
    }
    const mapping = new Mapping(guest, keyOf(guest), clock.now());
    this.#all.set(mapping.key, mapping);
    let mappings = this.#byGuest.get(host);
    if (mappings === undefined) this.#byGuest.set(host, (mappings = new Map()));
    mappings.set(mapping.key, mapping);
    this.#last = mapping;
    this.#schedule(mapping);
    return mapping;
  }

  /** A datagram has gone through it, either way. */
  use(mapping: Mapping): void {
    const now = this.#environment.clock.now();
    mapping.usedAt = now;
    if (now - mapping.orderedAt < ORDER_GRAIN) return;
    mapping.orderedAt = now;
    moveLast(this.#all, mapping);
    moveLast(this.#byGuest.get(String(mapping.guest.address))!, mapping);
  }

  remove(mapping: Mapping): void {
    if (mapping.isGone) return;
    mapping.isGone = true;
    if (this.#last === mapping) this.#last = undefined;
    this.#all.delete(mapping.key);
    const host = String(mapping.guest.address);
    const ofGuest = this.#byGuest.get(host)!;
    ofGuest.delete(mapping.key);
    if (ofGuest.size === 0) this.#byGuest.delete(host);
    this.#queue.clear(mapping);
    this.#setTimer();
  }

  #displaceFirst(mappings: Map<string, Mapping>): void {
    const [first] = mappings.values();
    this.#environment.gone(first!, 'limit');
  }

  #expire(): void {
    const now = this.#environment.clock.now();
    for (;;) {
      const due = this.#queue.takeDue(now);
      if (due === undefined) break;
      // Its deadline is not moved with every datagram, nor when it lasts longer for another reason: it is looked at anew here.
      if (this.#deadlineOf(due) > now) this.#queue.set(due, this.#deadlineOf(due));
      else this.#environment.gone(due, 'idle');
    }
    this.#setTimer();
  }

  #schedule(mapping: Mapping): void {
    this.#queue.set(mapping, this.#deadlineOf(mapping));
    this.#setTimer();
  }

  #deadlineOf({ usedAt, asksNameServersOnly }: Mapping): number {
    const { nameServerTimeout, mappingTimeout } = this.#environment.limits;
    return usedAt + (asksNameServersOnly ? nameServerTimeout : mappingTimeout);
  }

  #setTimer(): void {
    const deadline = this.#queue.deadline();
    if (deadline === Infinity) this.#timer.clear();
    else if (deadline !== this.#timer.deadline) this.#timer.set(deadline);
  }
}

function moveLast(mappings: Map<string, Mapping>, mapping: Mapping): void {
  mappings.delete(mapping.key);
  mappings.set(mapping.key, mapping);
}
