import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MacAddress, ManualClock } from '../core/index.ts';
import { foldSum, sumWords } from '../wire/index.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';
import { Hub } from './hub.ts';
import { NO_OFFLOAD, type Link } from './link.ts';

function station(hub: Hub, number: number, offload = {}): { link: Link; recorder: Recorder } {
  const link = hub.port({ name: `s${number}`, mac: new MacAddress(0x0200, number), ...offload });
  const recorder = new Recorder();
  link.attach(recorder);
  return { link, recorder };
}

test('every frame goes out by all ports but the one it came by', () => {
  const clock = new ManualClock();
  const hub = new Hub(clock);
  const stations = [0, 1, 2, 3].map((i) => station(hub, i));
  stations[0]!.link.transmit(numberedFrame(1));
  stations[2]!.link.transmit(numberedFrame(2));
  clock.runDeferred();
  assert.deepEqual(
    stations.map(({ recorder }) => recorder.numbers()),
    [[2], [1, 2], [1], [1, 2]],
  );
  assert.deepEqual(
    stations.map(({ link }) => link.name),
    ['s0', 's1', 's2', 's3'],
  );
});

test('each port counts its own frames, bytes and drops, in the hub and at the station', () => {
  const clock = new ManualClock();
  const hub = new Hub(clock);
  const [one, two, narrow] = [
    station(hub, 1),
    station(hub, 2),
    station(hub, 3, { limits: { queueFrames: 1 } }),
  ];
  one.link.transmit(numberedFrame(1, 60));
  two.link.transmit(numberedFrame(2, 100));
  // The stations' frames have reached the hub, and wait there for the next turn.
  clock.step();
  clock.step();
  const inside = hub.links.map(({ statistics }) => statistics);
  assert.deepEqual(
    inside.map(({ queueDepth }) => queueDepth),
    [1, 1, 1],
  );
  clock.runDeferred();
  assert.deepEqual(
    inside.map(({ receivedFrames, sentFrames, sentBytes }) => [
      receivedFrames,
      sentFrames,
      sentBytes,
    ]),
    [
      [1, 1, 100],
      [1, 1, 60],
      [0, 1, 60],
    ],
  );
  assert.deepEqual(
    [one, two, narrow].map(({ link: { statistics } }) => [
      statistics.sentBytes,
      statistics.receivedBytes,
    ]),
    [
      [60, 100],
      [100, 60],
      [0, 60],
    ],
  );
  assert.deepEqual(inside[2]!.drops.snapshot(), { 'queue-full': 1 });
  assert.deepEqual(
    inside.map(({ queueDepth }) => queueDepth),
    [0, 0, 0],
  );
});

/** A TCP frame over IPv4 with 2,500 bytes of payload, left to the link to cut. */
function wholeSegment(): Uint8Array {
  const frame = new Uint8Array(54 + 2500);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 2540 >>> 8, 2540 & 255], 0);
  frame.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 22);
  frame[34 + 12] = 0x50;
  return frame;
}

function seen({ recorder }: { recorder: Recorder }): unknown {
  return recorder.received.map(({ frame, offload }) => [frame.length, offload]);
}

test('what was left to the link is handed on to ports that can, and done for those that cannot', () => {
  const clock = new ManualClock();
  const hub = new Hub(clock);
  const sender = station(hub, 0);
  const able = station(hub, 1);
  const plain = station(hub, 2, { offload: NO_OFFLOAD });
  const summing = station(hub, 3, { offload: { checksum: true, segmentation: 0 } });
  const cutting = station(hub, 4, { offload: { checksum: false, segmentation: 65_550 } });
  const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };
  sender.link.transmit(wholeSegment(), offload);
  clock.runDeferred();
  const cut = [
    [1054, undefined],
    [1054, undefined],
    [554, undefined],
  ];
  assert.deepEqual(seen(able), [[2554, offload]]);
  assert.deepEqual(seen(plain), cut);
  assert.deepEqual(seen(summing), cut);
  assert.deepEqual(seen(cutting), cut, 'who carries it whole would have to carry its checksum');

  const unfinished = { checksumStart: 34, checksumOffset: 16, segmentSize: 0 };
  sender.link.transmit(wholeSegment().subarray(0, 100), unfinished);
  sender.link.transmit(wholeSegment().subarray(0, 40), unfinished);
  clock.runDeferred();
  assert.equal(summing.recorder.received.at(-2)!.offload?.checksumStart, 34);
  const finished = plain.recorder.received.at(-1)!;
  assert.deepEqual([finished.frame.length, finished.offload], [100, undefined]);
  assert.equal(foldSum(sumWords(finished.frame, 34, 100)), 0xffff, 'the checksum is filled in');
  const toPlain = hub.links[2]!;
  assert.deepEqual(toPlain.statistics.drops.snapshot(), { 'bad-offload': 1 });
});

test('a station that leaves is unplugged; the others go on; closing the hub ends all', async () => {
  const clock = new ManualClock();
  const hub = new Hub(clock);
  const [a, b, c] = [0, 1, 2].map((i) => station(hub, i));
  void b!.link.close();
  clock.runDeferred();
  assert.equal(hub.links.length, 2);
  a!.link.transmit(numberedFrame(1));
  clock.runDeferred();
  assert.deepEqual(c!.recorder.numbers(), [1]);
  const closed = hub.close();
  clock.runDeferred();
  await closed;
  assert.equal(hub.links.length, 0);
  assert.deepEqual(
    c!.recorder.ends.map((error) => error?.code),
    ['LINK_PEER_CLOSED'],
  );
});

test('ports are bounded', () => {
  const hub = new Hub(new ManualClock(), { ports: 1 });
  station(hub, 0);
  assert.throws(() => station(hub, 1), { code: 'HUB_FULL' });
});
