import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, ManualClock, seededRandom } from '../../core/index.ts';
import { LinkStatistics, NO_OFFLOAD, type Link, type LinkHandler } from '../link.ts';
import { linkPair } from '../pair.ts';
import { SWITCH_DROP } from './statistics.ts';
import { Switch } from './switch.ts';
import { seen, stationMac, SwitchWorld, testFrame, TEST_GROUP } from './switch-world.ts';

/** A switch with so many stations that it knows already. */
function worldOf(count: number, ...options: ConstructorParameters<typeof SwitchWorld>) {
  const world = new SwitchWorld(...options);
  const stations = Array.from({ length: count }, () => world.station());
  for (const station of stations) world.send(station, MacAddress.BROADCAST, 0);
  world.takeNumbers();
  return { world, stations };
}

test('what is unknown goes everywhere but back; what is known goes where it is', () => {
  const world = new SwitchWorld();
  const [a, b] = [world.station(), world.station(), world.station()];
  world.send(a!, b!, 1);
  assert.deepEqual(world.takeNumbers(), [[], [1], [1]]);
  world.send(b!, a!, 2);
  assert.deepEqual(world.takeNumbers(), [[2], [], []]);
  world.send(a!, b!, 3);
  assert.deepEqual(world.takeNumbers(), [[], [3], []]);
});

test('broadcast and groups go everywhere but back', () => {
  const { world, stations } = worldOf(3);
  world.send(stations[1]!, MacAddress.BROADCAST, 1);
  world.send(stations[1]!, TEST_GROUP, 2);
  assert.deepEqual(world.takeNumbers(), [[1, 2], [], [1, 2]]);
});

test('a frame for a station behind the port it came by goes nowhere', () => {
  const { world, stations } = worldOf(2);
  const [a] = stations;
  a!.send(testFrame({ from: stationMac(77), to: a!.mac, number: 1 }));
  world.clock.runDeferred();
  assert.deepEqual(world.takeNumbers(), [[], []]);
  assert.equal(a!.port.statistics.drops.get('same-port'), 1);
});

test('a station that moves is found at its new port with its first frame there', () => {
  const { world, stations } = worldOf(3);
  const [a, b, c] = stations;
  b!.send(testFrame({ from: a!.mac, to: c!.mac, number: 1 }));
  world.clock.runDeferred();
  world.send(c!, a!, 2);
  assert.deepEqual(world.takeNumbers(), [[], [2], [1]]);
  assert.equal(b!.port.statistics.stationMoves, 1);
  assert.deepEqual([a!.port.stationCount, b!.port.stationCount], [0, 2]);
});

test('a silent station is forgotten exactly after the ageing time; one that talks is not', () => {
  const { world, stations } = worldOf(3, { ageing: 1000 });
  const [a, b, c] = stations;
  world.clock.advance(900);
  world.send(a!, b!, 1);
  world.clock.advance(999);
  world.send(a!, c!, 2);
  assert.deepEqual(world.takeNumbers(), [[], [1], [2]]);
  world.clock.advance(1000);
  assert.deepEqual(
    world.switch.stations().map(({ port, seenAt }) => [port.name, seenAt]),
    [['s0', 999]],
  );
  world.send(a!, c!, 3);
  assert.deepEqual(world.takeNumbers(), [[], [3], [3]]);
  world.clock.advance(1999);
  assert.equal(world.switch.stations().length, 1, 'it has spoken at 1000');
  world.clock.advance(2000);
  assert.deepEqual(world.switch.stations(), []);
  assert.equal(world.clock.deadline(), Infinity, 'nothing is left to wait for');
});

