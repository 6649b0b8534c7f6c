/** A network of bridges that speak the spanning tree protocol in virtual time, with an eye on it that sees every loop. */
import assert from 'node:assert/strict';
import { MacAddress, TimerQueue, copyBytes, seededRandom, type Random } from 'netloom/core';
import {
  SpanningTree,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
  type SpanningTreePortState,
} from '../../src/link/switch/spanning-tree/index.ts';

/** A bridge's port on a segment. */
export interface Plug {
  readonly bridge: VirtualBridge;
  readonly port: number;
  readonly segment: Segment;
  /** What the bridge has been told last. */
  state: SpanningTreePortState;
  options: SpanningTreePortOptions;
}

/** What joins ports: a cable of two, or a shared medium of more. */
export interface Segment {
  readonly plugs: Plug[];
  isUp: boolean;
  /** Nothing comes through any more, and nobody is told. */
  isCut: boolean;
  /** Milliseconds from one end to the other. */
  readonly delay: number;
  /** Answers whether a frame is lost on the way. */
  loses: (frame: Uint8Array) => boolean;
}

/** A bridge of the network. */
export interface VirtualBridge {
  readonly name: string;
  readonly tree: SpanningTree;
  readonly plugs: Map<number, Plug>;
  isRunning: boolean;
  /** What it was told, beside states. */
  readonly flushed: number[];
  readonly changed: number[];
  readonly guarded: string[];
}

/** A frame that is under way. */
class Flight {
  deadline = Infinity;
  position = -1;
  order = 0;
  readonly plug: Plug;
  readonly frame: Uint8Array;

  constructor(plug: Plug, frame: Uint8Array) {
    this.plug = plug;
    this.frame = frame;
  }
}

/** The bridges, the segments, and the time. */
export class BridgedNetwork {
  readonly bridges: VirtualBridge[] = [];
  readonly segments: Segment[] = [];
  readonly random: Random;
  now = 0;
  /** Frames sent, in order. */
  frames = 0;
  /** Called with each frame. */
  watch: ((from: Plug, frame: Uint8Array) => void) | undefined;
  /** Instants at which a port's state changed. */
  lastChange = 0;
  readonly #flights = new TimerQueue<Flight>();

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  bridge(options: Partial<SpanningTreeOptions> = {}): VirtualBridge {
    const number = this.bridges.length + 1;
    const mac = new MacAddress(0x0200, number);
    const plugs = new Map<number, Plug>();
    const tree = new SpanningTree(
      { mac, random: this.random, ...options },
      {
        send: (port, frame) => this.#send(plugs.get(port)!, frame),
        state: (port, state) => {
          plugs.get(port)!.state = state;
          this.lastChange = this.now;
          if (state === 'forwarding') this.assertNoLoop();
        },
        flush: (port) => bridge.flushed.push(port),
        topologyChanged: (port) => bridge.changed.push(port),
        guarded: (port, why) => bridge.guarded.push(`${port} ${why}`),
      },
    );
    const bridge: VirtualBridge = {
      name: `b${number}`,
      tree,
      plugs,
      isRunning: true,
      flushed: [],
      changed: [],
      guarded: [],
    };
    this.bridges.push(bridge);
    return bridge;
  }

  /** Joins bridges, by the next free port of each. */
  join(
    bridges: readonly VirtualBridge[],
    options: Partial<SpanningTreePortOptions> = {},
    delay = 0.05,
  ): Segment {
    const segment: Segment = { plugs: [], isUp: true, isCut: false, delay, loses: () => false };
    this.segments.push(segment);
    for (const bridge of bridges) {
      const port = bridge.plugs.size + 1;
      const all = { cost: 20_000, pointToPoint: bridges.length <= 2, ...options };
      const plug: Plug = { bridge, port, segment, state: 'discarding', options: all };
      bridge.plugs.set(port, plug);
      segment.plugs.push(plug);
      bridge.tree.addPort(port, all, this.now);
    }
    for (const { bridge, port } of segment.plugs) bridge.tree.portUp(port, this.now);
    return segment;
  }

  /** Pulls or plugs in a segment: its bridges notice at once. */
  setUp(segment: Segment, isUp: boolean): void {
    segment.isUp = isUp;
    for (const { bridge, port } of segment.plugs) {
      if (!bridge.isRunning) continue;
      if (isUp) bridge.tree.portUp(port, this.now);
      else bridge.tree.portDown(port, this.now);
    }
  }

  /** Changes what going by a port costs. */
  setCost(bridge: VirtualBridge, port: number, cost: number): void {
    const plug = bridge.plugs.get(port)!;
    plug.options = { ...plug.options, cost };
    bridge.tree.changePort(port, { cost }, this.now);
  }

  /** Takes a bridge away, with all its cables: the others notice at once, or by its silence. */
  crash(bridge: VirtualBridge, isNoticed: boolean): void {
    bridge.isRunning = false;
    for (const plug of bridge.plugs.values()) plug.state = 'discarding';
    if (!isNoticed) return;
    for (const { segment } of bridge.plugs.values()) {
      if (segment.plugs.length === 2) this.setUp(segment, false);
    }
  }

