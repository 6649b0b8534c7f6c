/** Two of our switches and a bridge of somebody else's in a ring, with a station at each, which count what they hear: were there a loop, it would be seen. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { MacAddress, copyBytes, readUint16, seededRandom, writeUint16 } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import {
  CapturedLink,
  ImpairedLink,
  SPANNING_TREE_STATE,
  Switch,
  linkPair,
  type Link,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
} from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { isBpduFrame } from 'netloom/wire';
import { KernelNamespace, type NamespaceProgram } from '../kernel-namespace.ts';

/** For local experiments (IEEE 802, 9.2.3). */
const EXPERIMENT = 0x88b5;

/** A station that counts the numbered broadcasts it hears. */
class Station {
  readonly copies = new Map<number, number>();
  readonly #link: Link;

  constructor(link: Link, heard: () => void) {
    this.#link = link;
    link.attach({
      receive: (frame) => {
        if (readUint16(frame, 12) !== EXPERIMENT) return;
        const number = readUint16(frame, 14);
        this.copies.set(number, (this.copies.get(number) ?? 0) + 1);
        heard();
      },
      batchEnd() {},
    });
  }

  broadcast(number: number): void {
    const frame = this.#link.allocate(60).fill(0);
    MacAddress.BROADCAST.copyTo(frame, 0);
    this.#link.mac.copyTo(frame, 6);
    writeUint16(frame, 12, EXPERIMENT);
    writeUint16(frame, 14, number);
    this.#link.transmit(frame);
  }
}

/** The cables to the other bridge, each a TAP of that name: from our switches, and from a station. */
export const CABLES = ['tapa', 'tapb', 'tapc'] as const;

type Cable = (typeof CABLES)[number];
type TreeOptions = Omit<SpanningTreeOptions, 'mac' | 'random'>;

/** A BPDU that has passed between the other bridge and what is ours. */
export interface SeenBpdu {
  readonly cable: Cable;
  readonly isTheirs: boolean;
  readonly frame: Uint8Array;
}

/** What a {@link Ring} is made of. */
export interface RingOptions {
  /** Tells several rings of one test file apart. */
  readonly label: string;
  readonly a: TreeOptions;
  readonly b: TreeOptions;
  /** What the ports of ours in the ring are to the tree, where it is not the default. */
  readonly port?: Partial<SpanningTreePortOptions>;
}

/** See the top of the file. First the TAPs are there, for the other bridge to take them; then {@link connect} plugs ours in. */
export class Ring implements AsyncDisposable {
  readonly namespace: KernelNamespace;
  readonly a: Switch;
  readonly b: Switch;
  readonly bpdus: SeenBpdu[] = [];
  readonly #stations: Record<'a' | 'b' | 'theirs', Station>;
  readonly #clock = new SystemClock();
  readonly #random = seededRandom(1);
  readonly #port: Partial<SpanningTreePortOptions>;
  readonly #cables: Record<Cable, ImpairedLink>;
  readonly #changed = new EventTarget();
  readonly #stop: () => void;
  #sent = 0;
  #isClosed = false;