test('a static station stays, is not learned elsewhere, and goes with its port', async () => {
  const { world, stations } = worldOf(3, { ageing: 1000 });
  const [a, b, c] = stations;
  world.switch.addStation(stationMac(9), a!.port);
  world.switch.addStation(c!.mac, c!.port);
  assert.equal(c!.port.stationCount, 0, 'it was learned, and is static now');
  world.clock.advance(5000);
  b!.send(testFrame({ from: stationMac(9), to: c!.mac, number: 1 }));
  world.clock.runDeferred();
  assert.equal(b!.port.statistics.drops.get('station-elsewhere'), 1);
  b!.send(testFrame({ from: b!.mac, to: stationMac(9), number: 2 }));
  world.clock.runDeferred();
  assert.deepEqual(world.takeNumbers(), [[2], [], []]);
  const closed = a!.port.close();
  world.clock.runDeferred();
  await closed;
  assert.deepEqual(
    world.switch.stations().map(({ mac, isStatic }) => [`${mac}`, isStatic]),
    [
      [`${c!.mac}`, true],
      [`${b!.mac}`, false],
    ],
  );
  assert.equal(world.switch.removeStation(c!.mac), true);
  assert.equal(world.switch.removeStation(c!.mac), false);
});

test('a flood of source addresses fills its port and no more: its neighbours are known and go on', () => {
  const { world, stations } = worldOf(4, { limits: { stations: 20 } });
  const [a, b, c, flooder] = stations;
  flooder!.port.configure({ stations: 8 });
  for (let i = 0; i < 1000; i++) {
    flooder!.send(testFrame({ from: stationMac(1000 + i), to: c!.mac, number: 5 }));
    world.clock.runDeferred();
  }
  assert.equal(flooder!.port.stationCount, 8);
  assert.equal(flooder!.port.statistics.stationsRefused, 992);
  assert.equal(world.takeNumbers()[2]!.length, 1000, 'without being known they may talk');
  world.send(a!, b!, 1);
  assert.deepEqual(world.takeNumbers(), [[], [1], [], []]);
  const late = world.station();
  world.send(late, a!, 2);
  world.send(a!, late, 3);
  assert.deepEqual(world.takeNumbers(), [[2], [], [], [], [3]], 'there is room for others');
  flooder!.port.configure({ stations: 1000 });
  for (let i = 0; i < 100; i++) {
    flooder!.send(testFrame({ from: stationMac(2000 + i), to: c!.mac }));
    world.clock.runDeferred();
  }
  assert.equal(world.switch.stations().length, 20, 'the table is full');
  world.takeNumbers();
  world.send(b!, late, 4);
  assert.deepEqual(world.takeNumbers(), [[], [], [], [], [4]], 'who was known still is');
});

test('port security: a port drops what comes from more stations than it may have', () => {
  const world = new SwitchWorld();
  const guarded = world.station({ settings: { stations: 1, whenFull: 'drop' } });
  const other = world.station();
  world.send(guarded, other, 1);
  guarded.send(testFrame({ from: stationMac(50), to: other.mac, number: 2 }));
  // Nor may it take a station from another port.
  world.send(other, guarded, 3);
  guarded.send(testFrame({ from: other.mac, to: guarded.mac, number: 4 }));
  world.clock.runDeferred();
  world.send(guarded, other, 5);
  assert.deepEqual(world.takeNumbers(), [[3], [1, 5]]);
  assert.deepEqual(guarded.port.statistics.drops.snapshot(), { 'station-limit': 2 });
});

test('what cannot be forwarded is dropped under its reason', () => {
  const { world, stations } = worldOf(2);
  const [a, b] = stations;
  const to = b!.mac;
  const bad: [string, Uint8Array][] = [
    ['source-invalid', testFrame({ from: MacAddress.BROADCAST, to })],
    ['source-invalid', testFrame({ from: TEST_GROUP, to })],
    ['source-invalid', testFrame({ from: MacAddress.ZERO, to })],
    ['vlan-invalid', testFrame({ from: a!.mac, to, vlan: 4095 })],
    ['too-short', testFrame({ from: a!.mac, to, vlan: 1, length: 20 }).subarray(0, 17)],
    ['tagged', testFrame({ from: a!.mac, to, vlan: 1 })],
    ['reserved-address', testFrame({ from: a!.mac, to: MacAddress.parse('01:80:c2:00:00:0e') })],
    ['reserved-address', testFrame({ from: a!.mac, to: MacAddress.parse('01:80:c2:00:00:01') })],
  ];
  const stacked = testFrame({ from: a!.mac, to, vlan: 0 });
  stacked.set([0x81, 0, 0, 7], 16);
  bad.push(['tag-stacked', stacked]);
  const expected: Record<string, number> = {};
  for (const [reason, frame] of bad) {
    a!.send(frame);
    expected[reason] = (expected[reason] ?? 0) + 1;
  }
  world.clock.runDeferred();
  assert.deepEqual(a!.port.statistics.drops.snapshot(), sortedByName(expected));
  assert.deepEqual(world.takeNumbers(), [[], []]);
  assert.equal(world.switch.stations().length, 2, 'nothing was learned of it');
});

