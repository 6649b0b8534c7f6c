import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ManualClock, seededRandom } from '../../core/index.ts';
import { foldSum, sumWords } from '../../wire/index.ts';
import { numberedFrame, Recorder } from '../frame-recorder.ts';
import type { Link, LinkOffload } from '../link.ts';
import { linkPair } from '../pair.ts';
import {
  ImpairedLink,
  type FrameEffect,
  type ImpairedLinkOptions,
  type Impairment,
} from './index.ts';

type Options = Partial<Omit<ImpairedLinkOptions, 'clock' | 'random'>> & {
  seed?: number;
  offload?: LinkOffload;
};

/** A pair whose first end is impaired, with a recorder at either end. */
function impaired({ seed = 1, offload, ...options }: Options = {}) {
  const clock = new ManualClock();
  const [inner, far] = linkPair(clock, offload && { offload });
  const near = new ImpairedLink(inner, { clock, random: seededRandom(seed), ...options });
  const atNear = new Recorder(() => clock.now());
  const atFar = new Recorder(() => clock.now());
  near.attach(atNear);
  far.attach(atFar);
  return { clock, near, far, atNear, atFar };
}

function send(link: Link, number: number, length = 60): boolean {
  const frame = link.allocate(length);
  frame.set(numberedFrame(number, length));
  return link.transmit(frame);
}

/** Sends frames 0 to count - 1, one each millisecond, and lets all arrive. */
function run(settings: Partial<Impairment>, count: number, seed = 1) {
  const world = impaired({ outbound: settings, seed });
  for (let i = 0; i < count; i++) {
    send(world.near, i);
    world.clock.advance(i + 1);
  }
  world.clock.advance(1e9);
  return { ...world, numbers: world.atFar.numbers(), effects: world.near.outbound.effects };
}

test('without impairment everything passes at once, offload included, both ways', () => {
  const { clock, near, far, atNear, atFar } = impaired();
  const offload = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };
  near.transmit(numberedFrame(1, 3000), offload);
  far.transmit(numberedFrame(2, 3000), offload);
  clock.runDeferred();
  assert.deepEqual([atFar.numbers(), atNear.numbers()], [[1], [2]]);
  assert.deepEqual(atFar.received[0]!.offload, offload);
  assert.deepEqual(atNear.received[0]!.offload, offload);
  assert.deepEqual(atNear.batches, [1]);
  assert.equal(near.statistics.sentFrames, 1);
  assert.equal(near.statistics.receivedFrames, 1);
});

test('delay holds every frame for its time, in one batch if they came together', () => {
  const { clock, near, far, atNear, atFar } = impaired({
    outbound: { delay: 25 },
    inbound: { delay: 5 },
  });
  send(near, 1);
  send(near, 2);
  send(far, 3);
  send(far, 4);
  assert.equal(near.statistics.queueDepth, 2);
  clock.advance(100);
  assert.deepEqual(
    atFar.received.map(({ at }) => at),
    [25, 25],
  );
  assert.deepEqual(
    atNear.received.map(({ at }) => at),
    [5, 5],
  );
  assert.equal(atNear.batches.at(-1), 2);
  assert.equal(near.statistics.queueDepth, 0);
});

test('jitter varies the delay within its bounds and keeps the order', () => {
  const { numbers, atFar } = run({ delay: 50, jitter: 30 }, 500);
  assert.deepEqual(
    numbers,
    Array.from({ length: 500 }, (_, i) => i),
  );
  const delays = atFar.received.map(({ at }, i) => at - i);
  assert.ok(delays.every((delay) => delay >= 20 && delay <= 80));
  assert.ok(Math.max(...delays) - Math.min(...delays) > 30, 'it does vary');
});

test('reordering holds chosen frames back, and only those', () => {
  const { numbers, effects } = run({ delay: 5, reorder: 0.2, reorderDelay: 3.5 }, 200);
  assert.equal(numbers.length, 200);
  let overtaken = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i]! < numbers[i - 1]!) overtaken++;
  assert.ok(overtaken > 10);
  assert.ok(effects.get('reordered') >= overtaken);
  const inPlace = run({ delay: 5, reorder: 0.2, reorderDelay: 0 }, 200).numbers;
  assert.deepEqual(
    inPlace,
    inPlace.toSorted((a, b) => a - b),
  );
});

test('loss takes its share, each frame for itself', () => {
  const { numbers, near } = run({ loss: 0.1 }, 10_000);
  const lost = 10_000 - numbers.length;
  // Five standard deviations of a binomial distribution.
  assert.ok(Math.abs(lost - 1000) < 150, `${lost} of 10,000 lost`);
  assert.deepEqual(near.statistics.drops.snapshot(), { loss: lost });
  assert.equal(near.statistics.sentFrames, 10_000, 'the sender does not learn of it');
});

