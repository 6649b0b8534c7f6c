import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, ManualClock, seededRandom } from '../../core/index.ts';
import { Recorder } from '../frame-recorder.ts';
import type { Link } from '../link.ts';
import { linkPair } from '../pair.ts';
import type { PortSettings } from './settings.ts';
import type { SpanningTreeMode } from './spanning-tree/index.ts';
import { Switch } from './switch.ts';
import { seen, stationMac, testFrame } from './switch-world.ts';

const BPDU = MacAddress.parse('01:80:c2:00:00:00');

/** A ring of three switches, each with one station. */
class Ring {
  readonly clock = new ManualClock();
  readonly switches: Switch[];
  readonly stations: Link[];
  readonly recorders = [0, 1, 2].map(() => new Recorder());
  /** From switch i to switch i + 1. */
  readonly cables: Link[] = [];

  constructor(mode: SpanningTreeMode, station: Partial<PortSettings> = {}) {
    this.switches = [1, 2, 3].map(
      (number) =>
        new Switch(this.clock, {
          random: seededRandom(number),
          mac: new MacAddress(0x0200, 0x0100_0000 + number),
          spanningTree: { mode },
        }),
    );
    this.stations = this.switches.map((bridge, number) =>
      bridge.port({ name: `s${number}`, mac: stationMac(number), settings: station }),
    );
    this.stations.forEach((link, number) => link.attach(this.recorders[number]!));
    this.switches.forEach((bridge, number) => {
      const ends = linkPair(this.clock, { names: [`c${number}`, `d${number}`] });
      bridge.connect(ends[0]);
      this.switches[(number + 1) % 3]!.connect(ends[1]);
      this.cables.push(ends[0]);
    });
  }

  /** A station sends to all: how often each of the others has received it, BPDUs aside. */
  broadcast(from: number): number[] {
    for (const recorder of this.recorders) recorder.received.length = 0;
    const frame = testFrame({ from: stationMac(from), to: MacAddress.BROADCAST, number: 4711 });
    this.stations[from]!.transmit(frame);
    this.clock.runDeferred();
    return this.recorders.map(
      ({ received }) => received.filter(({ frame }) => seen(frame).number === 4711).length,
    );
  }

  /** The ports that do not forward, as `switch/port`. */
  blocked(): string[] {
    return this.switches.flatMap(({ ports }, number) =>
      ports.filter(({ state }) => state !== 'forwarding').map(({ name }) => `${number}/${name}`),
    );
  }
}

/** Virtual milliseconds after which a tree must have grown. */
const GROWN: Record<SpanningTreeMode, number> = { rstp: 10_000, stp: 60_000 };

for (const mode of ['rstp', 'stp'] as const) {
  test(`${mode}: a ring of switches forwards each frame once, also when a cable has been cut`, () => {
    const ring = new Ring(mode);
    assert.deepEqual(ring.broadcast(0), [0, 0, 0], 'before the tree has grown nothing passes');
    ring.clock.advance(GROWN[mode]);
    assert.equal(ring.blocked().length, 1);
    for (const from of [0, 1, 2]) {
      assert.deepEqual(ring.broadcast(from), [1, 1, 1].with(from, 0));
    }
    assert.equal(ring.switches.filter((bridge) => bridge.spanningTree!.bridge.isRoot).length, 1);
    // A cable that was in use: one whose ends both forward.
    const blocked = ring.blocked().map((name) => name.split('/')[1]!.slice(1));
    const cut = [0, 1, 2].find((number) => !blocked.includes(`${number}`))!;
    void ring.cables[cut]!.close();
    ring.clock.advance(2 * GROWN[mode]);
    assert.deepEqual(ring.blocked(), []);
    for (const from of [0, 1, 2]) {
      assert.deepEqual(ring.broadcast(from), [1, 1, 1].with(from, 0));
    }
  });
}