function sortedByName(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([x], [y]) => (x < y ? -1 : 1)));
}

test('without a spanning tree, those around see each other’s through the switch', () => {
  const { world, stations } = worldOf(2);
  world.send(stations[0]!, MacAddress.parse('01:80:c2:00:00:00'), 1);
  assert.deepEqual(world.takeNumbers(), [[], [1]]);
});

test('isolated ports reach the others, and not each other', () => {
  const { world, stations } = worldOf(3);
  const [gateway, a, b] = stations;
  for (const guest of [a!, b!]) guest.port.configure({ isolated: true });
  for (const station of stations) world.send(station, gateway!, 0);
  world.takeNumbers();
  world.send(a!, MacAddress.BROADCAST, 1);
  world.send(b!, gateway!, 2);
  world.send(gateway!, b!, 3);
  world.send(gateway!, MacAddress.BROADCAST, 4);
  world.send(a!, b!, 5);
  assert.deepEqual(world.takeNumbers(), [[1, 2], [4], [3, 4]]);
  assert.deepEqual(a!.port.statistics.drops.get('unreachable'), 1);
});

test('a port counts frames by cast, and bytes, both ways', () => {
  const world = new SwitchWorld();
  const [a, b] = [world.station(), world.station()];
  world.send(a, b, 1);
  world.send(a, MacAddress.BROADCAST, 1);
  world.send(a, TEST_GROUP, 1);
  a.send(testFrame({ from: a.mac, to: b.mac, length: 1000 }));
  world.clock.runDeferred();
  const { received, sent } = a.port.statistics;
  assert.deepEqual({ ...received }, { unicast: 2, multicast: 1, broadcast: 1, bytes: 1192 });
  assert.deepEqual({ ...sent }, { unicast: 0, multicast: 0, broadcast: 0, bytes: 0 });
  assert.deepEqual({ ...b.port.statistics.sent }, { ...received });
  assert.equal(received.frames, 4);
});

test('what the link of a port refuses is among the drops of the port, and not among what it sent', () => {
  const world = new SwitchWorld();
  const sender = world.station();
  const narrow = world.station({ limits: { queueFrames: 2 } });
  for (let i = 0; i < 5; i++) {
    sender.send(testFrame({ from: sender.mac, to: narrow.mac, number: i }));
  }
  world.clock.runDeferred();
  assert.deepEqual(narrow.takeNumbers(), [0, 1]);
  assert.equal(narrow.port.statistics.sent.frames, 2);
  assert.deepEqual(narrow.port.drops(), { 'queue-full': 3 });
});

test('drops are published with their port', () => {
  const { world, stations } = worldOf(2);
  const told: unknown[] = [];
  const stop = SWITCH_DROP.subscribe((drop) => told.push(drop));
  world.send(stations[0]!, stations[0]!, 1);
  stop();
  assert.deepEqual(told, [{ subject: stations[0]!.port, name: 'same-port', amount: 1 }]);
});

