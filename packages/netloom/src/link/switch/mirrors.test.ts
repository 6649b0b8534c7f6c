import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress } from '../../core/index.ts';
import type { VlanSettings } from './vlan.ts';
import { offloadedSegment, stationMac, SwitchWorld, testFrame } from './switch-world.ts';

const TRUNK: VlanSettings = { mode: 'trunk', allowed: 'all' };

/** Two stations that know each other, a third, and a monitor. */
function watched() {
  const world = new SwitchWorld();
  const [a, b, c, monitor] = [0, 1, 2, 3].map(() => world.station());
  for (const station of [a!, b!, c!]) world.send(station, MacAddress.BROADCAST, 0);
  world.takeNumbers();
  return { world, a: a!, b: b!, c: c!, monitor: monitor! };
}

test('a mirror shows what comes in, what goes out, or both, and not what others say', () => {
  for (const [direction, expected] of [
    ['in', [1, 3]],
    ['out', [2]],
    ['both', [1, 2, 3]],
  ] as const) {
    const { world, a, b, c, monitor } = watched();
    world.switch.mirror({ ports: [a.port], direction, to: monitor.port });
    world.send(a, b, 1);
    world.send(b, a, 2);
    world.send(b, c, 4);
    // Dropped, and shown all the same.
    world.send(a, a, 3);
    assert.deepEqual(world.takeNumbers(), [[2], [1], [4], [...expected]]);
  }
});

test('the port that shows it does nothing else, until the mirror is closed', () => {
  const { world, a, b, monitor } = watched();
  const mirror = world.switch.mirror({ ports: [a.port], to: monitor.port });
  world.send(b, MacAddress.BROADCAST, 1);
  world.send(monitor, b, 2);
  // What goes to all comes by way of the mirror only.
  assert.deepEqual(world.takeNumbers(), [[1], [], [1], [1]]);
  assert.equal(monitor.port.statistics.drops.get('mirror-port'), 1);
  mirror.close();
  mirror.close();
  world.send(a, b, 3);
  world.send(monitor, b, 4);
  world.send(b, MacAddress.BROADCAST, 5);
  assert.deepEqual(world.takeNumbers(), [[5], [3, 4], [5], [5]]);
});

test('a VLAN is shown wherever it passes, with its tags as they are there, and at ports that come later', () => {
  const world = new SwitchWorld();
  const monitor = world.station();
  const [ten, twenty] = [10, 20].map((vlan) =>
    world.station({ settings: { vlan: { mode: 'access', vlan } } }),
  );
  world.switch.mirror({ vlan: 10, to: monitor.port });
  const trunk = world.station({ settings: { vlan: TRUNK } });
  world.send(ten!, MacAddress.BROADCAST, 1);
  world.send(twenty!, MacAddress.BROADCAST, 2);
  trunk.send(testFrame({ from: trunk.mac, to: stationMac(99), vlan: 10, priority: 5, number: 3 }));
  world.clock.runDeferred();
  assert.deepEqual(monitor.take(), [
    { number: 1 },
    { number: 1, vlan: 10, priority: 0 },
    { number: 3, vlan: 10, priority: 5 },
    { number: 3 },
  ]);
});

test('what waits is shown when it goes, and what is left to the link is shown right', () => {
  const { world, a, b, monitor } = watched();
  world.switch.mirror({ ports: [b.port], direction: 'out', to: monitor.port });
  b.port.configure({ queueing: { rate: 80_000, burst: 1 } });
  world.send(a, b, 1);
  world.send(a, b, 2);
  assert.deepEqual(monitor.takeNumbers(), [1]);
  world.clock.advance(100);
  assert.deepEqual(monitor.takeNumbers(), [2]);
  b.port.configure({ queueing: undefined });
  const { frame, offload } = offloadedSegment(a.mac, b.mac, 3000, 1000);
  a.send(frame, offload);
  world.clock.advance(200);
  assert.deepEqual(monitor.recorder.received[0]!.frame, frame);
  assert.deepEqual(monitor.recorder.received[0]!.offload, offload);
});

test('mirrors that show each other show nothing twice', () => {
  const { world, a, b, c, monitor } = watched();
  world.switch.mirror({ to: monitor.port });
  world.switch.mirror({ to: c.port });
  world.send(a, b, 1);
  assert.deepEqual(world.takeNumbers(), [[], [1], [1, 1], [1, 1]]);
});

test('a mirror is gone with its port; mirrors are bounded, and of one switch', () => {
  const { world, a, b, c, monitor } = watched();
  world.switch.mirror({ ports: [a.port], to: monitor.port });
  void monitor.link.close();
  world.clock.runDeferred();
  world.send(a, b, 1);
  assert.throws(() => world.switch.mirror({ to: monitor.port }), { code: 'SWITCH_PORT_UNKNOWN' });
  assert.throws(() => world.switch.mirror({ to: c.port, ports: [monitor.port] }), {
    code: 'SWITCH_PORT_UNKNOWN',
  });
  assert.throws(() => world.switch.mirror({ to: c.port, vlan: 4095 }), {
    code: 'SWITCH_SETTING_INVALID',
  });
  for (let i = 0; i < 16; i++) world.switch.mirror({ to: c.port });
  assert.throws(() => world.switch.mirror({ to: c.port }), { code: 'SWITCH_MIRRORS_FULL' });
});
