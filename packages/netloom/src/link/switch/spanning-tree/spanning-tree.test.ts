/** The spanning tree in networks made by hand, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, seededRandom } from 'netloom/core';
import { BridgeIdentifier, emitBpduFrame, parseBpduFrame, type Bpdu } from 'netloom/wire';
import {
  BridgedNetwork,
  type Segment,
  type VirtualBridge,
} from '../../../../test/spanning-tree/virtual-bridges.ts';
import {
  SPANNING_TREE_DROP,
  SPANNING_TREE_STATE,
  SpanningTree,
  type SpanningTreeOptions,
  type SpanningTreePortOptions,
  type SpanningTreeSink,
} from './index.ts';

type Three<T> = readonly [T, T, T];

/** Three bridges, each joined with each: ab, bc, ac. The first has the best identifier. */
function triangle(options: Partial<SpanningTreeOptions> = {}): {
  network: BridgedNetwork;
  bridges: Three<VirtualBridge>;
  cables: Three<Segment>;
} {
  const network = new BridgedNetwork();
  const bridges = [
    network.bridge(options),
    network.bridge(options),
    network.bridge(options),
  ] as const;
  const [a, b, c] = bridges;
  const cables = [network.join([a, b]), network.join([b, c]), network.join([a, c])] as const;
  return { network, bridges, cables };
}

/** Roles and states of a bridge's ports, in short. */
function ports({ tree }: VirtualBridge): string[] {
  return tree.ports.map(({ role, state }) => `${role} ${state}`);
}

const NOTHING: SpanningTreeSink = { send() {}, state() {}, flush() {} };

/** A tree with ports that are up, and what it has sent and said; nothing is at the other ends. */
function alone(
  options: Partial<SpanningTreeOptions> = {},
  ...settings: Partial<SpanningTreePortOptions>[]
): { tree: SpanningTree; sent: Bpdu[]; said: string[]; run(from: number, to: number): void } {
  const sent: Bpdu[] = [];
  const said: string[] = [];
  const tree = new SpanningTree(
    { mac: new MacAddress(0x0200, 5), random: seededRandom(1), ...options },
    {
      send(_port, frame) {
        const bpdu = parseBpduFrame(frame);
        assert.ok(typeof bpdu !== 'string');
        sent.push(bpdu);
      },
      state: (port, state) => said.push(`${port} ${state}`),
      flush: (port) => said.push(`${port} flush`),
      topologyChanged: (port) => said.push(`${port} changed`),
      guarded: (port, why) => said.push(`${port} ${why}`),
    },
  );
  for (const [i, more] of settings.entries()) {
    tree.addPort(i + 1, { cost: 10, ...more }, 0);
    tree.portUp(i + 1, 0);
  }
  const run = (from: number, to: number): void => {
    for (let now = tree.deadline(); now <= to; now = tree.deadline()) {
      assert.ok(now >= from);
      tree.advance(now);
    }
  };
  return { tree, sent, said, run };
}

const TIMES = { messageAge: 0, maxAge: 20_000, helloTime: 2000, forwardDelay: 15_000 };

/** A configuration BPDU of a bridge, which claims to be the root unless told otherwise. */
function claim(priority: number, number: number, change: object = {}): Uint8Array {
  const bridge = new BridgeIdentifier(priority, new MacAddress(0x0200, number));
  const fields = { topologyChange: false, topologyChangeAcknowledgment: false, ...TIMES };
  const bpdu = { kind: 'configuration', root: bridge, rootPathCost: 0, bridge, port: 0x8001 };
  return emitBpduFrame({ ...bpdu, ...fields, ...change } as Bpdu, bridge.mac);
}

const RAPID = {
  kind: 'rapid',
  proposal: false,
  role: 'designated',
  learning: false,
  forwarding: false,
  agreement: false,
};

test('a triangle of rapid bridges: the best is the root, and the link furthest from it rests', () => {
  const { network, bridges } = triangle();
  network.run(1000);
  assert.deepEqual(bridges.map(ports), [
    ['designated forwarding', 'designated forwarding'],
    ['root forwarding', 'designated forwarding'],
    ['alternate discarding', 'root forwarding'],
  ]);
  assert.ok(network.lastChange < 300, `${network.lastChange} ms`);
  const [a, b] = bridges;
  assert.equal(a.tree.bridge.isRoot, true);
  assert.deepEqual(b.tree.bridge.root, a.tree.bridge.bridge);
  assert.equal(b.tree.bridge.rootPathCost, 20_000);
  assert.equal(b.tree.bridge.rootPort, 1);
  network.assertOneTree();
});

