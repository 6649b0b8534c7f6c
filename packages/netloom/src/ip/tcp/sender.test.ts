/** The sending half on its own, over a network and a peer that do as the test says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NewReno } from './congestion/index.ts';
import { LossRecovery } from './loss-recovery.ts';
import type { SentSegment } from './scoreboard.ts';
import { Sender } from './sender.ts';

const SEGMENT_SIZE = 10;
const ROUND_TRIP = 100;

type Step =
  | { readonly kind: 'write'; readonly length: number }
  | { readonly kind: 'acknowledge'; readonly share: number; readonly window: number }
  | { readonly kind: 'pass'; readonly time: number }
  | { readonly kind: 'end' | 'cork' | 'uncork' | 'delay' };

/** Windows the peer offers. */
const windows = fc.constantFrom(0, 1, 7, 25, 500, 5000);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), length: fc.nat(60) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('acknowledge' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      window: windows,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      time: fc.constantFrom(1, 50, 300, 5000),
    }),
  },
  fc.record({ kind: fc.constantFrom('end', 'cork', 'uncork', 'delay') }),
);

/** Byte number `at` of what the user writes. */
function byteAt(at: number): number {
  return (at * 5 + (at >>> 7)) & 0xff;
}

class Bench {
  readonly sender: Sender;
  readonly #isn: number;
  readonly #frameRoom: number;
  now = 0;
  written = 0;
  ended = false;
  /** How far the peer's window has ever reached, from the start of the stream. */
  #edge = 0;
  /** How far new text has been sent, and whether the FIN has been. */
  #sent = 0;
  #finSent = false;

