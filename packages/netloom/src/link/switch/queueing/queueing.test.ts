/** Rate, classes and flows at a port of a switch, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes, MacAddress, writeUint16 } from '../../../core/index.ts';
import { NO_OFFLOAD } from '../../link.ts';
import {
  internetSum,
  offloadedSegment,
  SwitchWorld,
  testFrame,
  type TestStation,
} from '../switch-world.ts';
import type { QueueingSettings } from './settings.ts';

/** Two senders and a slow port, in one trunk, so that frames can have tags. */
function slowPort(queueing: QueueingSettings) {
  const world = new SwitchWorld();
  const vlan = { mode: 'trunk', allowed: 'all', native: 1 } as const;
  const senders = [0, 1].map(() => world.station({ settings: { vlan } }));
  const sink = world.station({ settings: { vlan, queueing } });
  world.send(sink, MacAddress.BROADCAST, 0);
  return { world, senders, sink };
}

/** A UDP datagram in a frame of this length, whose number is its source port. */
function datagram(from: TestStation, to: TestStation, port: number, length: number, dscp = 0) {
  const frame = testFrame({ from: from.mac, to: to.mac, length });
  frame.fill(0, 12);
  frame.set([8, 0, 0x45, dscp << 2], 12);
  writeUint16(frame, 16, length - 14);
  frame.set([64, 17], 22);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2, port >>> 8, port], 26);
  return frame;
}

/** The numbers and the times of what has come. */
function arrivals({ recorder }: TestStation): { port: number; length: number; at: number }[] {
  return recorder.received.splice(0).map(({ frame, at }) => ({
    port: (frame[34]! << 8) | frame[35]!,
    length: frame.length,
    at,
  }));
}

/** Bytes of each source port that came between two times. */
function bytesByPort(station: TestStation, from: number, to: number): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const { port, length, at } of arrivals(station)) {
    if (at >= from && at < to) bytes.set(port, (bytes.get(port) ?? 0) + length);
  }
  return bytes;
}

test('the rate is kept within two hundredths, for small frames and large ones, slow and fast', () => {
  for (const rate of [64_000, 1_000_000, 100_000_000]) {
    for (const length of [64, 1514]) {
      const { world, senders, sink } = slowPort({ rate });
      const [sender] = senders;
      // Twice as much as goes through, for so long that the burst at the beginning does not count.
      const seconds = Math.max(0.1, (400 * length * 8) / rate);
      const interval = (length * 8000) / rate / 2;
      for (let now = 0; now < seconds * 1000; now += interval) {
        sender!.send(datagram(sender!, sink, 7, length));
        world.clock.advance(now);
      }
      const half = (seconds * 1000) / 2;
      const bytes = bytesByPort(sink, half, 2 * half).get(7)!;
      const measured = (bytes * 8000) / half;
      assert.ok(Math.abs(measured / rate - 1) < 0.02, `${measured} of ${rate}, ${length} bytes`);
    }
  }
});

test('no rate, no queue: everything goes at once', () => {
  const { world, senders, sink } = slowPort({ rate: 1000 });
  sink.port.configure({ queueing: undefined });
  assert.equal(sink.port.queue, undefined);
  for (let i = 0; i < 100; i++) senders[0]!.send(datagram(senders[0]!, sink, 7, 1514));
  world.clock.runDeferred();
  assert.equal(arrivals(sink).length, 100);
});

test('a burst goes at once after a quiet time, and no more of it', () => {
  const { world, senders, sink } = slowPort({ rate: 80_000, burst: 5000 });
  world.clock.advance(10_000);
  for (let i = 0; i < 10; i++) senders[0]!.send(datagram(senders[0]!, sink, 7, 1000));
  world.clock.advance(10_499);
  assert.deepEqual(
    arrivals(sink).map(({ at }) => at),
    [10_000, 10_000, 10_000, 10_000, 10_000, 10_100, 10_200, 10_300, 10_400],
  );
  assert.deepEqual([sink.port.queue!.frames, sink.port.queue!.bytes], [1, 1000]);
});

test('flows share fairly, whatever their packets and how much they send', () => {
  const { world, senders, sink } = slowPort({ rate: 1_000_000 });
  const [sender] = senders;
  // Bytes, and frames each 10 ms: six times, twice, and just as much as there is for all.
  const flows = [
    [1, 1514, 5],
    [2, 300, 8],
    [3, 1000, 1],
    [4, 100, 12],
  ] as const;
  for (let now = 0; now < 20_000; now += 10) {
    for (const [port, length, count] of flows) {
      for (let i = 0; i < count; i++) sender!.send(datagram(sender!, sink, port, length));
    }
    world.clock.advance(now);
  }
  const bytes = bytesByPort(sink, 10_000, 20_000);
  const fair = 1_250_000 / 4;
  for (const [port] of flows) {
    const share = bytes.get(port)! / fair;
    assert.ok(Math.abs(share - 1) < 0.03, `flow ${port} has ${share} of its share`);
  }
});