test('a triangle of rapid bridges heals at once when the active link goes, and when it comes back', () => {
  const { network, bridges, cables } = triangle();
  network.run(10_000);
  network.setUp(cables[2], false);
  network.run(1000);
  assert.deepEqual(ports(bridges[2]), ['root forwarding', 'disabled discarding']);
  // The alternate port takes over in the moment in which the link goes.
  assert.equal(network.lastChange, 10_000);
  network.assertOneTree();
  network.setUp(cables[2], true);
  network.run(1000);
  assert.deepEqual(ports(bridges[2]), ['alternate discarding', 'root forwarding']);
  network.assertOneTree();
});

test('a neighbour that falls silent is given up after three hellos', () => {
  const { network, bridges, cables } = triangle();
  network.run(10_000);
  cables[2].isCut = true;
  network.run(4000);
  assert.deepEqual(ports(bridges[2]), ['alternate discarding', 'root forwarding']);
  network.run(3000);
  assert.equal(ports(bridges[2])[0], 'root forwarding');
});

test('a triangle of the older protocol takes twice the forward delay, and so it does to heal', () => {
  const { network, bridges, cables } = triangle({ mode: 'stp' });
  network.run(14_999);
  assert.deepEqual(ports(bridges[0]), ['designated discarding', 'designated discarding']);
  network.run(1000);
  assert.deepEqual(ports(bridges[0]), ['designated learning', 'designated learning']);
  network.run(30_000);
  assert.equal(network.lastChange, 30_000);
  network.assertOneTree();
  network.setUp(cables[2], false);
  network.run(29_999);
  assert.equal(ports(bridges[2])[0], 'root learning');
  network.run(2);
  assert.equal(ports(bridges[2])[0], 'root forwarding');
  network.assertOneTree();
});

test('the older protocol believes a silent root until its word is too old', () => {
  const { network, bridges, cables } = triangle({ mode: 'stp' });
  network.run(60_000);
  cables[2].isCut = true;
  network.run(17_500);
  assert.equal(ports(bridges[2])[1], 'root forwarding');
  network.run(2500 + 30_000);
  assert.equal(ports(bridges[2])[0], 'root forwarding');
});

test('shorter delays are followed by all, since the root tells them', () => {
  const network = new BridgedNetwork();
  const quick = { helloTime: 1000, maxAge: 6000, forwardDelay: 4000 };
  const [a, b] = [network.bridge({ mode: 'stp', ...quick }), network.bridge({ mode: 'stp' })];
  network.join([a, b]);
  network.run(60_000);
  assert.deepEqual(
    [b.tree.bridge.helloTime, b.tree.bridge.maxAge, b.tree.bridge.forwardDelay],
    [1000, 6000, 4000],
  );
  // The first of the two delays had begun before the root was heard.
  assert.equal(network.lastChange, 15_000 + 4000);
});

test('a rapid bridge falls back on the port where the older protocol is heard, and on no other', () => {
  const network = new BridgedNetwork();
  const [a, b] = [network.bridge(), network.bridge()];
  const old = network.bridge({ mode: 'stp' });
  network.join([a, b]);
  network.join([b, old]);
  network.run(60_000);
  assert.deepEqual(
    b.tree.ports.map(({ protocol }) => protocol),
    ['rstp', 'stp'],
  );
  network.assertOneTree();
  const [, toOld] = b.tree.ports;
  assert.ok(toOld!.sent.configuration > 20);
  // It tries the newer one again when told to, in vain.
  b.tree.checkProtocol(2, network.now);
  assert.equal(b.tree.port(2)!.protocol, 'rstp');
  network.run(10_000);
  assert.equal(b.tree.port(2)!.protocol, 'stp');
});

test('the newer protocol is spoken again when the neighbour does, and not within three seconds', () => {
  const { tree, run } = alone({}, {});
  const protocolAfter = (now: number, frame: Uint8Array): string => {
    run(0, now);
    tree.receive(1, frame, now);
    return tree.port(1)!.protocol;
  };
  const [older, newer] = [claim(0x9000, 9), claim(0x9000, 9, RAPID)];
  assert.equal(protocolAfter(2900, older), 'rstp');
  assert.equal(protocolAfter(3100, older), 'stp');
  assert.equal(protocolAfter(6000, newer), 'stp');
  assert.equal(protocolAfter(6200, newer), 'rstp');
});