test('burst loss has the share and the mean length of the Gilbert-Elliott model', () => {
  const { numbers } = run({ burstLoss: { enter: 0.02, leave: 0.25 } }, 40_000);
  const lost = 40_000 - numbers.length;
  assert.ok(Math.abs(lost / 40_000 - 0.02 / 0.27) < 0.01, `${lost} lost`);
  let bursts = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i]! > numbers[i - 1]! + 1) bursts++;
  assert.ok(Math.abs(lost / bursts - 4) < 0.5, `mean burst ${lost / bursts}`);
});

test('duplicates follow their original', () => {
  const { numbers, effects } = run({ duplicate: 0.3, delay: 2 }, 300);
  assert.equal(numbers.length, 300 + effects.get('duplicated'));
  assert.ok(effects.get('duplicated') > 60);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('corruption turns exactly one bit over', () => {
  const { atFar, effects } = run({ corrupt: 1 }, 50);
  assert.equal(effects.get('corrupted'), 50);
  atFar.received.forEach(({ frame }, i) => {
    const original = numberedFrame(i);
    const different = [...frame].map((byte, at) => byte ^ original[at]!).filter((bits) => bits > 0);
    assert.equal(different.length, 1);
    assert.ok((different[0]! & (different[0]! - 1)) === 0);
  });
});

test('corruption of a frame with an unfinished checksum does not get a fitting checksum', () => {
  const { clock, near, atFar } = impaired({ outbound: { corrupt: 1 } });
  near.transmit(numberedFrame(7, 100), { checksumStart: 34, checksumOffset: 16, segmentSize: 0 });
  clock.runDeferred();
  const { frame, offload } = atFar.received[0]!;
  assert.equal(offload, undefined, 'the receiver is to verify it');
  const whole = numberedFrame(7, 100);
  const sum = ~foldSum(sumWords(whole, 34, 100)) & 0xffff;
  whole[50] = sum >>> 8;
  whole[51] = sum;
  const turned = [...frame].filter((byte, at) => byte !== whole[at]).length;
  assert.equal(turned, 1, 'the completed checksum, then one bit');
});

test('a rate spaces frames by their length, and its queue is bounded in bytes', () => {
  // 1,000 bytes take 10 ms at 800,000 bit/s.
  const { clock, near, atFar } = impaired({ outbound: { rate: 800_000, queueBytes: 3000 } });
  const answers = [0, 1, 2, 3, 4].map((i) => send(near, i, 1000));
  assert.deepEqual(answers, [true, true, true, false, false]);
  clock.advance(10);
  assert.equal(send(near, 5, 1000), true);
  clock.advance(1000);
  assert.deepEqual(atFar.numbers(), [0, 1, 2, 5]);
  assert.deepEqual(
    atFar.received.map(({ at }) => at),
    [10, 20, 30, 40],
  );
  assert.deepEqual(near.statistics.drops.snapshot(), { 'queue-full': 2 });
});

test('a frame larger than the queue passes when the line is free', () => {
  const { clock, near, atFar } = impaired({ outbound: { rate: 1e6, queueBytes: 10 } });
  assert.equal(send(near, 1, 1000), true);
  clock.advance(100);
  assert.equal(send(near, 2, 1000), true);
  clock.advance(200);
  assert.deepEqual(atFar.numbers(), [1, 2]);
});

test('frames and bytes under way are bounded', () => {
  const frames = impaired({ outbound: { delay: 10 }, limits: { framesUnderWay: 2 } });
  assert.deepEqual(
    [1, 2, 3].map((i) => send(frames.near, i)),
    [true, true, false],
  );
  frames.clock.advance(10);
  assert.equal(send(frames.near, 4), true, 'there is room again');
  const bytes = impaired({ outbound: { delay: 10 }, limits: { bytesUnderWay: 100 } });
  assert.deepEqual(
    [1, 2].map((i) => send(bytes.near, i)),
    [true, false],
  );
  bytes.clock.advance(10);
  assert.equal(send(bytes.near, 3), true, 'there is room again');
});

test('a partition takes what is sent and what arrives meanwhile; then all flows again', () => {
  const { clock, near, far, atFar, atNear } = impaired({ outbound: { delay: 10 } });
  send(near, 1);
  clock.advance(5);
  near.impair({ partition: true });
  send(near, 2);
  send(far, 3);
  clock.advance(20);
  near.impair({ partition: false });
  send(near, 4);
  send(far, 5);
  clock.advance(40);
  assert.deepEqual(atFar.numbers(), [4]);
  assert.deepEqual(atNear.numbers(), [5]);
  assert.deepEqual(near.statistics.drops.snapshot(), { partition: 3 });
});

test('settings change while frames are under way: their arrival stays, and order is kept', () => {
  const { clock, near, atFar } = impaired({ outbound: { delay: 50 } });
  send(near, 1);
  near.outbound.set({ delay: 0 });
  send(near, 2);
  clock.advance(60);
  send(near, 3);
  clock.advance(61);
  assert.deepEqual(
    atFar.received.map(({ at }) => at),
    [50, 50, 60],
  );
  assert.deepEqual(atFar.numbers(), [1, 2, 3]);
});

test('what need not wait does not overtake what is due at the same instant', () => {
  const { clock, near, atFar } = impaired();
  clock
    .timer(() => {
      near.outbound.set({ delay: 0, loss: 1e-12 });
      send(near, 2);
    })
    .set(10);
  near.outbound.set({ delay: 10 });
  send(near, 1);
  clock.advance(10);
  assert.deepEqual(atFar.numbers(), [1, 2]);
});

test('values that make no sense are refused, and change nothing', () => {
  const { near } = impaired();
  for (const bad of [
    { loss: 1.1 },
    { loss: NaN },
    { delay: -1 },
    { rate: 0 },
    { burstLoss: { enter: 2, leave: 0.5 } },
  ]) {
    assert.throws(() => near.impair(bad), { code: 'IMPAIRMENT_INVALID' });
  }
  assert.equal(near.outbound.settings.loss, 0);
});

/** A TCP frame over IPv4 with 3,000 bytes of payload, of which checksum and cutting are left to the link. */
function wholeSegment(): Uint8Array {
  const frame = new Uint8Array(54 + 3000);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 3040 >>> 8, 3040 & 255], 0);
  frame.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 22);
  frame[34 + 12] = 0x50;
  return frame;
}
const toCut = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };

