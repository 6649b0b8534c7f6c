/** Whatever comes in: the machines come to rest, nothing is thrown, and no more is sent than is allowed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MacAddress, seededRandom } from 'netloom/core';
import { BridgeIdentifier, emitBpduFrame, type Bpdu } from 'netloom/wire';
import { bool, bytes, record } from '../../../../test/arbitraries.ts';
import { SpanningTree, type SpanningTreeMode } from './index.ts';

const PORTS = 3;
const HOLD_COUNT = 6;

/** Few values, so that messages are better, worse, and the same as others. */
const identifier = fc
  .tuple(fc.constantFrom(0, 0x1000, 0x8000, 0xffff), fc.integer({ min: 4, max: 7 }))
  .map(([priority, number]) => new BridgeIdentifier(priority, new MacAddress(0x0200, number)));
const time = fc.constantFrom(0, 1000, 2000, 15_000, 20_000, 255_000);
const told = {
  topologyChange: bool,
  topologyChangeAcknowledgment: bool,
  root: identifier,
  rootPathCost: fc.constantFrom(0, 10, 20, 0xffff_ffff),
  bridge: identifier,
  port: fc.constantFrom(0, 0x8001, 0x8002, 0xffff),
  messageAge: time,
  maxAge: time,
  helloTime: time,
  forwardDelay: time,
};
const bpdu: fc.Arbitrary<Bpdu> = fc.oneof(
  record({ kind: fc.constant('configuration' as const), ...told }),
  record({
    kind: fc.constant('rapid' as const),
    ...told,
    proposal: bool,
    role: fc.constantFrom('unknown', 'alternate-or-backup', 'root', 'designated'),
    learning: bool,
    forwarding: bool,
    agreement: bool,
  }),
  fc.constant<Bpdu>({ kind: 'topology-change-notification' }),
);
const frame = fc.oneof(
  { weight: 9, arbitrary: bpdu.map((value) => emitBpduFrame(value, MacAddress.ZERO)) },
  { weight: 1, arbitrary: bytes(60) },
);
const happening = fc.record({
  what: fc.constantFrom('frame', 'frame', 'frame', 'frame', 'wait', 'up', 'down', 'priority'),
  port: fc.integer({ min: 1, max: PORTS }),
  frame,
  wait: fc.constantFrom(0, 0, 1, 200, 1000, 7000, 40_000),
});

test('any frames, at any time, on any ports', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<SpanningTreeMode>('rstp', 'stp'),
      fc.array(happening, { maxLength: 60 }),
      fc.nat(),
      (mode, happenings, seed) => {
        let now = 0;
        const sent: { port: number; at: number }[] = [];
        const tree = new SpanningTree(
          { mac: new MacAddress(0x0200, 5), random: seededRandom(seed), mode },
          { send: (port) => sent.push({ port, at: now }), state() {}, flush() {} },
        );
        for (let port = 1; port <= PORTS; port++) {
          // One of each kind: with guards, on a shared medium, plain.
          tree.addPort(port, { cost: 10, rootGuard: port === 1, pointToPoint: port !== 2 }, now);
          tree.portUp(port, now);
        }
        for (const { what, port, wait, ...given } of happenings) {
          if (what === 'frame') tree.receive(port, given.frame, now);
          if (what === 'up') tree.portUp(port, now);
          if (what === 'down') tree.portDown(port, now);
          if (what === 'priority') tree.setPriority(4096 * port, now);
          const until = now + wait;
          for (let next = tree.deadline(); next <= until; next = tree.deadline()) {
            assert.ok(next >= now, `a deadline at ${next} that has passed at ${now}`);
            now = next;
            tree.advance(now);
          }
          now = until;
          assertConsistent(tree);
        }
        assertHeld(sent, happenings.filter(({ what }) => what === 'up').length);
      },
    ),
    { numRuns: 400 },
  );
});

/** There is a root port unless this is the root; and ports forward in their roles only. */
function assertConsistent(tree: SpanningTree): void {
  const { isRoot, rootPort } = tree.bridge;
  assert.equal(rootPort === undefined, isRoot);
  for (const { port, role, state, up } of tree.ports) {
    assert.equal(role === 'root', port === rootPort);
    if (role === 'alternate' || role === 'backup' || role === 'disabled') {
      assert.equal(state, 'discarding');
    }
    assert.equal(role === 'disabled', !up);
  }
}

/** In no second more than the hold count and one; a port that goes down and up begins anew. */
function assertHeld(sent: readonly { port: number; at: number }[], restarts: number): void {
  for (const { port, at } of sent) {
    const within = sent.filter(
      (other) => other.port === port && other.at >= at && other.at < at + 1000,
    );
    assert.ok(within.length <= (HOLD_COUNT + 1) * (1 + restarts), `${within.length} in a second`);
  }
}
