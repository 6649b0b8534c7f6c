import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes, MacAddress } from '../../core/index.ts';
import { NO_OFFLOAD } from '../link.ts';
import {
  internetSum,
  offloadedSegment,
  SwitchWorld,
  testFrame,
  type TestStation,
} from './switch-world.ts';
import type { SwitchCableOptions } from './switch.ts';
import { VlanMembership, type VlanSettings } from './vlan.ts';

const TRUNK: VlanSettings = { mode: 'trunk', allowed: 'all' };

function access(vlan: number): { settings: { vlan: VlanSettings } } {
  return { settings: { vlan: { mode: 'access', vlan } } };
}

test('VLANs are networks of their own, with stations of their own, joined by nothing but a trunk', () => {
  const world = new SwitchWorld();
  const [a1, a2, b1, trunk] = [
    world.station(access(10)),
    world.station(access(10)),
    world.station(access(20)),
    world.station({ settings: { vlan: TRUNK } }),
  ] as const;
  world.send(a1, MacAddress.BROADCAST, 1);
  world.send(b1, MacAddress.BROADCAST, 2);
  world.send(a2, a1, 3);
  // The station is known, in the other VLAN.
  world.send(b1, a1, 4);
  assert.deepEqual(a1.takeNumbers(), [3]);
  assert.deepEqual(a2.takeNumbers(), [1]);
  assert.deepEqual(b1.takeNumbers(), []);
  assert.deepEqual(trunk.take(), [
    { number: 1, vlan: 10, priority: 0 },
    { number: 2, vlan: 20, priority: 0 },
    { number: 4, vlan: 20, priority: 0 },
  ]);
  trunk.send(testFrame({ from: trunk.mac, to: a1.mac, vlan: 10, priority: 6, number: 5 }));
  trunk.send(testFrame({ from: trunk.mac, to: a1.mac, vlan: 20, priority: 6, number: 6 }));
  world.clock.runDeferred();
  assert.deepEqual(
    [a1, a2, b1].map((station) => station.take()),
    [[{ number: 5 }], [], [{ number: 6 }]],
  );
});

test('one address in two VLANs is two stations', () => {
  const world = new SwitchWorld();
  const [a, b, c] = [
    world.station(access(10)),
    world.station(access(20)),
    world.station(access(10)),
  ];
  const mac = MacAddress.parse('02:11:22:33:44:55');
  for (const station of [a, b]) {
    station.send(testFrame({ from: mac, to: MacAddress.BROADCAST }));
  }
  world.clock.runDeferred();
  world.takeNumbers();
  world.send(c, mac, 1);
  assert.deepEqual(world.takeNumbers(), [[1], [], []]);
  const known = world.switch.stations().filter((station) => station.mac.equals(mac));
  assert.deepEqual(
    known.map(({ vlan, port }) => [vlan, port]).sort(([x], [y]) => Number(x) - Number(y)),
    [
      [10, a.port],
      [20, b.port],
    ],
  );
});

test('frames without tag, and with a tag that gives a priority only, are of the native VLAN', () => {
  const world = new SwitchWorld();
  const trunk = world.station({ settings: { vlan: { ...TRUNK, native: 7 }, priority: 2 } });
  const other = world.station({ settings: { vlan: TRUNK } });
  const native = world.station({ settings: { vlan: { mode: 'trunk', allowed: [], native: 7 } } });
  trunk.send(testFrame({ from: trunk.mac, to: MacAddress.BROADCAST, number: 1 }));
  trunk.send(
    testFrame({ from: trunk.mac, to: MacAddress.BROADCAST, vlan: 0, priority: 5, number: 2 }),
  );
  trunk.send(
    testFrame({ from: trunk.mac, to: MacAddress.BROADCAST, vlan: 7, priority: 3, number: 3 }),
  );
  world.clock.runDeferred();
  assert.deepEqual(other.take(), [
    { number: 1, vlan: 7, priority: 2 },
    { number: 2, vlan: 7, priority: 5 },
    { number: 3, vlan: 7, priority: 3 },
  ]);
  assert.deepEqual(native.take(), [{ number: 1 }, { number: 2 }, { number: 3 }]);
  other.send(testFrame({ from: other.mac, to: trunk.mac, number: 4 }));
  other.send(testFrame({ from: other.mac, to: trunk.mac, vlan: 0, number: 5 }));
  world.clock.runDeferred();
  assert.deepEqual(other.port.statistics.drops.snapshot(), { untagged: 2 });
});

