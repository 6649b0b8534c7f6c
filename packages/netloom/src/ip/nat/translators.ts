import type { Engine } from '../../core/index.ts';
import type { Packet } from '../packet.ts';

/** Changes addresses of packets that a router passes on. */
export interface Translator extends Engine {
  /** Whether a packet is its to look at, going by interface and addresses only. Then it is put together, if it came in fragments, and its transport is found. */
  concerns(packet: Packet): boolean;
  /** Passes a packet on that concerns it, or drops it. False: it is for the stack itself. */
  translate(packet: Packet): boolean;
  /** Changes a packet back that it has translated and that did not get further, in its own memory. */
  restore(packet: Packet): void;
}

/** The translators of a stack: the first that a packet concerns has it. */
export class Translators implements Engine {
  /** A copy is made when it changes, so that one may come or go while a packet is looked at. */
  #all: readonly Translator[] = [];

  add(translator: Translator): void {
    this.#all = [...this.#all, translator];
  }

  remove(translator: Translator): void {
    this.#all = this.#all.filter((other) => other !== translator);
  }

  /** Whether a packet is any translator's to look at. */
  concerns(packet: Packet): boolean {
    return this.#all.length > 0 && this.#all.some((each) => each.concerns(packet));
  }

  /** Passes a packet on, or drops it. False: it is for the stack itself. */
  translate(packet: Packet): boolean {
    return this.#all.find((each) => each.concerns(packet))?.translate(packet) ?? false;
  }

  /** Changes a packet back that did not get further, in its own memory. */
  restore(packet: Packet): void {
    for (const each of this.#all) each.restore(packet);
  }

  deadline(): number {
    let earliest = Infinity;
    for (const each of this.#all) earliest = Math.min(earliest, each.deadline());
    return earliest;
  }

  advance(now: number): void {
    for (const each of this.#all) each.advance(now);
  }
}