test('a flow that sends less than its share loses nothing, and hardly waits', () => {
  const { world, senders, sink } = slowPort({ rate: 1_000_000 });
  const [flooder, quiet] = senders as [TestStation, TestStation];
  let sent = 0;
  for (let now = 0; now < 5000; now += 10) {
    for (let i = 0; i < 20; i++) flooder.send(datagram(flooder, sink, 1, 1514));
    if (now % 50 === 0) {
      const frame = datagram(quiet, sink, 2, 200);
      quiet.send(frame);
      sent++;
    }
    world.clock.advance(now);
  }
  world.clock.advance(5100);
  const quietOnes = arrivals(sink).filter(({ port }) => port === 2);
  assert.equal(quietOnes.length, sent);
  for (const { at } of quietOnes) assert.ok(at % 50 <= 40, `it came ${at % 50} ms late`);
  const { classes } = sink.port.queue!;
  assert.equal(sink.port.statistics.drops.get('queue-full'), classes[1]!.droppedFrames);
  assert.equal(classes[1]!.droppedBytes, 1514 * classes[1]!.droppedFrames);
});

test('without fair queueing all wait in one line', () => {
  const { world, senders, sink } = slowPort({ rate: 100_000, flows: 1 });
  const [sender] = senders;
  for (const port of [1, 1, 1, 2, 1, 2]) sender!.send(datagram(sender!, sink, port, 1514));
  world.clock.advance(1e6);
  assert.deepEqual(
    arrivals(sink).map(({ port }) => port),
    [1, 1, 1, 2, 1, 2],
  );
});

test('a class goes before all below it, by the priority of the tag; 1 behind 0', () => {
  const { world, senders, sink } = slowPort({ rate: 100_000, burst: 1 });
  const [sender] = senders;
  const order = [0, 1, 7, 3, 2, 6, 4, 5];
  sender!.send(testFrame({ from: sender!.mac, to: sink.mac, vlan: 9, number: 99 }));
  for (const round of [0, 1]) {
    for (const priority of order) {
      const number = 10 * priority + round;
      sender!.send(
        testFrame({ from: sender!.mac, to: MacAddress.BROADCAST, vlan: 9, priority, number }),
      );
    }
  }
  world.clock.advance(1e6);
  const numbers = sink.takeNumbers();
  assert.deepEqual(
    numbers.slice(1),
    [70, 71, 60, 61, 50, 51, 40, 41, 30, 31, 20, 21, 0, 1, 10, 11],
  );
  assert.equal(numbers[0], 99, 'the line was free');
});

test('a class goes before all below it, by the code point of the packet', () => {
  const { world, senders, sink } = slowPort({ rate: 100_000, burst: 1 });
  const [sender] = senders;
  // Lower effort, best effort, CS1, AF11, EF, CS6: by their port.
  const points = [1, 0, 8, 10, 46, 48];
  sender!.send(datagram(sender!, sink, 99, 100));
  for (const dscp of points) sender!.send(datagram(sender!, sink, dscp, 100, dscp));
  world.clock.advance(1e6);
  assert.deepEqual(
    arrivals(sink).map(({ port }) => port),
    [99, 48, 46, 10, 0, 1, 8],
  );
});

test('a port that says which priority its frames have does not believe their packets; and a tag tells it', () => {
  const { world, senders, sink } = slowPort({ rate: 100_000, burst: 1 });
  const [low, high] = senders as [TestStation, TestStation];
  low.port.configure({ priority: 1 });
  high.port.configure({ priority: 3 });
  low.send(datagram(low, sink, 99, 100));
  world.clock.runDeferred();
  low.send(datagram(low, sink, 1, 100, 46));
  high.send(datagram(high, sink, 2, 100, 8));
  world.clock.advance(1e6);
  assert.deepEqual(
    arrivals(sink).map(({ port }) => port),
    [99, 2, 1],
  );
  sink.port.configure({ vlan: { mode: 'trunk', allowed: 'all' }, queueing: undefined });
  world.send(high, MacAddress.BROADCAST, 5);
  assert.deepEqual(sink.take(), [{ number: 5, vlan: 1, priority: 3 }]);
});