test('the mark of what may be dropped first stays in the tag', () => {
  const world = new SwitchWorld();
  const [a, b] = [0, 1].map(() => world.station({ settings: { vlan: { ...TRUNK, native: 7 } } }));
  const frame = testFrame({ from: a!.mac, to: b!.mac, vlan: 9, priority: 4 });
  frame[14]! |= 0x10;
  a!.send(frame);
  world.clock.runDeferred();
  assert.deepEqual(b!.recorder.received[0]!.frame, frame);
});

test('a VLAN that a trunk does not allow passes it in neither direction', () => {
  const world = new SwitchWorld();
  const trunk = world.station({ settings: { vlan: { mode: 'trunk', allowed: [5, [10, 12]] } } });
  const all = world.station({ settings: { vlan: TRUNK } });
  for (const vlan of [4, 5, 6, 9, 10, 11, 12, 13]) {
    for (const station of [trunk, all]) {
      const from = station.mac;
      station.send(testFrame({ from, to: MacAddress.BROADCAST, vlan, number: vlan }));
    }
  }
  world.clock.runDeferred();
  assert.deepEqual(world.takeNumbers(), [
    [5, 10, 11, 12],
    [5, 10, 11, 12],
  ]);
  assert.deepEqual(trunk.port.statistics.drops.snapshot(), { 'vlan-not-allowed': 4 });
});

test('a port that changes its VLAN is in the new one at once, and what was known there is not', () => {
  const world = new SwitchWorld();
  const [a, b] = [world.station(access(10)), world.station(access(20)), world.station(access(10))];
  world.send(a, MacAddress.BROADCAST, 1);
  b.port.configure({ vlan: { mode: 'access', vlan: 10 } });
  world.send(b, a, 2);
  a.port.configure({ vlan: { mode: 'access', vlan: 20 } });
  world.send(b, a, 3);
  assert.deepEqual(world.takeNumbers(), [[2], [], [1, 3]]);
});

test('a full frame has room for the tag, and a longer one none', () => {
  const world = new SwitchWorld();
  const [a, b] = [world.station(access(10)), world.station(access(10))];
  const trunk = world.station({ settings: { vlan: TRUNK } });
  const narrow = world.station({ mtu: 1400, settings: { vlan: TRUNK } });
  a.send(testFrame({ from: a.mac, to: MacAddress.BROADCAST, number: 1, length: 1514 }));
  a.send(testFrame({ from: a.mac, to: MacAddress.BROADCAST, number: 2, length: 1515 }));
  a.send(testFrame({ from: a.mac, to: MacAddress.BROADCAST, number: 3, length: 1414 }));
  world.clock.runDeferred();
  assert.deepEqual(world.takeNumbers(), [[], [1, 3], [1, 3], [3]]);
  assert.deepEqual(
    [b, trunk, narrow].map(({ port }) => port.statistics.drops.get('too-long')),
    [1, 1, 2],
  );
  assert.equal(trunk.port.statistics.sent.bytes, 1518 + 1418);
});

/** The TCP checksum over the segment that begins at `tcp`, and the IPv4 header's: both valid. */
function assertValid(frame: Uint8Array, ip: number): void {
  assert.equal(internetSum(copyBytes(frame, ip, ip + 20)), 0xffff, 'the IPv4 header');
  const length = frame.length - ip - 20;
  const covered = [...frame.subarray(ip + 12, ip + 20), 0, 6, length >>> 8, length & 0xff];
  const sum = internetSum(Uint8Array.of(...covered, ...frame.subarray(ip + 20)));
  assert.equal(sum, 0xffff, 'TCP');
}