test('a change of the topology has stations forgotten that are somewhere else now', () => {
  const ring = new Ring('rstp');
  ring.clock.advance(GROWN.rstp);
  for (const from of [0, 1, 2]) ring.broadcast(from);
  const [first] = ring.switches;
  assert.equal(first!.stations().length, 3);
  const blocked = ring.blocked()[0]!.split('/')[1]!.slice(1);
  const cut = [0, 1, 2].find((number) => `${number}` !== blocked)!;
  void ring.cables[cut]!.close();
  ring.clock.advance(GROWN.rstp + 5000);
  // Each talks to the next, and reaches it, although nobody has sent to all since.
  for (const [number, link] of ring.stations.entries()) {
    const to = (number + 1) % 3;
    link.transmit(
      testFrame({ from: stationMac(number), to: stationMac(to), number: 900 + number }),
    );
    ring.clock.runDeferred();
    const numbers = ring.recorders[to]!.received.map(({ frame }) => seen(frame).number);
    assert.equal(numbers.filter((seenNumber) => seenNumber === 900 + number).length, 1);
  }
});

test('a port that only learns, learns', () => {
  const ring = new Ring('stp');
  const [bridge] = ring.switches;
  // Listening takes 15 seconds, and so does learning.
  ring.clock.advance(14_000);
  ring.broadcast(0);
  assert.equal(bridge!.ports[0]!.state, 'discarding');
  assert.equal(bridge!.stations().length, 0);
  ring.clock.advance(20_000);
  assert.equal(bridge!.ports[0]!.state, 'learning');
  ring.broadcast(0);
  assert.equal(bridge!.stations().length, 1);
  assert.equal(bridge!.ports[0]!.statistics.drops.get('blocked'), 2);
});

test('settings of a port reach the tree, at first and later, and those that make no sense change nothing', () => {
  const ring = new Ring('rstp', { spanningTree: { edge: true } });
  ring.clock.advance(100);
  assert.deepEqual(
    ring.switches.map(({ ports }) => ports[0]!.state),
    ['forwarding', 'forwarding', 'forwarding'],
    'an edge forwards at once',
  );
  const [bridge] = ring.switches;
  const port = bridge!.ports[0]!;
  port.configure({ spanningTree: { cost: 7 } });
  assert.equal(bridge!.spanningTree!.port(1)!.cost, 7);
  assert.throws(() => port.configure({ spanningTree: { cost: -1 }, isolated: true }), {
    code: 'SPANNING_TREE_INVALID',
  });
  assert.equal(port.settings.isolated, false);
  const [link] = linkPair(ring.clock);
  assert.throws(() => bridge!.connect(link, { spanningTree: { priority: 1 } }), {
    code: 'SPANNING_TREE_INVALID',
  });
  assert.equal(bridge!.ports.length, 3);
});

test('BPDU guard shuts the port of a station that sends BPDUs, whatever it is a member of', () => {
  const vlan = { mode: 'trunk', allowed: [5] } as const;
  const ring = new Ring('rstp', { vlan, spanningTree: { edge: true, bpduGuard: true } });
  const [bridge, other] = ring.switches;
  ring.clock.advance(100);
  const bpdu = new Recorder();
  const [near, far] = linkPair(ring.clock);
  near.attach(bpdu);
  other!.connect(far);
  ring.clock.advance(5000);
  const { frame } = bpdu.received.find(({ frame: each }) => MacAddress.read(each, 0).equals(BPDU))!;
  assert.equal(bridge!.ports[0]!.state, 'forwarding');
  ring.stations[0]!.transmit(frame);
  ring.clock.runDeferred();
  assert.equal(bridge!.ports[0]!.state, 'discarding');
  assert.equal(bridge!.spanningTree!.port(1)!.guardedBy, 'bpdu-guard');
});

test('when the ports are gone the tree waits for nothing', async () => {
  const ring = new Ring('rstp');
  ring.clock.advance(20_000);
  const closed = Promise.all(ring.switches.map((bridge) => bridge.close()));
  ring.clock.runDeferred();
  await closed;
  ring.clock.advance(30_000);
  assert.deepEqual(
    ring.switches.map(({ spanningTree }) => spanningTree!.ports.length),
    [0, 0, 0],
  );
  assert.equal(ring.clock.deadline(), Infinity);
});
