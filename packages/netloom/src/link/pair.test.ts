import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MacAddress, ManualClock } from '../core/index.ts';
import type { Link } from './link.ts';
import { linkPair, type LinkPairOptions } from './pair.ts';
import { numberedFrame, Recorder } from './frame-recorder.ts';

function pair(options?: LinkPairOptions) {
  const clock = new ManualClock();
  const [a, b] = linkPair(clock, options);
  const atA = new Recorder();
  const atB = new Recorder();
  a.attach(atA);
  b.attach(atB);
  return { clock, a, b, atA, atB };
}

/** Sends a copy of the frame in memory of the link, as a stack does. */
function send(link: Link, frame: Uint8Array): boolean {
  const own = link.allocate(frame.length);
  own.set(frame);
  return link.transmit(own);
}

test('frames sent in one turn arrive in one batch, in order, deferred', () => {
  const { clock, a, atB } = pair();
  for (let i = 0; i < 5; i++) assert.equal(send(a, numberedFrame(i)), true);
  assert.deepEqual(atB.received, [], 'not before the sender has returned');
  assert.equal(a.statistics.queueDepth, 5);
  clock.runDeferred();
  assert.deepEqual(atB.numbers(), [0, 1, 2, 3, 4]);
  assert.deepEqual(atB.batches, [5]);
  assert.equal(a.statistics.queueDepth, 0);
});

test('an answer sent from receive arrives with the next turn', () => {
  const { clock, a, b, atA } = pair();
  b.attach({
    receive: (frame) => void send(b, frame),
    batchEnd: () => void send(b, numberedFrame(99)),
  });
  send(a, numberedFrame(1));
  send(a, numberedFrame(2));
  clock.runDeferred();
  assert.deepEqual(atA.numbers(), [1, 2, 99]);
  assert.deepEqual(atA.batches, [3]);
});

test('what was left to the link goes with their frame', () => {
  const { clock, a, atB } = pair();
  const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1460 };
  a.transmit(numberedFrame(1, 65_000), offload);
  offload.segmentSize = 0;
  a.transmit(numberedFrame(2), offload);
  offload.checksumStart = 0;
  a.transmit(numberedFrame(3), offload);
  a.transmit(numberedFrame(4));
  clock.runDeferred();
  assert.deepEqual(
    atB.received.map((each) => each.offload),
    [
      { checksumStart: 34, checksumOffset: 16, segmentSize: 1460 },
      { checksumStart: 34, checksumOffset: 16, segmentSize: 0 },
      undefined,
      undefined,
    ],
  );
});

test('that a checksum has been verified is handed on', () => {
  const { clock, a, atB } = pair();
  const offload = { checksumStart: 0, checksumOffset: 0, segmentSize: 0, checksumVerified: true };
  a.transmit(numberedFrame(1), offload);
  a.transmit(numberedFrame(2), { ...offload, checksumVerified: false });
  clock.runDeferred();
  assert.deepEqual(
    atB.received.map((each) => each.offload),
    [offload, undefined],
  );
});

test('frames and bytes are counted at both ends', () => {
  const { clock, a, b } = pair();
  send(a, numberedFrame(0, 100));
  send(a, numberedFrame(1, 60));
  clock.runDeferred();
  assert.equal(a.statistics.sentFrames, 2);
  assert.equal(a.statistics.sentBytes, 160);
  assert.equal(b.statistics.receivedFrames, 2);
  assert.equal(b.statistics.receivedBytes, 160);
  assert.equal(b.statistics.sentFrames, 0);
});

test('the queue is bounded in frames and in bytes; what does not fit is counted', () => {
  const frames = pair({ limits: { queueFrames: 3 } });
  const answers = [0, 1, 2, 3, 4].map((i) => send(frames.a, numberedFrame(i)));
  assert.deepEqual(answers, [true, true, true, false, false]);
  assert.deepEqual(frames.a.statistics.drops.snapshot(), { 'queue-full': 2 });
  frames.clock.runDeferred();
  assert.equal(send(frames.a, numberedFrame(5)), true, 'there is room again');
  frames.clock.runDeferred();
  assert.deepEqual(frames.atB.numbers(), [0, 1, 2, 5]);

  const bytes = pair({ limits: { queueBytes: 130 } });
  assert.equal(send(bytes.a, numberedFrame(0, 100)), true);
  assert.equal(send(bytes.a, numberedFrame(1, 60)), false);
  assert.equal(send(bytes.a, numberedFrame(2, 30)), true);
});