/** The TCP payload of the frames of one station, one after the other. */
function payloads(station: TestStation, ip: number): number[] {
  return station.recorder.received.flatMap(({ frame }) => [...frame.subarray(ip + 40)]);
}

test('what was left to the link is right at each port: with tag, without, and where the link can do nothing', () => {
  for (const fromTrunk of [false, true]) {
    for (const segmentSize of [0, 1000]) {
      const world = new SwitchWorld();
      const vlan: VlanSettings = { mode: 'access', vlan: 300 };
      const options: Partial<SwitchCableOptions>[] = [
        { settings: { vlan: TRUNK } },
        { settings: { vlan } },
        { settings: { vlan: TRUNK }, offload: NO_OFFLOAD },
        { settings: { vlan }, offload: NO_OFFLOAD },
        { settings: { vlan: TRUNK }, offload: { checksum: true, segmentation: 0 } },
      ];
      const ports = options.map((each) => world.station(each));
      const sender = world.station({ settings: { vlan: fromTrunk ? TRUNK : vlan } });
      const payload = segmentSize === 0 ? 900 : 2500;
      const { frame, offload } = offloadedSegment(
        sender.mac,
        MacAddress.BROADCAST,
        payload,
        segmentSize,
      );
      if (fromTrunk) {
        const tag = [0x81, 0, (3 << 5) | 1, 300 & 0xff];
        const tagged = Uint8Array.of(...frame.subarray(0, 12), ...tag, ...frame.subarray(12));
        sender.send(tagged, { ...offload, checksumStart: 38 });
      } else {
        sender.send(frame, offload);
      }
      world.clock.runDeferred();
      const [trunk, plain, bareTrunk, bare, summing] = ports;
      assert.deepEqual(trunk!.recorder.received[0]!.offload, { ...offload, checksumStart: 38 });
      assert.deepEqual(plain!.recorder.received[0]!.offload, offload);
      assert.deepEqual(plain!.recorder.received[0]!.frame, frame);
      const sent = [...frame.subarray(54)];
      for (const [station, ip] of [
        [bareTrunk!, 18],
        [bare!, 14],
      ] as const) {
        for (const received of station.recorder.received) {
          assert.equal(received.offload, undefined);
          assertValid(received.frame, ip);
        }
        assert.deepEqual(payloads(station, ip), sent);
      }
      assert.deepEqual(payloads(summing!, 18), sent);
      assert.equal(bare!.recorder.received.length, segmentSize === 0 ? 1 : 3);
      for (const station of [bareTrunk!, summing!]) {
        const { frame: tagged } = station.recorder.received[0]!;
        assert.deepEqual([...tagged.subarray(12, 18)], [0x81, 0, tagged[14], 300 & 0xff, 8, 0]);
        assert.equal(tagged[14], fromTrunk ? (3 << 5) | 1 : 1);
      }
    }
  }
});

test('a checksum that is complete, or was verified, stays so', () => {
  const world = new SwitchWorld();
  const [a, b] = [world.station(access(10)), world.station({ settings: { vlan: TRUNK } })];
  const verified = { checksumStart: 0, checksumOffset: 0, segmentSize: 0, checksumVerified: true };
  a.send(testFrame({ from: a.mac, to: b.mac }), verified);
  world.clock.runDeferred();
  assert.deepEqual(b.recorder.received[0]!.offload, verified);
});

test('membership has every VLAN of a set, and no other', () => {
  const membership = new VlanMembership({
    mode: 'trunk',
    allowed: [1, [31, 33], 4094],
    native: 64,
  });
  const members = Array.from({ length: 4096 }, (_, vlan) => vlan).filter((vlan) =>
    membership.has(vlan),
  );
  assert.deepEqual(members, [1, 31, 32, 33, 64, 4094]);
});
