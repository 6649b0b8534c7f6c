import {
  TimerQueue,
  type Clock,
  type Counters,
  type FairShares,
  type SocketAddress,
  type Timer,
} from '../../core/index.ts';
import type { UplinkLimits } from './limits.ts';
import { Mapping, keyOf, type MappingHolder, type MappingOwner } from './mapping.ts';

/** How exact the order of use is: what was used within this time of each other counts as used at once. */
const ORDER_GRAIN = 1000;

/** What {@link Mappings} needs of the uplink around it. */
export interface MappingsEnvironment extends MappingOwner {
  readonly clock: Clock;
  readonly limits: UplinkLimits;
  readonly drops: Counters;
  /** Of each holder, least recently used first; its mappings of other tables under the same limits too. */
  readonly shares: FairShares<MappingHolder, Mapping>;
}

/**
 * The UDP mappings of an uplink, in order of use, for each of those who have some; each step costs the same however many there are. Past the limit, who has most gives up
 * the one used least recently.
 */
export class Mappings {
  readonly #environment: MappingsEnvironment;
  readonly #all = new Map<string, Mapping>();
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

  /** All of them, oldest first. */
  list(): Mapping[] {
    return [...this.#all.values()];
  }

  find(guest: SocketAddress): Mapping | undefined {
    if (this.#last?.isOf(guest) === true) return this.#last;
    return (this.#last = this.#all.get(keyOf(guest)));
  }

  /** A new one for a guest; others give way where there are too many. */
  add(guest: SocketAddress, holder: MappingHolder): Mapping {
    const { clock, limits, drops, shares } = this.#environment;
    if (shares.of(holder) >= limits.mappingsPerGuest) {
      drops.add('udp-mappings-of-guest-limit');
      giveWay(shares.oldestOf(holder)!);
    } else if (shares.size >= limits.mappings) {
      drops.add('udp-mapping-limit');
      giveWay(shares.oldestOfLargest()!);
    }
    const mapping = new Mapping(guest, holder, this.#environment, clock.now());
    this.#all.set(mapping.key, mapping);
    shares.add(holder, mapping);
    this.#last = mapping;
    this.#schedule(mapping);
    return mapping;
  }

  /** A datagram has gone through it, either way. */
  use(mapping: Mapping): void {
    const { clock, shares } = this.#environment;
    const now = clock.now();
    mapping.usedAt = now;
    if (now - mapping.orderedAt < ORDER_GRAIN) return;
    mapping.orderedAt = now;
    shares.add(mapping.holder, mapping);
  }

  remove(mapping: Mapping): void {
    if (mapping.isGone) return;
    mapping.isGone = true;
    if (this.#last === mapping) this.#last = undefined;
    this.#all.delete(mapping.key);
    this.#environment.shares.remove(mapping.holder, mapping);
    this.#queue.clear(mapping);
    this.#setTimer();
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

function giveWay(mapping: Mapping): void {
  mapping.owner.gone(mapping, 'limit');
}