  constructor({ label, a, b, port = {} }: RingOptions) {
    this.namespace = new KernelNamespace(`tree-${label}`);
    this.a = this.#switch('a', a);
    this.b = this.#switch('b', b);
    this.#port = port;
    this.#cables = {
      tapa: this.#cable('tapa'),
      tapb: this.#cable('tapb'),
      tapc: this.#cable('tapc'),
    };
    this.#stations = {
      a: this.#station(this.#edge(this.a, 1)),
      b: this.#station(this.#edge(this.b, 2)),
      theirs: this.#station(this.#watched('tapc')),
    };
    // With every step that is taken and every BPDU, one more frame.
    this.#stop = SPANNING_TREE_STATE.subscribe(() => this.#speakSoon());
  }

  /** Plugs our switches into the ring: by their ports 2 to the other bridge, by their ports 3 to each other. */
  connect(): void {
    const settings = { spanningTree: this.#port };
    this.a.connect(this.#watched('tapa'), settings);
    this.b.connect(this.#watched('tapb'), settings);
    const [toB, toA] = linkPair(this.#clock, { names: ['ab', 'ba'] });
    this.a.connect(toB, settings);
    this.b.connect(toA, settings);
  }

  /** Lets nothing through on a cable to the other bridge, without anybody being told; or everything again. */
  setCut(cable: Cable, isCut: boolean): void {
    this.#cables[cable].impair({ partition: isCut });
  }

  /** Takes a cable to the other bridge away, which both ends see at once. */
  async pull(cable: Cable): Promise<void> {
    await this.#cables[cable].close();
  }

  /** The first of ours has its station say something to all. */
  speak(): void {
    this.#stations.a.broadcast(this.#sent++);
  }

  /** Speaks with every line of a program that tells of a change. Settles when the program has ended. */
  async follow(program: NamespaceProgram, isChange: (line: string) => boolean): Promise<void> {
    const ended = program.ended.then(() => undefined);
    for (;;) {
      const line = await Promise.race([ended, program.line().catch(() => undefined)]);
      if (line === undefined) return;
      if (!isChange(line)) continue;
      this.speak();
      this.#notify();
    }
  }

  /** Settles when it is so, which is asked with everything that happens in the ring. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const next = once(this.#changed, 'change');
      if (await isSo()) return;
      await next;
    }
  }

  /** Settles when a frame that was sent after now has reached both others. */
  async connected(): Promise<void> {
    const { b, theirs } = this.#stations;
    const from = this.#sent;
    await this.until(() =>
      [...b.copies.keys()].some((number) => number >= from && theirs.copies.has(number)),
    );
  }

  /** Nobody has heard anything twice, and the one who spoke has not heard itself. */
  assertNoCopies(): void {
    const { a, b, theirs } = this.#stations;
    assert.deepEqual([...a.copies], []);
    for (const { copies } of [b, theirs]) {
      assert.deepEqual(
        [...copies.values()].filter((count) => count > 1),
        [],
      );
    }
    assert.ok(this.#sent > 4, `${this.#sent} frames`);
  }

  #switch(name: string, spanningTree: TreeOptions): Switch {
    return new Switch(this.#clock, { name, random: this.#random, spanningTree });
  }

  #cable(name: Cable): ImpairedLink {
    const tap = openTap({ namespace: this.namespace.name, name, offload: false });
    return new ImpairedLink(tap, { clock: this.#clock, random: this.#random });
  }

  #watched(cable: Cable): Link {
    return new CapturedLink(this.#cables[cable], this.#clock, {
      frame: (_, direction, frame) => {
        if (!isBpduFrame(frame)) return;
        this.bpdus.push({ cable, isTheirs: direction === 'in', frame: copyBytes(frame) });
        this.#notify();
        this.#speakSoon();
      },
    });
  }

  #speakSoon(): void {
    setImmediate(() => {
      if (!this.#isClosed) this.speak();
    });
  }

  /** A station's link to one of ours. */
  #edge(to: Switch, number: number): Link {
    const settings = { spanningTree: { edge: true } };
    return to.port({ name: `s${number}`, mac: new MacAddress(0x0200, number), settings });
  }

  #station(link: Link): Station {
    return new Station(link, () => this.#notify());
  }

  #notify(): void {
    this.#changed.dispatchEvent(new Event('change'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    const cables = Object.values(this.#cables);
    await Promise.all([this.a.close(), this.b.close(), ...cables.map((link) => link.close())]);
    this.namespace[Symbol.dispose]();
  }
}

/** Role and state of the ports of a switch in the ring: to the other bridge, to the other one of ours. */
export function portsOf({ spanningTree }: Switch): string[] {
  return spanningTree!.ports
    .filter(({ port }) => port > 1)
    .map(({ role, state }) => `${role} ${state}`);
}