  /** Lets so much time pass. */
  run(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const running = this.bridges.filter(({ isRunning }) => isRunning);
      const deadline = Math.min(
        this.#flights.deadline(),
        ...running.map(({ tree }) => tree.deadline()),
      );
      if (!(deadline <= until)) break;
      this.now = Math.max(this.now, deadline);
      const flight = this.#flights.takeDue(this.now);
      if (flight !== undefined) this.#arrive(flight);
      else for (const { tree } of running) tree.advance(this.now);
    }
    this.now = until;
  }

  #send(from: Plug, frame: Uint8Array): void {
    const { segment } = from;
    if (!carries(segment) || !from.bridge.isRunning) return;
    this.frames++;
    this.watch?.(from, frame);
    for (const plug of segment.plugs) {
      if (plug === from || segment.loses(frame)) continue;
      this.#flights.set(new Flight(plug, frame), this.now + segment.delay);
    }
  }

  #arrive({ plug, frame }: Flight): void {
    if (!carries(plug.segment) || !plug.bridge.isRunning) return;
    const borrowed = copyBytes(frame);
    plug.bridge.tree.receive(plug.port, borrowed, this.now);
    // Whoever keeps what was borrowed reads this.
    borrowed.fill(0xee);
  }

  /** There is at most one way between any two segments, whatever is going on. */
  assertNoLoop(): void {
    const groups = new Groups<VirtualBridge | Segment>();
    for (const { bridge, segment, state } of this.segments.filter(carries).flatMap(plugsOf)) {
      if (state !== 'forwarding' || groups.join(bridge, segment)) continue;
      assert.fail(`a loop at ${this.now} ms: ${this.describe()}`);
    }
  }

  /** Every part of the network that hangs together has one root, the best of it, the shortest ways there, and a way between any two segments. */
  assertOneTree(): void {
    this.assertNoLoop();
    const cabled = new Groups<VirtualBridge | Segment>();
    const forwarding = new Groups<VirtualBridge | Segment>();
    const running = this.bridges.filter(({ isRunning }) => isRunning);
    const plugs = this.segments
      .filter(carries)
      .flatMap(plugsOf)
      .filter(({ bridge }) => bridge.isRunning);
    for (const { bridge, segment, state } of plugs) {
      cabled.join(bridge, segment);
      if (state === 'forwarding') forwarding.join(bridge, segment);
    }
    for (const { bridge, segment } of plugs) {
      assert.ok(
        forwarding.areJoined(cabled.first(bridge), segment),
        `at ${this.now} ms a segment of ${bridge.name} is cut off: ${this.describe()}`,
      );
    }
    for (const bridge of running) {
      const part = running.filter((other) => cabled.areJoined(bridge, other));
      this.#assertRoot(bridge, part, plugs);
    }
  }

  #assertRoot(bridge: VirtualBridge, part: VirtualBridge[], plugs: readonly Plug[]): void {
    const best = part.reduce((a, b) =>
      a.tree.bridge.bridge.compare(b.tree.bridge.bridge) < 0 ? a : b,
    );
    const costs = new Map([[best, 0]]);
    // Bellman and Ford: as many rounds as there are bridges.
    for (const _ of part) {
      for (const { bridge: near, segment } of plugs) {
        const from = costs.get(near);
        if (from === undefined) continue;
        for (const { bridge: far, options } of segment.plugs) {
          if (!part.includes(far)) continue;
          costs.set(far, Math.min(costs.get(far) ?? Infinity, from + options.cost));
        }
      }
    }
    const { root, rootPathCost } = bridge.tree.bridge;
    assert.deepEqual(
      [bridge.name, String(root), rootPathCost],
      [bridge.name, String(best.tree.bridge.bridge), costs.get(bridge)],
    );
  }

  /** For people: every port's role and state. */
  describe(): string {
    const lines = this.bridges.flatMap(({ name, tree, plugs, isRunning }) =>
      isRunning
        ? tree.ports.map(({ port, role, state }) => {
            const others = plugs
              .get(port)!
              .segment.plugs.filter(({ bridge }) => bridge.tree !== tree);
            const to = others.map((other) => `${other.bridge.name}.${other.port}`);
            return `${name}.${port} to ${to.join(' ')}: ${role} ${state}`;
          })
        : [],
    );
    return `\n${lines.join('\n')}`;
  }
}

function carries({ isUp, isCut }: Segment): boolean {
  return isUp && !isCut;
}

function plugsOf({ plugs }: Segment): readonly Plug[] {
  return plugs;
}

/** Sets that are joined, element by element (union-find). */
class Groups<T> {
  readonly #parents = new Map<T, T>();

  /** The one that stands for all that are joined with it. */
  first(element: T): T {
    let at = element;
    for (let up = this.#parents.get(at); up !== undefined; up = this.#parents.get(at)) at = up;
    return at;
  }

  /** False: they were joined already. */
  join(a: T, b: T): boolean {
    const [first, second] = [this.first(a), this.first(b)];
    if (first === second) return false;
    this.#parents.set(second, first);
    return true;
  }

  areJoined(a: T, b: T): boolean {
    return this.first(a) === this.first(b);
  }
}