test('the root moves when a priority changes, and with the cost the way to it', () => {
  const { network, bridges } = triangle();
  const [a, b, c] = bridges;
  network.run(10_000);
  c.tree.setPriority(4096, network.now);
  network.run(1000);
  assert.equal(c.tree.bridge.isRoot, true);
  assert.deepEqual(a.tree.bridge.root, c.tree.bridge.bridge);
  assert.equal(String(c.tree.bridge.bridge), '1000.02:00:00:00:00:03');
  network.assertOneTree();
  assert.equal(b.tree.bridge.rootPort, 2);
  network.setCost(b, 2, 100_000);
  network.run(1000);
  assert.equal(b.tree.bridge.rootPort, 1);
  network.assertOneTree();
  assert.throws(() => c.tree.setPriority(1, network.now), { code: 'SPANNING_TREE_INVALID' });
});

test('of two cables between the same bridges one rests, and of two ports on one medium one is the backup', () => {
  const network = new BridgedNetwork();
  const [a, b] = [network.bridge(), network.bridge()];
  network.join([a, b]);
  network.join([a, b]);
  network.run(1000);
  assert.deepEqual(ports(b), ['root forwarding', 'alternate discarding']);
  network.join([b, b]);
  network.run(60_000);
  assert.deepEqual(ports(b).slice(2), ['designated forwarding', 'backup discarding']);
  network.assertNoLoop();
});

test('a port that hears no bridge is an edge after three seconds, and none any more when one comes', () => {
  const { tree, said, run } = alone({}, {}, { edge: true }, { edge: false });
  assert.deepEqual(said, ['2 learning', '2 forwarding']);
  run(0, 2999);
  assert.equal(said.length, 2);
  run(0, 3000);
  assert.deepEqual(said.slice(2), ['1 learning', '1 forwarding']);
  assert.deepEqual(
    tree.ports.map(({ edge }) => edge),
    [true, true, false],
  );
  tree.receive(1, claim(0x9000, 9, RAPID), 3500);
  assert.equal(tree.port(1)!.edge, false);
  // The port that must not be an edge takes the long way: the maximum age, and the forward delay.
  run(3000, 19_999);
  assert.equal(tree.port(3)!.state, 'discarding');
  run(20_000, 34_999);
  assert.equal(tree.port(3)!.state, 'learning');
  run(35_000, 35_000);
  assert.equal(tree.port(3)!.state, 'forwarding');
});

test('a change of the topology is told to all, and all forget; the edges tell nobody', () => {
  const { network, bridges, cables } = triangle();
  const [a, b, c] = bridges;
  network.run(10_000);
  for (const { flushed, changed } of bridges) flushed.length = changed.length = 0;
  const before = a.tree.bridge.topologyChanges;
  network.setUp(cables[2], false);
  network.run(1000);
  assert.ok(a.flushed.length > 0 && b.flushed.length > 0 && c.flushed.includes(2));
  assert.ok(a.tree.bridge.topologyChanges > before);
  assert.ok(a.tree.bridge.topologyChangedAt! >= 10_000);
  assert.ok(c.changed.includes(1));
  network.run(20_000);
  const flushes = a.flushed.length;
  network.join([a], { edge: true });
  network.run(20_000);
  assert.equal(a.flushed.length, flushes);
});

test('in the older protocol a change is notified to the root, acknowledged, and told by the root for its time', () => {
  const network = new BridgedNetwork();
  const old = { mode: 'stp' } as const;
  const [root, leaf] = [network.bridge(old), network.bridge(old)];
  const cable = network.join([root, leaf]);
  network.run(100_000);
  leaf.flushed.length = 0;
  const seen: string[] = [];
  network.watch = ({ segment }, frame) => {
    if (segment === cable) seen.push(changeOf(frame));
  };
  network.join([leaf]);
  network.run(45_000);
  const news = seen.filter((line) => line !== 'none');
  const acknowledged = news.indexOf('changed acknowledged');
  assert.ok(acknowledged >= 1 && acknowledged <= 3, news.join());
  assert.ok(news.slice(0, acknowledged).every((line) => line === 'notified'));
  assert.ok(news.slice(acknowledged + 1).every((line) => line === 'changed'));
  assert.deepEqual(leaf.flushed.includes(1), true);
  // For the maximum age and the forward delay: 35 s of hellos.
  network.run(30_000);
  assert.equal(seen.at(-1), 'none');
  const told = seen.filter((line) => line.startsWith('changed')).length;
  assert.ok(told >= 17 && told <= 20, `${told}`);
});

