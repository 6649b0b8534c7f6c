import {
  NOT_QUEUED,
  TimerQueue,
  formatSocketAddress,
  type Engine,
  type SocketAddress,
  type TimerEntry,
} from '../../core/index.ts';

/** A SYN from outside that nobody inside has asked for. */
export interface UnsolicitedSyn {
  readonly remote: SocketAddress;
  readonly external: SocketAddress;
  readonly sequence: number;
}

class Held implements TimerEntry {
  deadline: number = NOT_QUEUED.deadline;
  position: number = NOT_QUEUED.position;
  order: number = NOT_QUEUED.order;
  readonly syn: UnsolicitedSyn;

  constructor(syn: UnsolicitedSyn) {
    this.syn = syn;
  }
}

/**
 * Unsolicited SYNs, held before they are refused: in a simultaneous open through two NATs the one SYN comes before the other has gone out, and a refusal would end
 * what is about to succeed (RFC 5382, REQ-4).
 */
export class HeldSyns implements Engine {
  readonly #byEnds = new Map<string, Held>();
  readonly #timers = new TimerQueue<Held>();
  readonly #limit: number;
  readonly #refuse: (syn: UnsolicitedSyn) => void;

  constructor(limit: number, refuse: (syn: UnsolicitedSyn) => void) {
    this.#limit = limit;
    this.#refuse = refuse;
  }

  get size(): number {
    return this.#byEnds.size;
  }

  /** Holds one until `deadline`, unless it is held already. False: there is no room, and it is forgotten. */
  add(syn: UnsolicitedSyn, deadline: number): boolean {
    const key = keyOf(syn.external, syn.remote);
    if (this.#byEnds.has(key)) return true;
    if (this.#byEnds.size >= this.#limit) return false;
    const held = new Held(syn);
    this.#byEnds.set(key, held);
    this.#timers.set(held, deadline);
    return true;
  }

  /** A SYN has gone out between these ends: the one from outside is forgotten in silence. */
  cancel(external: SocketAddress, remote: SocketAddress): void {
    if (this.#byEnds.size === 0) return;
    const key = keyOf(external, remote);
    const held = this.#byEnds.get(key);
    if (held === undefined) return;
    this.#byEnds.delete(key);
    this.#timers.clear(held);
  }

  deadline(): number {
    return this.#timers.deadline();
  }

  advance(now: number): void {
    for (;;) {
      const held = this.#timers.takeDue(now);
      if (held === undefined) return;
      this.#byEnds.delete(keyOf(held.syn.external, held.syn.remote));
      this.#refuse(held.syn);
    }
  }
}

function keyOf(external: SocketAddress, remote: SocketAddress): string {
  return `${formatSocketAddress(external)} ${formatSocketAddress(remote)}`;
}