test('a segment left to the link is cut first, so that each frame has its own fate', () => {
  for (const direction of ['outbound', 'inbound'] as const) {
    const { clock, near, far, atNear, atFar } = impaired({ [direction]: { delay: 1 } });
    const [from, recorder] = direction === 'outbound' ? [near, atFar] : [far, atNear];
    from.transmit(wholeSegment(), toCut);
    clock.advance(2);
    assert.deepEqual(
      recorder.received.map(({ frame, offload }) => [frame.length, offload]),
      [
        [1054, undefined],
        [1054, undefined],
        [1054, undefined],
      ],
    );
  }
  const counted = impaired({ outbound: { loss: 1 } });
  counted.near.transmit(wholeSegment(), toCut);
  assert.deepEqual(counted.near.statistics.drops.snapshot(), { loss: 3 });
});

test('what befalls a frame is shown with it, and with its direction', () => {
  const cases: readonly [FrameEffect, Partial<Impairment>][] = [
    ['loss', { loss: 1 }],
    ['burst-loss', { burstLoss: { enter: 1, leave: 0 } }],
    ['partition', { partition: true }],
    ['queue-full', { rate: 1000, queueBytes: 0 }],
    ['link-down', { delay: 1 }],
    ['duplicated', { duplicate: 1 }],
    ['reordered', { reorder: 1 }],
  ];
  for (const [effect, settings] of cases) {
    const shown: unknown[] = [];
    const { clock, near, far } = impaired({
      limits: { closeTimeout: 0 },
      outbound: settings,
      inbound: settings,
      observe: (direction, what, frame) => shown.push([direction, what, frame[15]]),
    });
    // The first finds the line free; of the second it is said that it did not.
    const first = effect === 'queue-full' ? 0 : 1;
    for (let number = first; number < 2; number++) {
      send(near, number);
      send(far, number);
    }
    clock.runDeferred();
    void near.close();
    clock.advance(0);
    const own = shown.filter((one) => (one as unknown[])[1] === effect && (one as unknown[])[2]);
    assert.deepEqual(new Set(own.map(String)), new Set([`out,${effect},1`, `in,${effect},1`]));
    assert.equal(own.length, 2);
    assert.equal(near.outbound.effects.get(effect), 1);
    assert.equal(near.inbound.effects.get(effect), 1);
    assert.equal(near.statistics.queueDepth, 0);
  }
});

test('a segment that cannot be cut is shown too', () => {
  const shown: unknown[] = [];
  const { clock, near } = impaired({
    outbound: { delay: 1 },
    observe: (direction, effect, frame, offload) =>
      shown.push([direction, effect, frame.length, offload?.segmentSize]),
  });
  const frame = numberedFrame(1, 3000);
  near.transmit(frame, { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 });
  clock.runDeferred();
  assert.deepEqual(shown, [['out', 'bad-offload', 3000, 1000]]);
});