/** What a BPDU of the older protocol tells of a change. */
function changeOf(frame: Uint8Array): string {
  const bpdu = parseBpduFrame(frame);
  assert.ok(typeof bpdu !== 'string' && bpdu.kind !== 'rapid');
  if (bpdu.kind === 'topology-change-notification') return 'notified';
  if (!bpdu.topologyChange) return 'none';
  return bpdu.topologyChangeAcknowledgment ? 'changed acknowledged' : 'changed';
}

test('BPDU guard takes the port out of use until it goes down and up', () => {
  const { tree, said, run } = alone({}, { bpduGuard: true, edge: true });
  assert.equal(tree.port(1)!.state, 'forwarding');
  said.length = 0;
  tree.receive(1, claim(0x9000, 9), 100);
  assert.deepEqual(said, ['1 bpdu-guard', '1 discarding', '1 flush']);
  run(100, 10_000);
  assert.equal(tree.port(1)!.role, 'disabled');
  assert.equal(tree.port(1)!.guardedBy, 'bpdu-guard');
  tree.receive(1, claim(0x9000, 9), 10_000);
  assert.deepEqual(tree.port(1)!.drops.snapshot(), { 'bpdu-guard': 2 });
  tree.portDown(1, 11_000);
  tree.portUp(1, 11_000);
  assert.equal(tree.port(1)!.state, 'forwarding');
  assert.equal(tree.port(1)!.guardedBy, undefined);
  tree.receive(1, claim(0x9000, 9), 12_000);
  assert.equal(tree.port(1)!.guardedBy, 'bpdu-guard');
  tree.changePort(1, { bpduGuard: false }, 13_000);
  assert.equal(tree.port(1)!.guardedBy, undefined);
});

test('root guard shuts out a better root for as long as it claims to be one', () => {
  const { tree, said, run } = alone({}, { rootGuard: true }, {});
  run(0, 10_000);
  assert.equal(tree.port(1)!.state, 'forwarding');
  said.length = 0;
  tree.receive(1, claim(0, 9), 10_000);
  assert.equal(tree.bridge.isRoot, true);
  assert.equal(tree.port(1)!.role, 'alternate');
  assert.equal(tree.port(1)!.guardedBy, 'root-guard');
  assert.equal(said.filter((line) => line === '1 root-guard').length, 1);
  // The same claim by another port is followed.
  tree.receive(2, claim(0, 9), 10_000);
  assert.equal(tree.bridge.rootPort, 2);
  run(10_000, 60_000);
  assert.equal(tree.port(1)!.guardedBy, undefined);
  assert.equal(tree.port(1)!.state, 'forwarding');
});

test('no more BPDUs are sent than the hold count allows, whatever comes in', () => {
  const { tree, sent, run } = alone({ transmitHoldCount: 3 }, {}, {});
  run(0, 10_000);
  sent.length = 0;
  // Better and better roots, each to be told of by the other port.
  for (let i = 0; i < 40; i++) tree.receive(1, claim(0x7000, 1000 - i), 10_000);
  const configurations = sent.filter(({ kind }) => kind !== 'topology-change-notification').length;
  assert.ok(configurations <= 2 * 3, `${configurations}`);
  const before = sent.length;
  run(10_000, 15_000);
  assert.ok(sent.length - before <= 2 * 5, `${sent.length - before} in 5 s`);
  // Then there is room for as many at once again, but for a hello that has just gone.
  sent.length = 0;
  for (let i = 0; i < 40; i++) tree.receive(1, claim(0x6000, 1000 - i), 15_000);
  assert.ok(sent.length >= 2, `${sent.length}`);
});

