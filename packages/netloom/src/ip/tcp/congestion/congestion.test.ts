/** What must hold for every algorithm: invariants under any sequence of events, and its behaviour at a bottleneck. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NOT_QUEUED, TimerQueue, seededRandom, type Random } from '../../../core/index.ts';
import {
  MAXIMUM_WINDOW,
  type AcknowledgedBytes,
  type CongestionControl,
  type CongestionOptions,
} from './congestion-control.ts';
import { Cubic, NewReno } from './index.ts';

const ALGORITHMS: Record<string, (options: CongestionOptions) => CongestionControl> = {
  'new-reno': (options) => new NewReno(options),
  cubic: (options) => new Cubic(options),
};

const MSS = 1448;

/** One event of a connection's life. */
type Step =
  | { readonly kind: 'ack'; readonly bytes: number; readonly rtt: number; readonly flags: number }
  | { readonly kind: 'congestion' | 'recovery-end' | 'timeout' | 'undo' }
  | { readonly kind: 'idle'; readonly time: number }
  | { readonly kind: 'segment-size'; readonly bytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      bytes: fc.oneof(fc.nat(3 * MSS), fc.nat(2 ** 30)),
      rtt: fc.double({ min: 0, max: 100_000, noNaN: true }),
      flags: fc.nat(7),
    }),
  },
  fc.record({ kind: fc.constantFrom('congestion', 'recovery-end', 'timeout', 'undo') }),
  fc.record({
    kind: fc.constant('idle' as const),
    time: fc.double({ min: 0, max: 1e9, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('segment-size' as const),
    bytes: fc.integer({ min: 48, max: 65_495 }),
  }),
);

function apply(control: CongestionControl, event: Step, now: number, inFlight: number): void {
  switch (event.kind) {
    case 'ack':
      control.onAcknowledged({
        bytes: event.bytes,
        now,
        rtt: (event.flags & 1) === 0 ? event.rtt : undefined,
        smoothedRtt: event.rtt,
        minRtt: event.rtt / 2,
        inFlight,
        applicationLimited: (event.flags & 2) !== 0,
        roundStarted: (event.flags & 4) !== 0,
      });
      break;
    case 'congestion':
      control.onCongestion(now, inFlight);
      break;
    case 'recovery-end':
      control.onRecoveryEnd(now);
      break;
    case 'timeout':
      control.onTimeout(now, inFlight);
      break;
    case 'undo':
      control.undo();
      break;
    case 'idle':
      control.onIdle(now, event.time, 200);
      break;
    case 'segment-size':
      control.setMaximumSegmentSize(event.bytes);
      break;
  }
}

for (const [name, create] of Object.entries(ALGORITHMS)) {
  test(`${name}: no sequence of events brings the window below a segment or makes it anything but a number`, () => {
    const steps = fc.array(fc.tuple(step, fc.nat(10_000), fc.nat(2 ** 30)), {
      maxLength: 200,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (events) => {
        const control = create({ maximumSegmentSize: MSS });
        let segment = MSS;
        let now = 0;
        for (const [event, pause, inFlight] of events) {
          now += pause;
          const before = control.window;
          apply(control, event, now, inFlight);
          if (event.kind === 'segment-size') segment = event.bytes;
          const { window, slowStartThreshold } = control;
          assert.ok(Number.isInteger(window), `the window is ${window}`);
          assert.ok(window >= segment && window <= MAXIMUM_WINDOW, `the window is ${window}`);
          assert.ok(slowStartThreshold >= 2 * segment, `the threshold is ${slowStartThreshold}`);
          if (event.kind === 'congestion') {
            assert.ok(window >= 2 * segment);
            assert.ok(window <= Math.max(before, 2 * segment), 'congestion made the window larger');
          }
          if (event.kind === 'ack')
            assert.ok(window >= before, 'an acknowledgment made the window smaller');
          if (event.kind === 'timeout') assert.equal(window, segment);
        }
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: does not keep the acknowledgment it was handed`, () => {
    const fresh = create({ maximumSegmentSize: MSS });
    const reused = create({ maximumSegmentSize: MSS });
    const shared = acknowledgment();
    for (let i = 0; i < 100; i++) {
      fresh.onAcknowledged({ ...acknowledgment(), bytes: MSS, now: i, roundStarted: i % 10 === 0 });
      shared.bytes = MSS;
      shared.now = i;
      shared.roundStarted = i % 10 === 0;
      reused.onAcknowledged(shared);
      shared.bytes = NaN;
      shared.now = NaN;
      assert.equal(reused.window, fresh.window);
    }
  });
}

function acknowledgment(): AcknowledgedBytes {
  return {
    bytes: 0,
    now: 0,
    rtt: 20,
    smoothedRtt: 20,
    minRtt: 20,
    inFlight: 0,
    applicationLimited: false,
    roundStarted: false,
  };
}

/** A segment on its way through the bottleneck; a timer whose moment is its acknowledgment's arrival. */
interface Segment {
  deadline: number;
  position: number;
  order: number;
  readonly flow: Flow;
  readonly number: number;
  readonly sentAt: number;
}

/** A sender that always has data: it counts segments and never repeats one, since only the control of its rate matters here. */
class Flow {
  readonly control: CongestionControl;
  readonly start: number;
  inFlight = 0;
  /** Number of the next segment. */
  next = 0;
  /** Segments below this have been acknowledged or found lost. */
  expected = 0;
  recoveryPoint = 0;
  inRecovery = false;
  roundEnd = 0;
  smoothedRtt = 0;
  minRtt = Infinity;
  lastHeard = 0;
  /** Bytes delivered, and those of them in the second half of the run. */
  delivered = 0;
  deliveredLate = 0;
  lost = 0;
  readonly #ack: AcknowledgedBytes = acknowledgment();

  constructor(control: CongestionControl, start: number) {
    this.control = control;
    this.start = start;
    this.lastHeard = start;
  }

  /** The acknowledgment of segment `number` arrives: the path keeps the order, so what is missing before it is lost. */
  acknowledged(number: number, sentAt: number, now: number): void {
    const missing = number - this.expected;
    const inFlightBefore = this.inFlight;
    this.inFlight -= (missing + 1) * MSS;
    this.lost += missing;
    this.expected = number + 1;
    this.lastHeard = now;
    const rtt = now - sentAt;
    this.smoothedRtt =
      this.smoothedRtt === 0 ? rtt : this.smoothedRtt + (rtt - this.smoothedRtt) / 8;
    this.minRtt = Math.min(this.minRtt, rtt);
    if (this.inRecovery && number >= this.recoveryPoint) {
      this.inRecovery = false;
      this.control.onRecoveryEnd(now);
    }
    if (missing > 0 && !this.inRecovery) {
      this.inRecovery = true;
      this.recoveryPoint = this.next;
      this.control.onCongestion(now, inFlightBefore);
    }
    const ack = this.#ack;
    ack.bytes = MSS;
    ack.now = now;
    ack.rtt = rtt;
    ack.smoothedRtt = this.smoothedRtt;
    ack.minRtt = this.minRtt;
    ack.inFlight = inFlightBefore;
    ack.roundStarted = number >= this.roundEnd;
    if (ack.roundStarted) this.roundEnd = this.next;
    if (!this.inRecovery) this.control.onAcknowledged(ack);
  }
}

/** A link of `rate` bytes per millisecond with a queue of `queue` bytes; drops what does not fit and, at random, a share of the rest. */
interface Bottleneck {
  readonly rate: number;
  readonly queue: number;
  readonly roundTrip: number;
  readonly loss: number;
}

/** Runs the flows for `duration` milliseconds. */
function run(flows: Flow[], path: Bottleneck, duration: number, random: Random): void {
  const acknowledgments = new TimerQueue<Segment>();
  let linkFreeAt = 0;
  const send = (flow: Flow, now: number): void => {
    while (flow.inFlight + MSS <= flow.control.window) {
      const number = flow.next++;
      flow.inFlight += MSS;
      const queued = Math.max(0, linkFreeAt - now) * path.rate;
      if (queued + MSS > path.queue) continue;
      linkFreeAt = Math.max(linkFreeAt, now) + MSS / path.rate;
      if (random.float() < path.loss) continue;
      const segment = { ...NOT_QUEUED, flow, number, sentAt: now };
      acknowledgments.set(segment, linkFreeAt + path.roundTrip);
    }
  };
  for (let now = 0; now < duration; now++) {
    for (let due = acknowledgments.takeDue(now); due; due = acknowledgments.takeDue(now)) {
      due.flow.acknowledged(due.number, due.sentAt, now);
      due.flow.delivered += MSS;
      if (now >= duration / 2) due.flow.deliveredLate += MSS;
      send(due.flow, now);
    }
    for (const flow of flows) {
      if (now < flow.start) continue;
      if (flow.inFlight > 0 && now - flow.lastHeard > 1000 + 2 * path.roundTrip) {
        flow.control.onTimeout(now, flow.inFlight);
        flow.expected = flow.next;
        flow.inFlight = 0;
        flow.inRecovery = false;
        flow.lastHeard = now;
      }
      send(flow, now);
    }
  }
}

/** Jain's fairness index: 1 when all have the same, 1/n when one has it all. */
function fairness(shares: number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}

/** 20 Mbit/s with a round trip of 40 ms: 100,000 bytes fill it. */
const HOME: Bottleneck = { rate: 2500, queue: 100_000, roundTrip: 40, loss: 0 };

for (const [name, create] of Object.entries(ALGORITHMS)) {
  test(`${name}: one flow fills a link whose queue holds a round trip`, () => {
    const flow = new Flow(create({ maximumSegmentSize: MSS }), 0);
    run([flow], HOME, 30_000, seededRandom(1));
    const used = flow.delivered / (HOME.rate * 30_000);
    assert.ok(used > 0.95, `${(100 * used).toFixed(1)} % used`);
    assert.ok(flow.lost > 0, 'the queue never overflowed: the model tests nothing');
    assert.ok(flow.lost * MSS < 0.02 * flow.delivered, `${flow.lost} segments lost`);
  });

  test(`${name}: four flows that start one after another come to share the link evenly`, () => {
    const flows = [0, 2000, 4000, 6000].map(
      (start) => new Flow(create({ maximumSegmentSize: MSS }), start),
    );
    run(flows, HOME, 120_000, seededRandom(2));
    const index = fairness(flows.map((flow) => flow.deliveredLate));
    assert.ok(index > 0.9, `Jain's index is ${index.toFixed(3)}`);
    const used = flows.reduce((sum, flow) => sum + flow.deliveredLate, 0) / (HOME.rate * 60_000);
    assert.ok(used > 0.95, `${(100 * used).toFixed(1)} % used`);
  });

  test(`${name}: goes on through a link that drops a tenth of everything`, () => {
    const flow = new Flow(create({ maximumSegmentSize: MSS }), 0);
    run([flow], { ...HOME, loss: 0.1 }, 60_000, seededRandom(3));
    assert.ok(flow.delivered > 60 * 10 * MSS, `${flow.delivered} bytes in a minute`);
  });
}

test('cubic outruns new-reno on a long fat path with rare losses, which is what it is for', () => {
  const path: Bottleneck = { rate: 12_500, queue: 1_000_000, roundTrip: 200, loss: 1e-5 };
  const [reno, cubic] = ['new-reno', 'cubic'].map((name) => {
    const flow = new Flow(ALGORITHMS[name]!({ maximumSegmentSize: MSS }), 0);
    run([flow], path, 120_000, seededRandom(4));
    return flow.delivered;
  });
  assert.ok(cubic! > 1.1 * reno!, `cubic ${cubic}, new-reno ${reno}`);
});

test('cubic and new-reno share a short path evenly (the Reno-friendly region)', () => {
  const flows = Object.values(ALGORITHMS).map(
    (create) => new Flow(create({ maximumSegmentSize: MSS }), 0),
  );
  run(flows, { rate: 1000, queue: 20_000, roundTrip: 10, loss: 0 }, 120_000, seededRandom(5));
  const index = fairness(flows.map((flow) => flow.deliveredLate));
  assert.ok(index > 0.85, `Jain's index is ${index.toFixed(3)}`);
});

test('HyStart++ leaves slow start before the queue overflows; plain slow start does not', () => {
  // A window three times the path is what shows the rise, and conservative slow start makes it three times larger in its
  // five rounds: the queue holds ten round trips.
  const path: Bottleneck = { rate: 12_500, queue: 12_500_000, roundTrip: 100, loss: 0 };
  const [reno, cubic] = ['new-reno', 'cubic'].map((name) => {
    const flow = new Flow(ALGORITHMS[name]!({ maximumSegmentSize: MSS }), 0);
    run([flow], path, 8000, seededRandom(6));
    return flow;
  });
  assert.ok(reno!.lost > 100, `new-reno lost ${reno!.lost}`);
  assert.equal(cubic!.lost, 0);
  assert.ok(cubic!.delivered > 0.8 * path.rate * 8000, `${cubic!.delivered} bytes`);
});
