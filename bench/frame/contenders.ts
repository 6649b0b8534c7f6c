import type { Comparison, Report, Round } from './bench.ts';
import {
  Machine,
  isInstalled,
  netloomPlace,
  peerPlaces,
  type Place,
  type PlaceMaker,
} from './place.ts';

/** What the benches of `netloom run` need of a machine; undefined: it has all. */
export function missingForPlaces(...programs: string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'root, for the namespaces that it is measured in';
  return programs.find((program) => !isInstalled(program));
}

/** `netloom run` and its peers, each with a shell at hand that stays for all cases: what is measured is the network, not how fast it starts. */
export class Contenders implements AsyncDisposable {
  readonly machine: Machine = new Machine();
  readonly #places = new Map<string, Place | null>();

  readonly #report: Report;

  /** Starts all of them, ours with these options. A peer that does not work here is told of, and counts as one that is not installed. */
  static async start(
    report: Report,
    mtu: number,
    ...options: readonly string[]
  ): Promise<Contenders> {
    const made = new Contenders(report);
    try {
      made.#places.set('netloom', await netloomPlace(made.machine, mtu, ...options));
      for (const [name, make] of Object.entries(peerPlaces())) {
        made.#places.set(name, make === null ? null : await made.#tryPlace(name, make, mtu));
      }
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(report: Report) {
    this.#report = report;
  }

  /** Compares what `measure` finds out in each place. */
  async compare(
    comparison: Omit<Comparison, 'netloom' | 'peers'>,
    measure: (place: Place) => Promise<number>,
  ): Promise<void> {
    const rounds = [...this.#places].map(([name, place]): [string, Round | null] => [
      name,
      place === null ? null : () => measure(place),
    ]);
    const { netloom, ...peers } = Object.fromEntries(rounds);
    await this.#report.compare({ ...comparison, netloom: netloom!, peers });
  }

  async #tryPlace(name: string, make: PlaceMaker, mtu: number): Promise<Place | null> {
    try {
      return await make(this.machine, mtu);
    } catch (error) {
      this.#report.note(`${name} is left out, since it does not work here: ${String(error)}`);
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#places.values()) await place?.[Symbol.asyncDispose]();
    this.machine[Symbol.dispose]();
  }
}
