/** Loss detection by time, by hand-made sequences: RFC 8985, section 6.2, whose steps the names cite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rack } from './rack.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { Scoreboard, type SentSegment } from './scoreboard.ts';

const SIZE = 1000;
/** Segments are numbered from 0 and wrap around at the third. */
const ISN = -2 * SIZE;
/** Of the path, until a test says otherwise. */
const ROUND_TRIP = 100;

/** A sender's records, and what RACK makes of them. */
class Bench {
  readonly board = new Scoreboard();
  readonly rtt = new RttEstimator();
  readonly rack = new Rack(ISN);
  now = 0;
  inRecovery = false;
  #sent = 0;

  constructor() {
    this.rtt.sample(ROUND_TRIP, 0);
  }

  /** Sends so many new segments. */
  send(count: number, size = SIZE): void {
    for (; count > 0; count--) {
      const start = this.#number;
      this.#sent += size;
      this.board.sent(start, this.#number, this.now);
    }
  }

  /** Sends the segment again that has this number among all outstanding ones. */
  resend(index: number): void {
    const segment = this.board.at(index)!;
    this.board.resent(segment, this.now);
  }

  /** An acknowledgment up to segment `count`, of full segments. */
  acknowledge(count: number): void {
    this.board.acknowledge((ISN + count * SIZE) | 0, this.#arrived);
  }

  /** A SACK block of the segments `from` up to but not including `to`. */
  sack(from: number, to: number, size = SIZE): void {
    this.board.sack((ISN + from * size) | 0, (ISN + to * size) | 0, this.#arrived);
  }

  /** Step 5; answers the numbers of the segments that are lost. */
  detect(): number[] {
    this.rack.detectLoss(this.board, this.rtt, this.inRecovery, SIZE, this.now);
    return Array.from({ length: this.board.size }, (_, i) => i).filter(
      (i) => this.board.at(i)!.lost,
    );
  }

  /** A duplicate is reported when all up to segment `acknowledged` is there. */
  duplicate(acknowledged: number): void {
    this.rack.duplicateReported(this.#number, (ISN + acknowledged * SIZE) | 0);
  }

  get #number(): number {
    return (ISN + this.#sent) | 0;
  }

  readonly #arrived = (segment: SentSegment): void => {
    this.rack.arrived(segment, this.now, this.rtt.minimum);
  };
}

/** How long past its round trip a segment is waited for, when the one sent after it has arrived in time. */
function reorderingWindow(bench: Bench): number {
  bench.detect();
  return bench.rack.deadline - ROUND_TRIP;
}

/** Reordering has been seen: segment 1 has overtaken 0. What is left: 2 and 3, sent at 0, of which 3 has arrived at 100. */
function withReordering(): Bench {
  const bench = new Bench();
  bench.send(4);
  bench.now = ROUND_TRIP;
  bench.sack(1, 2);
  bench.acknowledge(2);
  bench.sack(3, 4);
  return bench;
}

test('nothing is lost while nothing has arrived', () => {
  const bench = new Bench();
  bench.send(3);
  bench.now = 1e6;
  assert.deepEqual(bench.detect(), []);
  assert.equal(bench.rack.deadline, Infinity);
});

test('what was sent before a segment that has arrived is waited for a quarter of the least round trip, and then lost (steps 4 and 5)', () => {
  const bench = new Bench();
  bench.send(3);
  bench.now = ROUND_TRIP;
  bench.sack(1, 2);
  assert.deepEqual(bench.detect(), []);
  assert.equal(bench.rack.deadline, 125);
  bench.now = 124.9;
  assert.deepEqual(bench.detect(), []);
  bench.now = 125;
  assert.deepEqual(bench.detect(), [0], 'not the one sent after it');
  assert.equal(bench.rack.deadline, Infinity);
});

test('of segments sent at the same instant the order of their numbers is that of their sending, across the wrap (step 2)', () => {
  const bench = new Bench();
  bench.send(4);
  bench.now = ROUND_TRIP;
  bench.sack(2, 3);
  bench.now = 125;
  assert.deepEqual(bench.detect(), [0, 1]);
});

test('each segment has its own time, and the earliest is the deadline', () => {
  const bench = new Bench();
  for (bench.now = 0; bench.now < 30; bench.now += 10) bench.send(1);
  bench.now = 130;
  bench.sack(2, 3);
  assert.deepEqual(bench.detect(), []);
  assert.equal(bench.rack.deadline, 0 + 110 + 25);
  bench.now = 140;
  assert.deepEqual(bench.detect(), [0]);
  assert.equal(bench.rack.deadline, 10 + 110 + 25);
});

test('three SACKed segments end the waiting while no reordering has been seen (step 4)', () => {
  const bench = new Bench();
  bench.send(5);
  bench.now = ROUND_TRIP;
  bench.sack(1, 3);
  assert.deepEqual(bench.detect(), []);
  bench.sack(3, 4);
  assert.deepEqual(bench.detect(), [0]);
});

test('small segments count as any others (step 4: DupThresh is of segments)', () => {
  const bench = new Bench();
  bench.send(5, 10);
  bench.now = ROUND_TRIP;
  bench.sack(1, 4, 10);
  assert.deepEqual(bench.detect(), [0]);
});

test('a large segment that the link has cut counts for as many as it was cut into (step 4)', () => {
  const bench = new Bench();
  bench.send(1);
  bench.send(1, 3 * SIZE);
  bench.now = ROUND_TRIP;
  bench.sack(1, 4);
  assert.deepEqual(bench.detect(), [0]);
});

test('in recovery nothing is waited for while no reordering has been seen (step 4)', () => {
  const bench = new Bench();
  bench.inRecovery = true;
  bench.send(2);
  bench.now = ROUND_TRIP;
  bench.sack(1, 2);
  assert.deepEqual(bench.detect(), [0]);
});

test('once reordering has been seen there is always a window, in recovery too (steps 3 and 4)', () => {
  const bench = withReordering();
  bench.inRecovery = true;
  assert.equal(reorderingWindow(bench), 25);
});

test('what was sent again and fills a gap is no reordering (step 3)', () => {
  const bench = new Bench();
  bench.inRecovery = true;
  bench.send(2);
  bench.now = ROUND_TRIP;
  bench.sack(1, 2);
  assert.deepEqual(bench.detect(), [0]);
  bench.resend(0);
  bench.now = 101;
  bench.send(2);
  bench.now = 200;
  bench.acknowledge(2);
  bench.now = 201;
  bench.sack(3, 4);
  assert.deepEqual(bench.detect(), [0], 'that is segment 2, without a window');
});

test('an arrival sooner than the path allows is of the first transmission, and says nothing of the second (step 2)', () => {
  const bench = new Bench();
  bench.send(2);
  bench.now = 500;
  bench.resend(0);
  bench.now = 510;
  bench.acknowledge(1);
  bench.now = 1000;
  assert.deepEqual(bench.detect(), [], 'segment 1 was sent after the one that arrived');
});

test('such an arrival still tells how far the peer has received (step 3)', () => {
  const bench = new Bench();
  bench.inRecovery = true;
  bench.send(3);
  bench.now = 500;
  bench.resend(1);
  bench.now = 505;
  bench.send(1);
  bench.now = 508;
  bench.send(1);
  bench.now = 510;
  bench.sack(1, 2);
  // Segment 0 came after segment 1, whichever transmission that was.
  bench.acknowledge(1);
  bench.now = 608;
  bench.sack(4, 5);
  assert.deepEqual(bench.detect(), [1], 'segment 2, not yet segment 3');
  assert.equal(bench.rack.deadline, 505 + 100 + 25);
});

test('a lost retransmission is found by what was sent after it (section 3.1)', () => {
  const bench = new Bench();
  bench.send(3);
  bench.now = ROUND_TRIP;
  bench.inRecovery = true;
  bench.sack(1, 2);
  assert.deepEqual(bench.detect(), [0]);
  bench.resend(0);
  bench.now = 110;
  bench.send(1);
  bench.now = 210;
  bench.sack(3, 4);
  // The new one was sent 10 ms after the retransmission, and has arrived.
  assert.deepEqual(bench.detect(), [0, 2]);
});

test('a segment sent again does not hide others sent before it', () => {
  const bench = new Bench();
  bench.send(4);
  bench.now = 90;
  bench.resend(0);
  bench.now = ROUND_TRIP;
  bench.sack(3, 4);
  bench.now = 125;
  assert.deepEqual(bench.detect(), [1, 2]);
});

test('a reported duplicate widens the window by a quarter of the least round trip, up to the smoothed one (step 4)', () => {
  const bench = withReordering();
  assert.equal(reorderingWindow(bench), 25);
  for (const [round, window] of [50, 75, 100, 100].entries()) {
    bench.duplicate(4 + round);
    assert.equal(reorderingWindow(bench), window);
    bench.send(1);
  }
});

test('of several duplicates in a round trip one counts (step 4)', () => {
  const bench = withReordering();
  bench.duplicate(2);
  bench.duplicate(2);
  bench.duplicate(3);
  assert.equal(reorderingWindow(bench), 50);
  // All that was sent when the first was reported is acknowledged: the round is over.
  bench.duplicate(4);
  assert.equal(reorderingWindow(bench), 75);
});

test('a round that has long been over does not come back when the numbers have gone half around', () => {
  const bench = withReordering();
  bench.duplicate(2);
  bench.send(1);
  bench.acknowledge(4);
  bench.detect();
  const far = (ISN + 2 ** 31 + 10 * SIZE) | 0;
  bench.rack.duplicateReported((far + 2 * SIZE) | 0, far);
  bench.send(2);
  bench.now = 200;
  bench.sack(5, 6);
  bench.detect();
  assert.equal(bench.rack.deadline, ROUND_TRIP + 100 + 75);
});

test('the wider window lasts for 16 recoveries without a duplicate (step 4)', () => {
  const bench = withReordering();
  bench.duplicate(2);
  for (let i = 0; i < 15; i++) bench.rack.recovered();
  assert.equal(reorderingWindow(bench), 50);
  bench.duplicate(4);
  for (let i = 0; i < 15; i++) bench.rack.recovered();
  assert.equal(reorderingWindow(bench), 75, 'the duplicate has started the count anew');
  bench.rack.recovered();
  assert.equal(reorderingWindow(bench), 25);
});

test('what is SACKed or already lost sets no deadline', () => {
  const bench = new Bench();
  bench.send(3);
  bench.now = ROUND_TRIP;
  bench.sack(0, 3);
  assert.deepEqual(bench.detect(), []);
  assert.equal(bench.rack.deadline, Infinity);
});