test('a flood of BPDUs is cut, counted and forgotten', () => {
  const { tree } = alone({ limits: { receivedPerSecond: 10 } }, {}, {});
  const dropped: string[] = [];
  const stop = SPANNING_TREE_DROP.subscribe(({ subject, name }) => {
    if (subject === tree) dropped.push(name);
  });
  for (let i = 0; i < 100; i++) tree.receive(1, claim(0x9000, 9), 100);
  stop();
  assert.equal(dropped.length, 90);
  assert.deepEqual(tree.port(1)!.drops.snapshot(), { rate: 90 });
  assert.equal(tree.port(1)!.received.configuration, 10);
  tree.receive(2, claim(0x9000, 9), 100);
  tree.receive(1, claim(0x9000, 9), 1100);
  assert.equal(tree.drops.get('rate'), 90);
});

test('what is not for this port is dropped by reason', () => {
  const { tree } = alone({}, {});
  const mine = tree.bridge.bridge;
  const good = claim(0x9000, 9);
  tree.receive(1, claim(mine.priority, 5), 1);
  tree.receive(1, claim(0x1000, 9, { messageAge: 20_000 }), 1);
  tree.receive(1, good.subarray(0, 30), 1);
  tree.receive(1, good.with(16, 0), 1);
  tree.receive(7, good, 1);
  tree.portDown(1, 2);
  tree.receive(1, good, 3);
  assert.deepEqual(tree.drops.snapshot(), {
    'bad-version': 1,
    own: 1,
    'port-down': 1,
    'port-unknown': 1,
    'too-old': 1,
    truncated: 1,
  });
  assert.equal(tree.bridge.isRoot, true);
});

test('word that would be too old one bridge further on is not passed on', () => {
  const { tree } = alone({}, {}, {});
  tree.receive(1, claim(0x1000, 9, { messageAge: 19_500 }), 1);
  assert.equal(tree.bridge.isRoot, true);
  tree.receive(1, claim(0x1000, 9, { messageAge: 18_000 }), 2);
  assert.equal(tree.bridge.isRoot, false);
});

test('an agreement counts only once what it agrees to has been told for a while', () => {
  const { tree, sent, said, run } = alone({}, {});
  const agreement = (now: number): void => {
    const root = tree.bridge.bridge;
    const told = { ...RAPID, role: 'root', agreement: true, root, rootPathCost: 10 };
    tree.receive(1, claim(0x9000, 9, told), now);
  };
  assert.equal(sent.length, 1);
  agreement(50);
  assert.deepEqual(said, []);
  // It asks again by itself.
  run(0, 200);
  assert.equal(sent.length, 2);
  assert.ok(sent[1]!.kind === 'rapid' && sent[1]!.proposal);
  agreement(201);
  assert.deepEqual(said.slice(0, 2), ['1 learning', '1 forwarding']);
});

/** A root with three ports that forward: to the side of the best root to come, to a bridge below, which agrees or not, and to an edge. Then the proposal. */
function proposedTo(
  agrees: boolean,
  pointToPoint = true,
): { said: string[]; negotiation: string[] } {
  const { tree, sent, said, run } = alone({}, { pointToPoint }, {}, { edge: true });
  run(0, 20_000);
  const root = tree.bridge.bridge;
  const below = { ...RAPID, role: 'root', agreement: agrees, root, rootPathCost: 10 };
  tree.receive(2, claim(0x9000, 9, below), 20_500);
  assert.deepEqual(
    tree.ports.map(({ state }) => state),
    ['forwarding', 'forwarding', 'forwarding'],
  );
  said.length = sent.length = 0;
  tree.receive(1, claim(0x1000, 8, { ...RAPID, proposal: true }), 21_000);
  assert.deepEqual(
    tree.ports.map(({ role }) => role),
    ['root', 'designated', 'designated'],
  );
  const negotiation = sent.map((bpdu) => {
    assert.ok(bpdu.kind === 'rapid');
    return `${bpdu.role}${bpdu.proposal ? ' proposal' : ''}${bpdu.agreement ? ' agreement' : ''}`;
  });
  return { said: said.filter((line) => line.endsWith('ing')), negotiation: negotiation.toSorted() };
}

test('before it agrees to a proposal, a bridge has its own ports discard, and proposes in turn', () => {
  const { said, negotiation } = proposedTo(false);
  assert.deepEqual(said, ['2 discarding']);
  assert.deepEqual(negotiation, ['designated', 'designated proposal', 'root agreement']);
});

