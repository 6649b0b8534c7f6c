/** Two of our switches and the Linux bridge in a ring: one tree, healed when the active link goes, and never a frame twice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MacAddress, equalBytes, toHex } from 'netloom/core';
import type { SpanningTreeMode } from 'netloom/link';
import { emitBpduFrame, parseBpduFrame } from 'netloom/wire';
import { tapObstacle } from '../kernel-namespace.ts';
import { program, requires } from '../requires.ts';
import { CABLES, Ring, portsOf } from './ring.ts';

/** The shortest times that the standard allows with a hello time of a second: a root tells them to all. */
const TIMES = { helloTime: 1000, maxAge: 6000, forwardDelay: 4000 };
const KERNEL_TIMES = 'hello_time 100 max_age 600 forward_delay 400'.split(' ');

/** @param kernelPriority 0: the kernel's bridge is the root; 61,440: the first of ours is */
function ringWithKernel(mode: SpanningTreeMode, kernelPriority: number): Ring {
  const tree = { mode, ...TIMES };
  const ring = new Ring({ label: mode, a: { ...tree, priority: 4096 }, b: tree });
  const { namespace } = ring;
  const bridge = ['link', 'add', 'name', 'br0', 'type', 'bridge', 'stp_state', '1'];
  namespace.ip(...bridge, 'priority', `${kernelPriority}`, ...KERNEL_TIMES);
  for (const cable of CABLES) namespace.ip('link', 'set', cable, 'master', 'br0');
  ring.connect();
  namespace.ip('link', 'set', 'br0', 'up');
  void ring.follow(namespace.startProgram('bridge', 'monitor', 'link'), () => true);
  return ring;
}

/** BPDUs of the kernel are read, and written as they were. */
function assertSameBytes(ring: Ring): void {
  const frames = ring.bpdus.filter(({ isTheirs }) => isTheirs).map(({ frame }) => frame);
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
        await using ring = ringWithKernel(mode, 0);
        const [a, b] = [ring.a.spanningTree!, ring.b.spanningTree!];
        await ring.connected();
        assert.deepEqual(portsOf(ring.a), ['root forwarding', 'designated forwarding']);
        assert.deepEqual(portsOf(ring.b), ['root forwarding', 'alternate discarding']);
        assert.equal(a.bridge.root.priority, 0);
        assert.deepEqual(a.bridge.root, b.bridge.root);
        // The kernel speaks the older protocol only.
        assert.equal(a.port(2)!.protocol, 'stp');
        assertSameBytes(ring);

        // The bridge goes away from one end, and nobody is told.
        ring.namespace.ip('link', 'set', 'tapa', 'nomaster');
        await ring.connected();
        assert.equal(a.bridge.rootPort, 3);
        assert.equal(b.port(3)!.role, 'designated');
        ring.assertNoCopies();
      },
    );
  }

  test('a ring in which one of ours is the root becomes a tree and heals', options, async () => {
    await using ring = ringWithKernel('rstp', 61_440);
    await ring.connected();
    assert.deepEqual(portsOf(ring.a), ['designated forwarding', 'designated forwarding']);
    // The kernel takes a TAP for a cheap way, so it is the second of ours that rests.
    assert.deepEqual(portsOf(ring.b), ['alternate discarding', 'root forwarding']);
    assert.ok(ring.a.spanningTree!.port(2)!.received['topology-change-notification'] > 0);
    assertSameBytes(ring);

    ring.namespace.ip('link', 'set', 'tapa', 'nomaster');
    await ring.connected();
    assert.deepEqual(portsOf(ring.b), ['designated forwarding', 'root forwarding']);
    ring.assertNoCopies();
  });
});
