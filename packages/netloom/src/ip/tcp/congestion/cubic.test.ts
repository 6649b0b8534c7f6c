import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcknowledgedBytes } from './congestion-control.ts';
import { Cubic } from './cubic.ts';

const MSS = 1000;

function ack(bytes: number, more: Partial<AcknowledgedBytes> = {}): AcknowledgedBytes {
  return {
    bytes,
    now: 0,
    rtt: 100,
    smoothedRtt: 100,
    minRtt: 100,
    inFlight: 0,
    applicationLimited: false,
    roundStarted: false,
    ...more,
  };
}

/** After congestion at a window of so many segments, at time 0. */
function reduced(segments: number): Cubic {
  const control = new Cubic({ maximumSegmentSize: MSS, initialWindow: segments * MSS });
  control.onCongestion();
  control.onRecoveryEnd();
  return control;
}

/** Acknowledges a whole window at each time, in equal parts, as a round trip of that length would. */
function rounds(control: Cubic, from: number, to: number, roundTrip: number): void {
  for (let start = from; start < to; start += roundTrip) {
    const parts = Math.max(1, Math.floor(control.window / (2 * MSS)));
    for (let part = 0; part < parts; part++) {
      const now = start + (roundTrip * part) / parts;
      control.onAcknowledged(ack(2 * MSS, { now, smoothedRtt: roundTrip, rtt: roundTrip }));
    }
  }
}

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not about ${expected}`);
}

test('congestion leaves 0.7 of the window, two segments at least (RFC 9438, section 4.6)', () => {
  assert.equal(reduced(100).window, 70 * MSS);
  assert.equal(reduced(100).slowStartThreshold, 70 * MSS);
  assert.equal(reduced(2).window, 2 * MSS);
});

test('the window follows the cubic function back to its old size, and beyond (section 4.2)', () => {
  // W_max = 1000 segments, so K = cbrt(300 / 0.4) = 9.0856 s. A round trip of 50 ms keeps the target close, and is
  // long enough that Reno would be slower throughout.
  const control = reduced(1000);
  // [seconds, 0.4 * (t - K)^3 + 1000]
  const table: [number, number][] = [
    [2, 857.6],
    [5, 972.7],
    [9, 1000],
    [12, 1009.9],
    [15, 1082.7],
  ];
  let from = 0;
  for (const [seconds, expected] of table) {
    rounds(control, from, seconds * 1000, 50);
    from = seconds * 1000;
    near(control.window / MSS, expected, 2);
  }
});

test('one acknowledgment, by hand: the target of one round trip on, in proportion to the bytes', () => {
  const control = reduced(1000);
  control.onAcknowledged(ack(0, { now: 0 }));
  const before = control.window;
  assert.equal(before, 700 * MSS);
  control.onAcknowledged(ack(70 * MSS, { now: 1000, smoothedRtt: 100 }));
  // W_cubic(1.1) = 0.4 * (1.1 - 9.0856)^3 + 1000 = 796.3; a tenth of a window was acknowledged.
  near(control.window / MSS, 700 + (796.3 - 700) / 10, 0.1);
});

test('the target is at most one and a half windows (section 4.2)', () => {
  const control = reduced(1000);
  control.onAcknowledged(ack(0, { now: 0 }));
  control.onAcknowledged(ack(700 * MSS, { now: 60_000, smoothedRtt: 100 }));
  assert.equal(control.window, 1050 * MSS);
});

test('on a short path it grows as Reno does: alpha segments for each round trip, one past the old size (section 4.3)', () => {
  const control = reduced(20);
  assert.equal(control.window, 14 * MSS);
  // Round trips of 1 ms: 0.1 s is nothing to the cubic function, but 100 windows are acknowledged.
  let roundTrips = 0;
  for (; control.window < 20 * MSS; roundTrips++) rounds(control, roundTrips, roundTrips + 1, 1);
  // alpha = 3 * 0.3 / 1.7 = 9 / 17: six segments in 11.3 round trips (a little more: parts of windows are left over).
  near(roundTrips, 12, 1);
  const from = control.window;
  rounds(control, 1000, 1010, 1);
  near((control.window - from) / MSS, 10, 1);
});

test('fast convergence: a flow that did not reach its old maximum aims lower (section 4.7)', () => {
  // Congestion at 1000, then again at 700: W_max = 700 * 1.7 / 2 = 595, K = cbrt((595 - 490) / 0.4) = 6.403 s.
  const control = reduced(1000);
  control.onAcknowledged(ack(0, { now: 0 }));
  control.onCongestion();
  assert.equal(control.window, 490 * MSS);
  rounds(control, 10_000, 16_400, 50);
  near(control.window / MSS, 595, 1);
});

test('after a timeout the window is one segment; congestion avoidance then starts at its own size, with K = 0 (section 4.8)', () => {
  const control = reduced(100);
  control.onTimeout();
  assert.equal(control.window, MSS);
  assert.equal(control.slowStartThreshold, 49 * MSS);
  control.onTimeout();
  assert.equal(control.slowStartThreshold, 49 * MSS);
  control.onAcknowledged(ack(50 * MSS, { roundStarted: true }));
  assert.equal(control.window, 2 * MSS);
  control.onAcknowledged(ack(2 * MSS, { roundStarted: true }));
  assert.equal(control.window, 4 * MSS);
  for (let i = 0; i < 23; i++) control.onAcknowledged(ack(2 * MSS));
  assert.equal(control.window, 49 * MSS);
  // With K = 0 and W_max = 49 the function gives 49 + 0.4 * 3.1^3 = 60.9 after three seconds and a round trip;
  // with the old maximum of 100 it would give 97.
  control.onAcknowledged(ack(0, { now: 10_000 }));
  control.onAcknowledged(ack(49 * MSS, { now: 13_000, smoothedRtt: 100 }));
  near(control.window / MSS, 60.9, 0.1);
});

test('time in which the application was the limit does not count (section 4.2)', () => {
  const busy = reduced(1000);
  const paused = reduced(1000);
  rounds(busy, 0, 4000, 20);
  rounds(paused, 0, 2000, 20);
  for (let now = 2000; now <= 600_000; now += 100) {
    paused.onAcknowledged(ack(MSS, { now, applicationLimited: true }));
  }
  const { window } = paused;
  rounds(paused, 600_000, 602_000, 20);
  assert.ok(paused.window > window);
  near(paused.window / MSS, busy.window / MSS, 2);
});

test('idle time does not count either, and shrinks the window as for every sender', () => {
  const control = reduced(1000);
  rounds(control, 0, 2000, 20);
  const { window } = control;
  control.onIdle(2200, 200, 300);
  assert.equal(control.window, window);
  control.onIdle(2500, 300, 300);
  near(control.window, window / 2, 1);
  assert.equal(control.slowStartThreshold, 700 * MSS);
  control.onIdle(1e9, 1e9, 300);
  assert.equal(control.window, 10 * MSS);

  const busy = reduced(1000);
  const rested = reduced(1000);
  rounds(busy, 0, 4000, 20);
  rounds(rested, 0, 2000, 20);
  rested.onIdle(62_000, 60_000, 120_000);
  rounds(rested, 62_000, 64_000, 20);
  near(rested.window / MSS, busy.window / MSS, 2);
});

test('a spurious reduction is taken back whole (section 4.9)', () => {
  const untouched = reduced(1000);
  const mistaken = reduced(1000);
  rounds(untouched, 0, 4000, 20);
  rounds(mistaken, 0, 4000, 20);
  mistaken.onCongestion();
  mistaken.onTimeout();
  mistaken.onTimeout();
  mistaken.undo();
  // The last reduction was the timeout's: what the congestion left is back.
  near(mistaken.window, untouched.window * 0.7, 1);

  const again = reduced(1000);
  rounds(again, 0, 4000, 20);
  again.onCongestion();
  // A new stage has begun by the time the mistake is seen.
  again.onAcknowledged(ack(0, { now: 4000 }));
  again.undo();
  rounds(untouched, 4000, 8000, 20);
  rounds(again, 4000, 8000, 20);
  assert.equal(again.window, untouched.window);
  assert.equal(again.slowStartThreshold, untouched.slowStartThreshold);
  // Only once.
  again.onAcknowledged(ack(MSS, { now: 8000 }));
  const { window } = again;
  again.undo();
  assert.equal(again.window, window);
});

test('an undo that comes late does not lower a window that has grown past', () => {
  const control = reduced(10);
  rounds(control, 0, 20_000, 50);
  const { window } = control;
  assert.ok(window > 10 * MSS);
  control.undo();
  assert.equal(control.window, window);
});

test('slow start counts eight segments for an acknowledgment at most, or as many as it is told (RFC 9406, section 4.3)', () => {
  const control = new Cubic({ maximumSegmentSize: MSS });
  control.onAcknowledged(ack(20 * MSS));
  assert.equal(control.window, 18 * MSS);
  const paced = new Cubic({ maximumSegmentSize: MSS, acknowledgmentLimit: Infinity });
  paced.onAcknowledged(ack(20 * MSS));
  assert.equal(paced.window, 30 * MSS);
});

test('a rising round-trip time slows the first slow start to a quarter and ends it after five rounds', () => {
  const control = new Cubic({ maximumSegmentSize: MSS });
  const round = (rtt: number): number => {
    const before = control.window;
    for (let i = 0; i < 8; i++) {
      control.onAcknowledged(ack(MSS, { rtt, roundStarted: i === 7 }));
    }
    return control.window - before;
  };
  assert.equal(round(50), 8 * MSS);
  // The eighth sample shows the rise.
  assert.equal(round(70), 7 * MSS + MSS / 4);
  for (let i = 0; i < 4; i++) assert.equal(round(70), 2 * MSS);
  assert.equal(control.slowStartThreshold, control.window);
  // In congestion avoidance a single window of acknowledgments brings a segment, not a doubling.
  near(round(70), (8 * MSS * MSS) / control.window, MSS / 10);
});

test('a train of acknowledgments as long as half the round trip ends the first slow start (RFC 9438, section 4.10)', () => {
  const train = (segments: number, more: Partial<AcknowledgedBytes> = {}): Cubic => {
    const control = new Cubic({ maximumSegmentSize: MSS, initialWindow: segments * MSS });
    for (let now = 1000; now <= 1050; now++) control.onAcknowledged(ack(2 * MSS, { now, ...more }));
    return control;
  };
  const full = train(100);
  // Half of a round trip has brought 51 acknowledgments.
  assert.equal(full.window, 202 * MSS);
  assert.equal(full.slowStartThreshold, 202 * MSS);
  full.onAcknowledged(ack(2 * MSS, { now: 1051 }));
  assert.ok(full.window < 203 * MSS, 'no more slow start');
  const idle = train(100, { applicationLimited: true });
  assert.equal(idle.slowStartThreshold, Infinity, 'the pace is then not that of the path');
});

test('with a window below sixteen segments a train tells nothing', () => {
  const control = new Cubic({ maximumSegmentSize: MSS, initialWindow: 10 * MSS });
  for (let now = 1000; now <= 1060; now++) control.onAcknowledged(ack(50, { now }));
  assert.ok(control.window < 16 * MSS);
  assert.equal(control.slowStartThreshold, Infinity);
});

test('a change of segment size before the first acknowledgment makes a new initial window', () => {
  const control = new Cubic({ maximumSegmentSize: 1460 });
  control.setMaximumSegmentSize(536);
  assert.equal(control.window, 5360);
  control.onAcknowledged(ack(536));
  control.setMaximumSegmentSize(500);
  assert.equal(control.window, 5896);
});
