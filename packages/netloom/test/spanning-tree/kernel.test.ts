/** Two of our switches and the Linux bridge in a ring: one tree, healed when the active link goes, and never a frame twice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MacAddress, equalBytes, readUint16, seededRandom, toHex, writeUint16 } from 'netloom/core';
import { SystemClock } from 'netloom/host';
import {
  SPANNING_TREE_STATE,
  Switch,
  linkPair,
  type Link,
  type SpanningTreeMode,
} from 'netloom/link';
import { openTap } from 'netloom/link/tap';
import { emitBpduFrame, isBpduFrame, parseBpduFrame } from 'netloom/wire';
import { KernelNamespace, tapObstacle } from '../kernel-namespace.ts';
import { program, requires } from '../requires.ts';

/** The shortest times that the standard allows with a hello time of a second: a root tells them to all. */
const TIMES = { helloTime: 1000, maxAge: 6000, forwardDelay: 4000 };
const KERNEL_TIMES = 'hello_time 100 max_age 600 forward_delay 400'.split(' ');
/** For local experiments (IEEE 802, 9.2.3). */
const EXPERIMENT = 0x88b5;

/** A station that counts the numbered broadcasts it hears. */
class Station {
  readonly copies = new Map<number, number>();
  /** Frames of the kernel's bridge. */
  readonly bpdus: Uint8Array[] = [];
  readonly #link: Link;