test('a higher class that never ends starves the lower, and only for as long', () => {
  const { world, senders, sink } = slowPort({ rate: 1_000_000, queueFrames: 50 });
  const [sender] = senders;
  for (let now = 0; now < 1000; now += 10) {
    sender!.send(datagram(sender!, sink, 1, 1000));
    for (let i = 0; i < 2; i++) sender!.send(datagram(sender!, sink, 2, 1000, 46));
    world.clock.advance(now);
  }
  // The line is free for what had come before the first of the higher class could fill it.
  const before = bytesByPort(sink, 200, 1000);
  assert.equal(before.get(1), undefined);
  const dropped = sink.port.queue!.classes;
  assert.ok(dropped[1]!.droppedFrames > 0);
  world.clock.advance(3000);
  assert.ok(bytesByPort(sink, 1000, 3000).get(1)! >= 40_000);
  assert.equal(sink.port.queue!.frames, 0);
});

test('rate and bounds change while frames wait; without a rate all that waits goes', () => {
  const { world, senders, sink } = slowPort({ rate: 8000, burst: 1 });
  const [sender] = senders;
  const frame = datagram(sender!, sink, 7, 1000);
  for (let i = 0; i < 10; i++) sender!.send(frame.with(999, i));
  world.clock.advance(2500);
  assert.equal(arrivals(sink).length, 3);
  sink.port.configure({ queueing: { rate: 80_000, burst: 1 } });
  world.clock.advance(2701);
  assert.deepEqual(
    arrivals(sink).map(({ at }) => at),
    [2500, 2600, 2700],
  );
  sink.port.configure({ queueing: undefined });
  world.clock.advance(2702);
  assert.deepEqual(
    sink.recorder.received.map((each) => each.frame[999]),
    [6, 7, 8, 9],
  );
  assert.equal(world.clock.deadline(), 300_000, 'nothing is set but the ageing of stations');
});

test('a port that goes takes what waits with it', () => {
  const { world, senders, sink } = slowPort({ rate: 8000, burst: 1 });
  for (let i = 0; i < 5; i++) senders[0]!.send(datagram(senders[0]!, sink, i, 1000));
  world.clock.advance(10);
  const { port } = sink;
  void sink.link.close();
  world.clock.advance(20);
  assert.equal(port.queue!.frames, 0);
  assert.equal(port.statistics.drops.get('queue-full'), 4);
  for (const { link } of senders) void link.close();
  world.clock.advance(30);
  assert.equal(world.clock.deadline(), Infinity);
});

test('a segment left whole is cut where it would hold up the line, and waits whole where not', () => {
  for (const [rate, whole] of [
    [1_000_000, false],
    [10_000_000_000, true],
  ] as const) {
    const { world, senders, sink } = slowPort({ rate });
    const { frame, offload } = offloadedSegment(senders[0]!.mac, sink.mac, 10_000, 1000);
    senders[0]!.send(frame, offload);
    world.clock.advance(1000);
    const { received } = sink.recorder;
    assert.equal(received.length, whole ? 1 : 10);
    assert.deepEqual(received[0]!.offload, whole ? offload : undefined);
    const payload = received.flatMap((each) => [...each.frame.subarray(54)]);
    assert.deepEqual(payload, [...frame.subarray(54)]);
  }
});

test('what was left to a link that can do nothing is done after it has waited', () => {
  const world = new SwitchWorld();
  const sender = world.station();
  const queueing = { rate: 10_000_000_000 };
  const bare = world.station({ offload: NO_OFFLOAD, settings: { queueing } });
  const { frame, offload } = offloadedSegment(sender.mac, bare.mac, 2000, 0);
  for (let i = 0; i < 2; i++) sender.send(frame, { ...offload, segmentSize: 1000 });
  world.clock.advance(1);
  assert.equal(bare.recorder.received.length, 4);
  for (const { frame: received } of bare.recorder.received) {
    const length = received.length - 34;
    const covered = Uint8Array.of(...received.subarray(26, 34), 0, 6, length >>> 8, length & 0xff);
    const rest = copyBytes(received, 34);
    assert.equal(internetSum(Uint8Array.of(...covered, ...rest)), 0xffff);
  }
});

test('settings that make no sense are refused, and change nothing', () => {
  const { sink } = slowPort({ rate: 1000 });
  for (const bad of [
    { rate: 0 },
    { rate: NaN },
    { rate: Infinity },
    { rate: 1, burst: 0 },
    { rate: 1, flows: 1.5 },
    { rate: 1, flows: 1e9 },
    { rate: 1, quantum: -1 },
  ]) {
    assert.throws(() => sink.port.configure({ queueing: bad }), { code: 'SWITCH_SETTING_INVALID' });
  }
  assert.deepEqual(sink.port.settings.queueing, { rate: 1000 });
});
