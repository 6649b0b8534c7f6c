import { EngineTimer, type Clock } from '../../core/index.ts';
import type { Port } from './port.ts';
import {
  SpanningTree,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
} from './spanning-tree/index.ts';

/** What a port is to the tree when nobody says otherwise; the cost is that of 1 Gbit/s (IEEE 802.1D-2004, table 17-3). */
const DEFAULT_TREE_PORT: Required<SpanningTreePortOptions> = {
  cost: 20_000,
  priority: 128,
  edge: 'auto',
  pointToPoint: true,
  bpduGuard: false,
  rootGuard: false,
};

/** Binds the spanning tree to the ports of a switch and to its clock. */
export class TreeDriver {
  readonly tree: SpanningTree;
  readonly #clock: Clock;
  readonly #timer: EngineTimer;
  readonly #ports = new Map<number, Port>();

  /** @param flush forgets what was learned at a port. Throws `SPANNING_TREE_INVALID`. */
  constructor(clock: Clock, options: SpanningTreeOptions, flush: (port: Port) => void) {
    const ports = this.#ports;
    this.#clock = clock;
    this.tree = new SpanningTree(options, {
      // Past what waits: a tree that is not told of for too long falls apart.
      send: (number, frame) => ports.get(number)?.output.sendFinal(frame),
      state(number, state) {
        const port = ports.get(number);
        if (port !== undefined) port.state = state;
      },
      flush(number) {
        const port = ports.get(number);
        if (port !== undefined) flush(port);
      },
    });
    this.#timer = new EngineTimer(clock, this.tree);
  }

  /** Throws `SPANNING_TREE_INVALID` or `SPANNING_TREE_FULL`. */
  add(port: Port): void {
    const now = this.#clock.now();
    this.tree.addPort(port.number, { ...DEFAULT_TREE_PORT, ...port.settings.spanningTree }, now);
    port.state = 'discarding';
    this.#ports.set(port.number, port);
    this.tree.portUp(port.number, now);
    this.#timer.update();
  }

  /** Throws `SPANNING_TREE_INVALID`. */
  change(port: Port, settings: Partial<SpanningTreePortOptions>): void {
    this.tree.changePort(port.number, { ...DEFAULT_TREE_PORT, ...settings }, this.#clock.now());
    this.#timer.update();
  }

  remove(port: Port): void {
    this.#ports.delete(port.number);
    this.tree.removePort(port.number, this.#clock.now());
    this.#timer.update();
  }

  /** A frame has come to the bridges' address. */
  receive(port: Port, frame: Uint8Array, now: number): void {
    this.tree.receive(port.number, frame, now);
    this.#timer.update();
  }
}