test('frames the link cannot carry are dropped by reason', () => {
  const { clock, a, b, atB } = pair({
    mtu: 1000,
    offload: { checksum: false, segmentation: 4000 },
  });
  const cut = { checksumStart: 0, checksumOffset: 0, segmentSize: 500 };
  assert.equal(a.transmit(new Uint8Array(13)), false);
  assert.equal(a.transmit(new Uint8Array(1019)), false);
  assert.equal(a.transmit(new Uint8Array(4001), cut), false);
  assert.equal(
    a.transmit(new Uint8Array(60), { ...cut, segmentSize: 0, checksumStart: 34 }),
    false,
  );
  assert.deepEqual(a.statistics.drops.snapshot(), {
    'checksum-unfinished': 1,
    'too-long': 2,
    'too-short': 1,
  });
  assert.equal(a.transmit(new Uint8Array(1018)), true, 'the MTU, a header and a VLAN tag');
  assert.equal(a.transmit(new Uint8Array(4000), cut), true);
  clock.runDeferred();
  assert.deepEqual(
    atB.received.map(({ frame }) => frame.length),
    [1018, 4000],
  );
  assert.deepEqual(b.statistics.drops.snapshot(), {});
});

test('what comes before a handler is attached is dropped and counted', () => {
  const clock = new ManualClock();
  const [a, b] = linkPair(clock);
  send(a, numberedFrame(1));
  clock.runDeferred();
  assert.deepEqual(b.statistics.drops.snapshot(), { 'not-attached': 1 });
});

test('memory is used again once the receiver has returned', () => {
  const { clock, a } = pair();
  const first = a.allocate(1514);
  a.transmit(first);
  assert.notEqual(a.allocate(1514).buffer, first.buffer, 'not while the frame is on its way');
  clock.runDeferred();
  assert.equal(a.allocate(1400).buffer, first.buffer);
});

test('closing one end delivers what it sent, then ends both', async () => {
  const { clock, a, b, atA, atB } = pair();
  send(a, numberedFrame(1));
  send(b, numberedFrame(2));
  const closed = a.close();
  assert.equal(a.close(), closed, 'idempotent');
  assert.equal(send(a, numberedFrame(3)), false);
  assert.deepEqual(a.statistics.drops.snapshot(), { 'link-down': 1 });
  clock.runDeferred();
  await closed;
  assert.deepEqual(atB.numbers(), [1]);
  assert.deepEqual(atA.numbers(), [], 'a closed end receives no more');
  assert.deepEqual(atA.ends, [undefined]);
  assert.deepEqual(
    atB.ends.map((error) => error?.code),
    ['LINK_PEER_CLOSED'],
  );
  assert.equal(send(b, numberedFrame(4)), false);
  await b.close();
  assert.equal(atB.ends.length, 1);

  const late = new Recorder();
  b.attach(late);
  clock.runDeferred();
  assert.deepEqual(
    late.ends.map((error) => error?.code),
    ['LINK_PEER_CLOSED'],
  );
});

test('a handler may close its link; it then receives no more', async () => {
  const { clock, a, b } = pair();
  const recorder = new Recorder();
  b.attach({
    receive(frame, offload) {
      recorder.receive(frame, offload);
      void b.close();
    },
    batchEnd: () => recorder.batchEnd(),
    closed: (error) => recorder.closed(error),
  });
  send(a, numberedFrame(1));
  send(a, numberedFrame(2));
  clock.runDeferred();
  await b.close();
  assert.deepEqual(recorder.numbers(), [1]);
  assert.deepEqual(recorder.batches, []);
  assert.deepEqual(recorder.ends, [undefined]);
  assert.deepEqual(b.statistics.drops.snapshot(), { 'link-down': 1 });
});

test('a handler that throws does not take the frames behind with it', () => {
  const { clock, a, b, atB } = pair();
  b.attach({
    receive(frame, offload) {
      if (frame[15] === 1) throw new Error('mine');
      atB.receive(frame, offload);
    },
    batchEnd: () => atB.batchEnd(),
  });
  for (let i = 0; i < 3; i++) send(a, numberedFrame(i));
  assert.throws(() => clock.runDeferred(), /mine/);
  clock.runDeferred();
  assert.deepEqual(atB.numbers(), [0, 2]);
});

test('names, addresses and MTU are those asked for', () => {
  const macs = [
    MacAddress.parse('02:00:00:00:00:0a'),
    MacAddress.parse('02:00:00:00:00:0b'),
  ] as const;
  const { a, b } = pair({ names: ['left', 'right'], macs, mtu: 9000 });
  assert.deepEqual([a.name, b.name], ['left', 'right']);
  assert.deepEqual([a.mac, b.mac], macs);
  assert.deepEqual([a.mtu, b.mtu], [9000, 9000]);
});

test('any sequence of sending and delivering keeps order and counts every frame once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.integer({ min: 16, max: 200 })), { maxLength: 200 }),
      (steps) => {
        const { clock, a, b, atB } = pair({ limits: { queueFrames: 40, queueBytes: 2000 } });
        const accepted: number[] = [];
        let number = 0;
        for (const length of steps) {
          if (length === null) clock.runDeferred();
          else if (send(a, numberedFrame(number++, length))) accepted.push(number - 1);
        }
        clock.runDeferred();
        assert.deepEqual(atB.numbers(), accepted);
        assert.equal(b.statistics.receivedFrames, accepted.length);
        assert.equal(a.statistics.drops.total() + accepted.length, number);
      },
    ),
  );
});