  constructor(isn: number, frameRoom: number, window: number) {
    this.#isn = isn;
    this.#frameRoom = frameRoom;
    this.sender = new Sender(isn, SEGMENT_SIZE, this.#sink);
    this.sender.frameRoom = frameRoom;
    this.sender.recovery = new LossRecovery({
      initialSequence: isn,
      sack: true,
      segmentSize: SEGMENT_SIZE,
      congestion: new NewReno({ maximumSegmentSize: SEGMENT_SIZE }),
    });
    this.sender.recovery.rtt.sample(ROUND_TRIP, 0);
    this.#offer(window);
  }

  take(next: Step): void {
    if (next.kind === 'write') this.write(next.length);
    else if (next.kind === 'acknowledge') this.acknowledge(next.share, next.window);
    else if (next.kind === 'pass') this.pass(next.time);
    else if (next.kind === 'end') this.sender.ended = this.ended = true;
    else if (next.kind === 'delay') this.sender.noDelay = !this.sender.noDelay;
    else this.sender.corked = next.kind === 'cork';
    this.output();
  }

  write(length: number): void {
    if (this.ended) return;
    this.sender.queue.append(Uint8Array.from({ length }, (_, i) => byteAt(this.written + i)));
    this.written += length;
  }

  /** The peer acknowledges a share of what is outstanding, and offers a window. */
  acknowledge(share: number, window: number): void {
    const { sender } = this;
    const previous = sender.unacknowledged;
    const number = (previous + Math.round(share * ((sender.next - previous) | 0))) | 0;
    sender.acknowledge(number);
    this.#offer(window);
    sender.recovery.acknowledge(
      {
        number,
        sackEdges: new Int32Array(8),
        sackCount: 0,
        duplicate: false,
        timestampRtt: undefined,
        timestampEcho: 0,
      },
      previous,
      sender.next,
      this.now,
    );
  }

  /** Time goes on, and the timers of retransmission with it. */
  pass(time: number): void {
    this.now += time;
    const { recovery } = this.sender;
    if (recovery.deadline > this.now) return;
    const due = recovery.advance(this.sender.next, this.now);
    if (due === 'probe') recovery.probed(this.sender.probe(), this.sender.next);
  }

  output(): void {
    this.sender.output(this.now);
    this.check();
  }

  /** From here on everything goes well. */
  finish(): void {
    this.sender.ended = this.ended = true;
    this.sender.corked = false;
    for (let i = 0; !this.sender.finAcknowledged; i++) {
      assert.ok(i < 1000, `it stops at ${this.#offsetOf(this.sender.unacknowledged)}`);
      this.acknowledge(1, 5000);
      this.pass(ROUND_TRIP);
      this.output();
    }
    assert.equal(this.#sent, this.written);
    assert.deepEqual([this.sender.queue.length, this.sender.unsent], [0, 0]);
    assert.ok(this.sender.recovery.board.isEmpty);
  }

  check(): void {
    const { sender } = this;
    const acknowledged = Math.min(this.written, this.#offsetOf(sender.unacknowledged));
    assert.equal(sender.queue.length, this.written - acknowledged);
    assert.equal(sender.unsent, this.written - this.#sent);
    assert.equal(sender.outstandingBytes, this.#sent - acknowledged);
    // Where text is stuck and nothing is in flight, somebody must ask.
    const isStuck = sender.unsent > 0 && !sender.hasOutstanding && !sender.corked;
    if (isStuck) assert.ok(sender.persistAt < Infinity, 'the window is watched');
  }

  #offer(window: number): void {
    const { sender } = this;
    sender.setWindow(0, sender.unacknowledged, window);
    this.#edge = Math.max(this.#edge, this.#offsetOf(sender.unacknowledged) + window);
  }

  readonly #sink = (
    sequence: number,
    offset: number,
    length: number,
    fin: boolean,
    push: boolean,
    resent: SentSegment | undefined,
  ): void => {
    const { sender } = this;
    const at = this.#offsetOf(sequence);
    assert.equal(offset, at - this.#offsetOf(sender.unacknowledged));
    const text = new Uint8Array(length);
    sender.queue.copy(offset, length, text, 0);
    for (const [i, byte] of text.entries()) assert.equal(byte, byteAt(at + i), `byte ${at + i}`);
    assert.ok(length <= this.#frameRoom, `${length} bytes in one frame`);
    // Pieces the link is to cut are whole, but for the last of all.
    if (length > SEGMENT_SIZE && at + length < this.written) assert.equal(length % SEGMENT_SIZE, 0);
    if (fin) assert.ok(this.ended && at + length === this.written, 'the FIN follows the last byte');
    if (resent === undefined) {
      assert.equal(at, this.#sent, 'new text goes on where it stopped');
      assert.ok(at + length <= this.#edge, 'there is a window for it');
      assert.equal(push, at + length === this.written);
      assert.ok(!fin || !this.#finSent, 'there is one FIN');
      this.#sent += length;
      this.#finSent ||= fin;
      sender.recovery.sent(sequence, (sequence + length + (fin ? 1 : 0)) | 0, this.now);
    } else {
      assert.ok(length > 0 || fin);
      assert.equal((resent.end - resent.start) | 0, length + (fin ? 1 : 0));
      sender.recovery.resent(resent, 0, this.now);
    }
  };

  #offsetOf(number: number): number {
    return (number - this.#isn) | 0;
  }
}

test('the stream goes out once and in order, within windows and frames, and what is lost again', () => {
  const isn = fc.oneof(fc.integer({ min: -300, max: 0 }), fc.constant(2 ** 31 - 100), fc.integer());
  const frameRoom = fc.constantFrom(SEGMENT_SIZE, 10 * SEGMENT_SIZE);
  fc.assert(
    fc.property(
      isn,
      frameRoom,
      windows,
      fc.array(step, { maxLength: 50, size: 'max' }),
      (number, room, window, steps) => {
        const bench = new Bench(number, room, window);
        for (const next of steps) bench.take(next);
        bench.finish();
      },
    ),
    { numRuns: 500 },
  );
});

test('room for SACK blocks makes segments smaller, those that the link cuts too', () => {
  const lengths: number[] = [];
  const sender = new Sender(0, 100, (sequence, _offset, length) => {
    lengths.push(length);
    sender.recovery.sent(sequence, sequence + length, 0);
  });
  sender.recovery = new LossRecovery({
    initialSequence: 0,
    sack: true,
    segmentSize: 100,
    congestion: new NewReno({ maximumSegmentSize: 100 }),
  });
  sender.frameRoom = 330;
  sender.reserved = 20;
  sender.setWindow(0, 0, 10_000);
  sender.queue.append(new Uint8Array(330));
  sender.output(0);
  assert.deepEqual(lengths, [240, 90]);
});
