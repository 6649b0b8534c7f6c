import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialWindow, windowAfterIdle, type AcknowledgedBytes } from './congestion-control.ts';
import { NewReno } from './new-reno.ts';

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

/** In congestion avoidance with a window of 10 segments. */
function inAvoidance(): NewReno {
  const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: 20 * MSS });
  control.onCongestion(0, 20 * MSS);
  control.onRecoveryEnd();
  return control;
}

test('the initial window (RFC 6928, section 2)', () => {
  // min(10 * MSS, max(2 * MSS, 14600))
  const table: [number, number][] = [
    [536, 5360],
    [1220, 12_200],
    [1460, 14_600],
    [4000, 14_600],
    [8960, 17_920],
    [65_495, 130_990],
  ];
  for (const [segment, window] of table) {
    assert.equal(initialWindow(segment), window);
    assert.equal(new NewReno({ maximumSegmentSize: segment }).window, window);
  }
});

test('slow start counts bytes, two segments for an acknowledgment at most (RFC 3465)', () => {
  const control = new NewReno({ maximumSegmentSize: MSS });
  const table: [number, number][] = [
    [400, 10_400],
    [1000, 11_400],
    [2000, 13_400],
    [5000, 15_400],
  ];
  for (const [bytes, window] of table) {
    control.onAcknowledged(ack(bytes));
    assert.equal(control.window, window);
  }
});

test('slow start stops at the threshold', () => {
  const control = inAvoidance();
  control.onTimeout(0, 10 * MSS);
  assert.equal(control.slowStartThreshold, 5 * MSS);
  control.onAcknowledged(ack(MSS, { roundStarted: true }));
  control.onAcknowledged(ack(MSS, { roundStarted: true }));
  control.onAcknowledged(ack(2 * MSS));
  assert.equal(control.window, 5 * MSS);
  control.onAcknowledged(ack(2 * MSS));
  assert.equal(control.window, 5 * MSS);
});

test('congestion avoidance: one segment more for a window of bytes (RFC 3465, section 2.1)', () => {
  const control = inAvoidance();
  assert.equal(control.window, 10 * MSS);
  for (let i = 0; i < 9; i++) control.onAcknowledged(ack(MSS));
  assert.equal(control.window, 10 * MSS);
  control.onAcknowledged(ack(MSS));
  assert.equal(control.window, 11 * MSS);
  for (let i = 0; i < 11; i++) control.onAcknowledged(ack(MSS));
  assert.equal(control.window, 12 * MSS);
});

test('congestion halves what is in flight, down to two segments (RFC 5681, equation 4)', () => {
  // [window before, in flight, window after]
  const table: [number, number, number][] = [
    [20, 20, 10],
    [20, 12, 6],
    [20, 3, 2],
    // More in flight than the window: the reduction starts from the window.
    [20, 50, 10],
  ];
  for (const [before, inFlight, after] of table) {
    const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: before * MSS });
    control.onCongestion(0, inFlight * MSS);
    assert.equal(control.window, after * MSS);
    assert.equal(control.slowStartThreshold, after * MSS);
    control.onRecoveryEnd();
    assert.equal(control.window, after * MSS);
  }
});

test('a timeout leaves one segment; a second in a row does not lower the threshold (RFC 5681, section 3.1)', () => {
  const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: 40 * MSS });
  control.onTimeout(0, 40 * MSS);
  assert.equal(control.window, MSS);
  assert.equal(control.slowStartThreshold, 20 * MSS);
  control.onTimeout(1000, MSS);
  assert.equal(control.slowStartThreshold, 20 * MSS);
  control.onAcknowledged(ack(MSS));
  control.onTimeout(2000, 2 * MSS);
  assert.equal(control.slowStartThreshold, 2 * MSS);
});

test('after a timeout an acknowledgment counts for one segment until what was in flight then is acknowledged (RFC 3465, section 2.3)', () => {
  const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: 40 * MSS });
  control.onTimeout(0, 40 * MSS);
  control.onAcknowledged(ack(30 * MSS));
  assert.equal(control.window, 2 * MSS);
  control.onAcknowledged(ack(10 * MSS, { roundStarted: true }));
  assert.equal(control.window, 3 * MSS);
  control.onAcknowledged(ack(3 * MSS, { roundStarted: true }));
  assert.equal(control.window, 5 * MSS);
});

test('a window that is not used does not grow (RFC 7661)', () => {
  const control = new NewReno({ maximumSegmentSize: MSS });
  control.onAcknowledged(ack(MSS, { applicationLimited: true }));
  assert.equal(control.window, 10 * MSS);
  const avoiding = inAvoidance();
  for (let i = 0; i < 100; i++) avoiding.onAcknowledged(ack(MSS, { applicationLimited: true }));
  assert.equal(avoiding.window, 10 * MSS);
});

test('undo takes the last reduction back, once, and never lowers the window', () => {
  const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: 40 * MSS });
  control.onCongestion(0, 40 * MSS);
  control.undo();
  assert.equal(control.window, 40 * MSS);
  assert.equal(control.slowStartThreshold, Infinity);
  control.undo();
  assert.equal(control.window, 40 * MSS);

  control.onTimeout(0, 40 * MSS);
  control.onTimeout(1000, 0);
  control.undo();
  assert.equal(control.window, 40 * MSS);
  assert.equal(control.slowStartThreshold, Infinity);

  const grown = new NewReno({ maximumSegmentSize: MSS, initialWindow: 4 * MSS });
  grown.onCongestion(0, 4 * MSS);
  for (let i = 0; i < 100; i++) grown.onAcknowledged(ack(MSS));
  const { window } = grown;
  assert.ok(window > 4 * MSS);
  grown.undo();
  assert.equal(grown.window, window);
});

test('the window is halved for each timeout of idleness, down to the initial window', () => {
  // [window, idle for, window after], with a timeout of 300 ms
  const table: [number, number, number][] = [
    [80, 299, 80],
    [80, 300, 40],
    [80, 650, 20],
    [80, 950, 10],
    [80, 1e9, 10],
    [4, 1e9, 4],
  ];
  for (const [before, idle, after] of table) {
    assert.equal(windowAfterIdle(before, idle, 300, 10), after);
  }
  const control = new NewReno({ maximumSegmentSize: MSS, initialWindow: 80 * MSS });
  control.onCongestion(0, 80 * MSS);
  control.onIdle(0, 700, 300);
  assert.equal(control.window, 10 * MSS);
  // The memory of the old window: three quarters of it, or what the threshold was.
  assert.equal(control.slowStartThreshold, 40 * MSS);
});

test('a change of segment size before the first acknowledgment makes a new initial window; later the bytes stay', () => {
  const control = new NewReno({ maximumSegmentSize: 1460 });
  control.setMaximumSegmentSize(536);
  assert.equal(control.window, 5360);
  control.onAcknowledged(ack(536));
  control.setMaximumSegmentSize(500);
  assert.equal(control.window, 5896);
  control.setMaximumSegmentSize(8960);
  assert.equal(control.window, 2 * 8960);
});