test('on a shared medium nobody is asked, and nobody’s agreement counts: others may not agree', () => {
  const { said } = proposedTo(false, false);
  assert.deepEqual(said, []);
  const { tree, run } = alone({}, { pointToPoint: false, edge: false });
  run(0, 1000);
  const root = tree.bridge.bridge;
  const told = { ...RAPID, role: 'root', agreement: true, root, rootPathCost: 10 };
  tree.receive(1, claim(0x9000, 9, told), 1000);
  assert.equal(tree.port(1)!.state, 'discarding');
  run(1000, 35_000);
  assert.equal(tree.port(1)!.state, 'forwarding');
});

test('bridges that have agreed to a worse root agree to a better one, and go on', () => {
  const { said, negotiation } = proposedTo(true);
  assert.deepEqual(said, []);
  assert.deepEqual(negotiation, ['designated', 'designated', 'root agreement']);
});

test('a neighbour that forwards as the designated bridge where we are it makes us discard', () => {
  const { tree, said, run } = alone({}, {});
  run(0, 3000);
  tree.receive(1, claim(0x9000, 9, { ...RAPID }), 3100);
  said.length = 0;
  tree.receive(1, claim(0x9000, 9, { ...RAPID, learning: true, forwarding: true }), 3200);
  assert.deepEqual(said, ['1 discarding']);
});

test('a bridge’s own word, heard at a backup port, is no way to the root', () => {
  const { tree, sent } = alone({}, {}, {}, {});
  tree.receive(1, claim(0x1000, 9), 10);
  assert.equal(tree.bridge.rootPort, 1);
  const own = sent.findLast(
    (bpdu) => bpdu.kind !== 'topology-change-notification' && bpdu.port === 0x8002,
  );
  tree.receive(3, emitBpduFrame(own!, tree.bridge.bridge.mac), 20);
  assert.equal(tree.port(3)!.role, 'backup');
  tree.portDown(1, 30);
  assert.equal(tree.bridge.isRoot, true);
});

test('a backup port that comes to lead to the root waits until its former peer must have heard of it', () => {
  const { tree, sent, run } = alone({}, {}, { edge: false });
  const own = sent.findLast((bpdu) => bpdu.kind !== 'topology-change-notification');
  assert.ok(own?.kind === 'rapid' && own.port === 0x8002);
  tree.receive(1, emitBpduFrame({ ...own, port: 0x7001 }, tree.bridge.bridge.mac), 20);
  assert.equal(tree.port(1)!.role, 'backup');
  for (let now = 1000; now <= 5000; now += 1000) {
    run(0, now);
    tree.receive(1, claim(0x1000, 9, RAPID), now);
    assert.equal(tree.port(1)!.role, 'root');
    // Two hellos from the first claim on.
    assert.equal(tree.port(1)!.state, now < 5000 ? 'discarding' : 'forwarding', `${now}`);
  }
});

test('of two ports on the root’s medium the one with the better identifier leads to it', () => {
  const { tree } = alone({}, {}, {});
  for (const port of [2, 1]) tree.receive(port, claim(0x1000, 9), 10);
  assert.equal(tree.bridge.rootPort, 1);
  tree.changePort(2, { priority: 16 }, 20);
  assert.equal(tree.bridge.rootPort, 2);
  assert.equal(tree.port(2)!.identifier, 0x1002);
  assert.equal(tree.port(1)!.role, 'alternate');
});

test('a port’s newer word takes the place of its better one', () => {
  const { tree } = alone({}, {}, {});
  tree.receive(1, claim(0x1000, 9), 10);
  assert.equal(tree.bridge.rootPathCost, 10);
  const root = new BridgeIdentifier(0x1000, new MacAddress(0x0200, 9));
  tree.receive(1, claim(0x1000, 9, { root, rootPathCost: 500 }), 20);
  assert.equal(tree.bridge.rootPathCost, 510);
  tree.receive(1, claim(0x1000, 9, { root, rootPathCost: 0xffff_ffff, helloTime: 0 }), 30);
  assert.equal(tree.bridge.rootPathCost, 0xffff_ffff);
  assert.equal(tree.bridge.helloTime, 1000);
});