test('a corrupted frame is shown as it is after that', () => {
  const shown: Uint8Array[] = [];
  const { clock, near, atFar } = impaired({
    outbound: { corrupt: 1 },
    observe: (_direction, _effect, frame) => shown.push(frame.slice()),
  });
  send(near, 1);
  clock.runDeferred();
  assert.notDeepEqual(shown, [numberedFrame(1)]);
  assert.deepEqual(
    atFar.received.map(({ frame }) => frame),
    shown,
  );
});

test('told not to cut, it carries the segment whole, but for corruption', () => {
  const whole = impaired({ cut: false, outbound: { delay: 1 } });
  whole.near.transmit(wholeSegment(), toCut);
  whole.clock.advance(2);
  assert.deepEqual(
    whole.atFar.received.map(({ frame, offload }) => [frame.length, offload]),
    [[3054, toCut]],
  );
  const corrupt = impaired({ cut: false, outbound: { corrupt: 1 } });
  corrupt.near.transmit(wholeSegment(), toCut);
  corrupt.clock.advance(2);
  assert.equal(corrupt.atFar.received.length, 3);
});

test('what cannot be cut is dropped under its reason', () => {
  const { near } = impaired({ outbound: { delay: 1 } });
  assert.equal(near.transmit(numberedFrame(1, 3000), toCut), false);
  assert.deepEqual(near.statistics.drops.snapshot(), { 'bad-offload': 1 });
});

test('closing lets out what was sent, loses what comes, and tells the handler last', async () => {
  const { clock, near, far, atNear, atFar } = impaired({
    outbound: { delay: 10 },
    inbound: { delay: 10 },
  });
  send(near, 1);
  send(far, 2);
  clock.advance(1);
  const closed = near.close();
  assert.equal(send(near, 3), false);
  clock.advance(100);
  await closed;
  assert.deepEqual([atNear.numbers(), atFar.numbers()], [[], [1]]);
  assert.deepEqual(atNear.ends, [undefined]);
  assert.deepEqual(near.statistics.drops.snapshot(), { 'link-down': 2 });
  assert.equal(clock.deadline(), Infinity, 'no timer is left');
});

test('a slow line holds up its closing for a while only', async () => {
  const { clock, near, atNear, atFar } = impaired({
    outbound: { delay: 5000 },
    limits: { closeTimeout: 200 },
  });
  send(near, 1);
  const closed = near.close();
  clock.advance(199);
  assert.deepEqual(atNear.ends, []);
  clock.advance(200);
  await closed;
  assert.deepEqual(atFar.numbers(), []);
  assert.deepEqual(near.statistics.drops.snapshot(), { 'link-down': 1 });
  assert.equal(clock.deadline(), Infinity, 'no timer is left');
});

const settings = fc.record({
  delay: fc.constantFrom(0, 0, 5),
  jitter: fc.constantFrom(0, 3),
  loss: fc.constantFrom(0, 0.2),
  reorder: fc.constantFrom(0, 0.2),
  duplicate: fc.constantFrom(0, 0.2),
  rate: fc.constantFrom(Infinity, 400_000),
  queueBytes: fc.constantFrom(0, 500, 100_000),
});

test('a run is a function of its seed, and every frame is accounted for', () => {
  fc.assert(
    fc.property(settings, fc.integer(), (each, seed) => {
      const first = run(each, 100, seed);
      const again = run(each, 100, seed);
      assert.deepEqual(first.atFar.received, again.atFar.received);
      const drops = first.near.statistics.drops.total();
      assert.equal(first.numbers.length + drops, 100 + first.effects.get('duplicated'));
      assert.equal(first.near.outbound.framesUnderWay, 0);
      if (each.reorder === 0) {
        assert.deepEqual(
          first.numbers,
          first.numbers.toSorted((a, b) => a - b),
        );
      }
    }),
  );
});

/** The numbers of 200 frames that arrive over a lossy line, with so many sent the other way after each. */
function arrivedOfLossy(sentMeanwhile: number): readonly number[] {
  const { near, far, atNear, clock } = impaired({
    inbound: { loss: 0.3 },
    outbound: { loss: 0.3 },
    inboundRandom: seededRandom(7),
  });
  for (let i = 0; i < 200; i++) {
    for (let k = 0; k < sentMeanwhile; k++) send(near, 1000 + k);
    send(far, i);
    clock.advance(i + 1);
  }
  return atNear.numbers();
}

test('with a randomness of its own, what befalls frames received depends on nothing that is sent', () => {
  const draws = seededRandom(7);
  const expected = Array.from({ length: 200 }, (_, i) => i).filter(() => draws.float() >= 0.3);
  assert.deepEqual(arrivedOfLossy(0), expected);
  assert.deepEqual(arrivedOfLossy(3), expected);
});