test('ports come and go while frames flow; numbers are used again, and ports are bounded', async () => {
  const { world, stations } = worldOf(3, { limits: { ports: 3 } });
  const [a, b, c] = stations;
  assert.throws(() => world.station(), { code: 'SWITCH_FULL' });
  const left = b!.port;
  void b!.link.close();
  world.clock.runDeferred();
  assert.deepEqual(
    world.switch.ports.map(({ number }) => number),
    [1, 3],
  );
  assert.equal(world.switch.stations().length, 2);
  world.send(a!, b!, 1);
  assert.deepEqual(world.takeNumbers(), [[], [], [1]], 'it is unknown now');
  const next = world.station();
  assert.equal(next.port.number, 2);
  assert.throws(() => world.switch.addStation(a!.mac, left), { code: 'SWITCH_PORT_UNKNOWN' });
  const closed = world.switch.close();
  world.clock.runDeferred();
  await closed;
  assert.deepEqual(world.switch.ports, []);
  assert.equal(world.clock.deadline(), Infinity);
  assert.equal(c!.recorder.ends[0]?.code, 'LINK_PEER_CLOSED');
});

test('a port keeps its settings when a change is refused', () => {
  const { stations } = worldOf(1);
  const { port } = stations[0]!;
  const { settings } = port;
  for (const bad of [
    { priority: 8 },
    { stations: -1 },
    { vlan: { mode: 'access', vlan: 0 } },
    { vlan: { mode: 'access', vlan: 4095 } },
    { vlan: { mode: 'trunk', allowed: [[1, 5000]] } },
    { vlan: { mode: 'trunk', allowed: 'all', native: 0 } },
    { storm: { broadcast: { framesPerSecond: -1 } } },
  ] as const) {
    assert.throws(() => port.configure(bad), { code: 'SWITCH_SETTING_INVALID' });
  }
  assert.equal(port.settings, settings);
});

test('stations may stay for ever, but not for no time', () => {
  const random = seededRandom(1);
  for (const ageing of [0, -1, NaN]) {
    assert.throws(() => new Switch(new ManualClock(), { random, ageing }), {
      code: 'SWITCH_SETTING_INVALID',
    });
  }
  const { world } = worldOf(1, { ageing: Infinity });
  world.clock.advance(1e12);
  assert.equal(world.switch.stations().length, 1);
});

/** A link whose far end answers from inside the call that sends to it. */
class EchoingLink implements Link {
  readonly name = 'echo';
  readonly mac = stationMac(99);
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  readonly statistics: LinkStatistics = new LinkStatistics(this);
  #handler: LinkHandler | undefined;

  attach(handler: LinkHandler): void {
    this.#handler = handler;
  }

  allocate(length: number): Uint8Array {
    return new Uint8Array(length);
  }

  transmit(frame: Uint8Array): boolean {
    const to = MacAddress.read(frame, 6);
    this.#handler!.receive(
      testFrame({ from: this.mac, to, number: seen(frame).number + 1 }),
      undefined,
    );
    this.#handler!.batchEnd();
    return true;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

test('a link that answers from inside the call disturbs nothing of the frame under way', () => {
  const world = new SwitchWorld();
  world.switch.connect(new EchoingLink());
  const trunk = { mode: 'trunk', allowed: 'all', native: 1 } as const;
  const a = world.station({ settings: { vlan: trunk } });
  world.station();
  for (const number of [10, 20]) {
    a.send(testFrame({ from: a.mac, to: MacAddress.BROADCAST, number, vlan: 1, priority: 5 }));
    world.clock.runDeferred();
    assert.deepEqual(world.takeNumbers(), [[number + 1], [number]]);
  }
});

test('full is full, also for static stations', () => {
  const { world, stations } = worldOf(2, { limits: { stations: 2 } });
  const { port } = stations[0]!;
  assert.throws(() => world.switch.addStation(stationMac(9), port), {
    code: 'SWITCH_STATIONS_FULL',
  });
  world.switch.addStation(stationMac(0), port);
  assert.equal(world.switch.stations().length, 2, 'in place of what was learned');
});

test('any link can be plugged in; its name is the port’s', () => {
  const clock = new ManualClock();
  const bridge = new Switch(clock, { random: seededRandom(1), name: 'lan' });
  const [inside] = linkPair(clock, { names: ['tap7', 'far'] });
  const port = bridge.connect(inside, { vlan: { mode: 'access', vlan: 7 } });
  assert.deepEqual(
    [port.name, port.number, port.link, port.state],
    ['tap7', 1, inside, 'forwarding'],
  );
  assert.equal(bridge.mac.isGroup, false);
});
