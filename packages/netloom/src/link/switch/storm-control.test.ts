import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress } from '../../core/index.ts';
import type { StormSettings } from './storm-control.ts';
import { stationMac, SwitchWorld, testFrame, TEST_GROUP } from './switch-world.ts';

/** Sends a frame of 100 bytes each millisecond for two seconds; answers how many came through, and the port's drops. */
function storm(settings: StormSettings, to: MacAddress): [number, Record<string, number>] {
  const world = new SwitchWorld();
  const source = world.station({ settings: { storm: settings } });
  const sink = world.station();
  for (let i = 0; i < 2000; i++) {
    source.send(testFrame({ from: source.mac, to, length: 100 }));
    world.clock.advance(i + 1);
  }
  return [sink.take().length, source.port.statistics.drops.snapshot()];
}

const UNKNOWN = stationMac(99);

test('each kind of frame is held to its rate, and the others pass', () => {
  const kinds = [
    ['broadcast', MacAddress.BROADCAST, 'storm-broadcast'],
    ['multicast', TEST_GROUP, 'storm-multicast'],
    ['unknownUnicast', UNKNOWN, 'storm-unknown-unicast'],
  ] as const;
  for (const [kind, to, reason] of kinds) {
    for (const rate of [{ framesPerSecond: 100 }, { bytesPerSecond: 10_000 }]) {
      const [passed, drops] = storm({ [kind]: rate }, to);
      assert.ok(Math.abs(passed - 200) <= 31, `${passed} of ${kind}`);
      assert.deepEqual(drops, { [reason]: 2000 - passed });
    }
    for (const [, other] of kinds) {
      if (other === to) continue;
      const [passed] = storm({ [kind]: { framesPerSecond: 0 } }, other);
      assert.equal(passed, 2000);
    }
    assert.equal(storm({ [kind]: { framesPerSecond: 0 } }, to)[0], 0, 'none at all');
  }
});

test('what goes to a known station is no storm', () => {
  const world = new SwitchWorld();
  const source = world.station({ settings: { storm: { unknownUnicast: { framesPerSecond: 0 } } } });
  const sink = world.station();
  world.send(sink, source, 1);
  world.send(source, sink, 2);
  world.send(source, UNKNOWN, 3);
  assert.deepEqual(world.takeNumbers(), [[1], [2]]);
});

test('a storm is changed, and ended, while it blows', () => {
  const world = new SwitchWorld();
  const source = world.station({ settings: { storm: { broadcast: { framesPerSecond: 0 } } } });
  const sink = world.station();
  world.send(source, MacAddress.BROADCAST, 1);
  source.port.configure({ storm: {} });
  world.send(source, MacAddress.BROADCAST, 2);
  assert.deepEqual(sink.takeNumbers(), [2]);
});