  constructor(link: Link, heard: () => void) {
    this.#link = link;
    link.attach({
      receive: (frame) => {
        if (isBpduFrame(frame)) this.bpdus.push(new Uint8Array(frame));
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

/** The ring, with a station at each of its bridges. */
class Ring implements AsyncDisposable {
  readonly namespace: KernelNamespace;
  readonly a: Switch;
  readonly b: Switch;
  /** At ours, the first of which speaks; and at the kernel's. */
  readonly stations: Record<'a' | 'b' | 'kernel', Station>;
  readonly #links: Link[] = [];
  readonly #stop: () => void;
  #sent = 0;
  #arrived: (() => void) | undefined;

  /** @param kernelPriority 0: the kernel's bridge is the root; 61,440: the first of ours is */
  constructor(mode: SpanningTreeMode, kernelPriority: number) {
    this.namespace = new KernelNamespace(`tree-${mode}`);
    const { namespace } = this;
    const clock = new SystemClock();
    const random = seededRandom(1);
    const spanningTree = { mode, ...TIMES };
    const first = { ...spanningTree, priority: 4096 };
    this.a = new Switch(clock, { name: 'a', random, spanningTree: first });
    this.b = new Switch(clock, { name: 'b', random, spanningTree });
    const bridge = ['link', 'add', 'name', 'br0', 'type', 'bridge', 'stp_state', '1'];
    namespace.ip(...bridge, 'priority', `${kernelPriority}`, ...KERNEL_TIMES);
    this.a.connect(this.#tap('tapa'));
    this.b.connect(this.#tap('tapb'));
    const [toB, toA] = linkPair(clock, { names: ['ab', 'ba'] });
    this.a.connect(toB);
    this.b.connect(toA);
    const edge = { settings: { spanningTree: { edge: true } } };
    const heard = (): void => this.#arrived?.();
    this.stations = {
      a: new Station(this.a.port({ name: 'sa', mac: new MacAddress(0x0200, 1), ...edge }), heard),
      b: new Station(this.b.port({ name: 'sb', mac: new MacAddress(0x0200, 2), ...edge }), heard),
      kernel: new Station(this.#tap('tapc'), heard),
    };
    namespace.ip('link', 'set', 'br0', 'up');
    // With every step that anybody takes, one more frame: were there a loop, it would be seen.
    const speak = (): void => this.#speak();
    this.#stop = SPANNING_TREE_STATE.subscribe(() => setImmediate(speak));
    void this.#followKernel();
  }

  #tap(name: string): Link {
    const link = openTap({ namespace: this.namespace.name, name, offload: false });
    this.namespace.ip('link', 'set', name, 'master', 'br0');
    this.#links.push(link);
    return link;
  }

  /** Speaks with every change that the kernel tells of its ports. */
  async #followKernel(): Promise<void> {
    const monitor = this.namespace.startProgram('bridge', 'monitor', 'link');
    try {
      for (;;) {
        await monitor.line();
        this.#speak();
      }
    } catch {
      // It ends with the namespace.
    }
  }

  #speak(): void {
    this.stations.a.broadcast(this.#sent++);
  }

  /** Resolves when a frame that was sent after now has reached both others. */
  async connected(): Promise<void> {
    const { b, kernel } = this.stations;
    const from = this.#sent;
    const isThere = (): boolean =>
      [...b.copies.keys()].some((number) => number >= from && kernel.copies.has(number));
    while (!isThere()) {
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  /** Nobody has heard anything twice, and the one who spoke has not heard itself. */
  assertNoCopies(): void {
    const { a, b, kernel } = this.stations;
    assert.deepEqual([...a.copies], []);
    for (const { copies } of [b, kernel]) {
      assert.deepEqual(
        [...copies.values()].filter((count) => count > 1),
        [],
      );
    }
    assert.ok(this.#sent > 4, `${this.#sent} frames`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await Promise.all([this.a.close(), this.b.close(), ...this.#links.map((link) => link.close())]);
    this.namespace[Symbol.dispose]();
  }
}

/** Role and state of the ports of a switch: to the kernel, to the other one. */
function portsOf({ spanningTree }: Switch): string[] {
  return spanningTree!.ports.slice(0, 2).map(({ role, state }) => `${role} ${state}`);
}

/** BPDUs of the kernel are read, and written as they were. */
function assertSameBytes(frames: readonly Uint8Array[]): void {
  assert.ok(frames.length > 2, `${frames.length} BPDUs`);
  for (const frame of frames) {
    const bpdu = parseBpduFrame(frame);
    assert.ok(typeof bpdu !== 'string', toHex(frame));
    const again = emitBpduFrame(bpdu, MacAddress.read(frame, 6));
    assert.ok(equalBytes(again, frame), `${toHex(again)} is not ${toHex(frame)}`);
  }
}

const options = { skip: requires(tapObstacle, program('bridge')), timeout: 90_000 };

describe('with the Linux bridge', { concurrency: true }, () => {
  for (const mode of ['rstp', 'stp'] as const) {
    test(
      `a ring of it, as the root, and two of ours, which speak ${mode}, becomes a tree and heals`,
      options,
      async () => {
        await using ring = new Ring(mode, 0);
        const [a, b] = [ring.a.spanningTree!, ring.b.spanningTree!];
        await ring.connected();
        assert.deepEqual(portsOf(ring.a), ['root forwarding', 'designated forwarding']);
        assert.deepEqual(portsOf(ring.b), ['root forwarding', 'alternate discarding']);
        assert.equal(a.bridge.root.priority, 0);
        assert.deepEqual(a.bridge.root, b.bridge.root);
        // The kernel speaks the older protocol only.
        assert.equal(a.port(1)!.protocol, 'stp');
        assertSameBytes(ring.stations.kernel.bpdus);

        // The bridge goes away from one end, and nobody is told.
        ring.namespace.ip('link', 'set', 'tapa', 'nomaster');
        await ring.connected();
        assert.equal(a.bridge.rootPort, 2);
        assert.equal(b.port(2)!.role, 'designated');
        ring.assertNoCopies();
      },
    );
  }

  test('a ring in which one of ours is the root becomes a tree and heals', options, async () => {
    await using ring = new Ring('rstp', 61_440);
    await ring.connected();
    assert.deepEqual(portsOf(ring.a), ['designated forwarding', 'designated forwarding']);
    // The kernel takes a TAP for a cheap way, so it is the second of ours that rests.
    assert.deepEqual(portsOf(ring.b), ['alternate discarding', 'root forwarding']);
    assert.ok(ring.a.spanningTree!.port(1)!.received['topology-change-notification'] > 0);
    assertSameBytes(ring.stations.kernel.bpdus);

    ring.namespace.ip('link', 'set', 'tapa', 'nomaster');
    await ring.connected();
    assert.deepEqual(portsOf(ring.b), ['designated forwarding', 'root forwarding']);
    ring.assertNoCopies();
  });
});