test('an owner without ports has nothing to wait for, and a removed port is no more', () => {
  const { tree, said, run } = alone({}, {}, {});
  run(0, 5000);
  tree.receive(1, claim(0x1000, 9), 5000);
  assert.equal(tree.bridge.rootPort, 1);
  said.length = 0;
  tree.removePort(1, 5001);
  tree.removePort(1, 5001);
  assert.equal(tree.bridge.isRoot, true);
  assert.equal(tree.port(1), undefined);
  assert.deepEqual(
    said.filter((line) => line.startsWith('1')),
    [],
  );
  tree.portDown(2, 5002);
  tree.removePort(2, 5003);
  assert.equal(tree.deadline(), Infinity);
  assert.deepEqual(tree.ports, []);
});

/** One without ports, whose doings nobody hears. */
function made(options: Partial<SpanningTreeOptions>): SpanningTree {
  return new SpanningTree(
    { mac: new MacAddress(0x0200, 1), random: seededRandom(1), ...options },
    NOTHING,
  );
}

test('a port that is down waits for nothing', () => {
  const tree = made({});
  tree.addPort(1, { cost: 10 }, 0);
  assert.equal(tree.deadline(), Infinity);
  tree.advance(1e9);
  assert.deepEqual(
    [tree.port(1)!.role, tree.port(1)!.state, tree.port(1)!.up],
    ['disabled', 'discarding', false],
  );
});

test('a handler may call anything: what it causes is told after what there is', () => {
  const said: string[] = [];
  const tree: SpanningTree = new SpanningTree(
    { mac: new MacAddress(0x0200, 1), random: seededRandom(1) },
    {
      send() {},
      flush() {},
      state(port, state) {
        said.push(`${port} ${state}`);
        if (port === 1 && state === 'learning') tree.portUp(2, 5);
        if (port === 1 && state === 'forwarding') tree.removePort(1, 5);
        said.push('.');
      },
    },
  );
  for (const port of [1, 2]) tree.addPort(port, { cost: 10, edge: true }, 0);
  tree.portUp(1, 0);
  const order = '1 learning . 1 forwarding . 2 learning . 2 forwarding .';
  assert.equal(said.join(' '), order);
  assert.equal(tree.port(1), undefined);
});

test('nothing is told of a port that was removed meanwhile', () => {
  const said: string[] = [];
  const tree: SpanningTree = new SpanningTree(
    { mac: new MacAddress(0x0200, 1), random: seededRandom(1) },
    {
      send: (port) => said.push(`${port} send`),
      flush() {},
      state(port, state) {
        said.push(`${port} ${state}`);
        tree.removePort(port, 5);
      },
    },
  );
  tree.addPort(1, { cost: 10, edge: true }, 0);
  tree.portUp(1, 0);
  assert.deepEqual(said, ['1 learning']);
});

test('states are published', () => {
  const seen: string[] = [];
  const stop = SPANNING_TREE_STATE.subscribe(({ port, state }) => seen.push(`${port} ${state}`));
  alone({}, { edge: true });
  stop();
  alone({}, { edge: true });
  assert.deepEqual(seen, ['1 learning', '1 forwarding']);
});

test('settings that make no sense are refused, with the range', () => {
  for (const options of [
    { priority: 100 },
    { priority: 65_536 },
    { helloTime: 500 },
    { maxAge: 1000 },
    { forwardDelay: Number.NaN },
    { transmitHoldCount: 0 },
    { maxAge: 40_000 },
    { helloTime: 10_000 },
  ]) {
    assert.throws(() => made(options), { code: 'SPANNING_TREE_INVALID' }, JSON.stringify(options));
  }
  const tree = made({ limits: { ports: 2 } });
  for (const settings of [{ cost: 0 }, { cost: 1.5 }, { cost: 1, priority: 17 }]) {
    assert.throws(() => tree.addPort(1, settings, 0), { code: 'SPANNING_TREE_INVALID' });
  }
  for (const port of [0, 4096, 1.5]) {
    assert.throws(() => tree.addPort(port, { cost: 1 }, 0), { code: 'SPANNING_TREE_INVALID' });
  }
  tree.addPort(1, { cost: 1 }, 0);
  assert.throws(() => tree.addPort(1, { cost: 1 }, 0), { code: 'SPANNING_TREE_INVALID' });
  assert.throws(() => tree.portUp(2, 0), { code: 'SPANNING_TREE_INVALID' });
  tree.addPort(2, { cost: 1 }, 0);
  assert.throws(() => tree.addPort(3, { cost: 1 }, 0), { code: 'SPANNING_TREE_FULL' });
});
