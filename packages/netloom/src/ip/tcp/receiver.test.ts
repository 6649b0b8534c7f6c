/** The receiving half on its own, against a model that knows of each byte whether it has come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Receiver, windowScaleFor } from './receiver.ts';

/** Length of the peer's stream; its FIN follows. */
const STREAM = 200;
const SEGMENT_SIZE = 20;

const STREAM_BYTES = Uint8Array.from({ length: STREAM }, (_, i) => i * 3 + 1);

/** What the peer or the user does. */
type Step =
  | {
      readonly kind: 'segment';
      readonly at: number;
      readonly length: number;
      readonly fin: boolean;
      /** The user pauses before it is given what has come. */
      readonly pauses: boolean;
    }
  | { readonly kind: 'pause' | 'resume' | 'advertise' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('segment' as const),
      // Around what comes next, counted from there.
      at: fc.integer({ min: -30, max: 90 }),
      length: fc.nat(50),
      fin: fc.boolean(),
      pauses: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constantFrom('pause', 'resume', 'advertise') }),
);

/** Numbers that wrap around within the stream, and any others. */
const isn = fc.oneof(
  fc.integer({ min: -STREAM, max: 0 }),
  fc.integer({ min: 2 ** 31 - STREAM, max: 2 ** 31 - 1 }),
  fc.integer(),
);

class Comparison {
  readonly receiver: Receiver;
  readonly #isn: number;
  readonly #capacity: number;
  readonly #has: boolean[] = Array.from({ length: STREAM }, () => false);
  #finSeen = false;
  /** The user has had so many bytes. */
  #read = 0;
  /** The right edge of the window as the peer was told it last. */
  #told: number;

  constructor(isn: number, capacity: number) {
    this.#isn = isn;
    this.#capacity = capacity;
    this.receiver = new Receiver(0, capacity, capacity, 1000);
    this.receiver.synchronize(isn);
    this.receiver.flowing = true;
    this.#told = capacity;
  }

  take(next: Step): void {
    if (next.kind === 'segment')
      this.segment(this.#next + next.at, next.length, next.fin, next.pauses);
    else if (next.kind === 'advertise') this.advertise();
    else this.receiver.flowing = next.kind === 'resume';
    this.#deliver();
    this.#check();
  }

  /** A segment from `at` on, as far as there is a stream. */
  segment(at: number, length: number, fin: boolean, pauses = false): void {
    const from = Math.min(STREAM, Math.max(0, at));
    const to = Math.min(STREAM, from + length);
    const hasFin = fin && to === STREAM;
    const span = to - from + (hasFin ? 1 : 0);
    const number = (this.#isn + from) | 0;
    assert.equal(this.receiver.isAcceptable(number, span), this.#isAcceptable(from, span));
    if (span === 0 || this.receiver.finished || !this.receiver.isAcceptable(number, span)) return;
    const edge = this.#next + this.receiver.window;
    // Borrowed: it is gone when the receiver has returned and the user has been given it.
    const frame = new Uint8Array(to + 2);
    frame.set(STREAM_BYTES.subarray(from, to), from + 2);
    const isExpected = from === this.#next && !this.#hasGap;
    assert.equal(this.receiver.take(number, frame, from + 2, to + 2, hasFin), isExpected);
    for (let i = from; i < Math.min(to, edge); i++) this.#has[i] = true;
    this.#finSeen ||= hasFin;
    if (pauses) this.receiver.flowing = false;
    this.#deliver();
    this.receiver.keepDirect();
    frame.fill(0xee);
  }

  advertise(): void {
    const field = this.receiver.advertise(SEGMENT_SIZE);
    const edge = ((this.receiver.next - this.#isn) | 0) + field;
    assert.ok(edge >= this.#told, `the window shrinks from ${this.#told} to ${edge}`);
    this.#told = edge;
  }

  /** The peer sends all there is again, in order, as windows let it. */
  finish(): void {
    this.receiver.flowing = true;
    this.#deliver();
    for (let tries = 0; !this.receiver.finished; tries++) {
      assert.ok(tries < 1000, `it stops at ${this.#next}`);
      this.advertise();
      this.segment(this.#next, Math.min(SEGMENT_SIZE, this.receiver.window), true);
    }
    this.#deliver();
    assert.equal(this.#read, STREAM);
  }

  /** RFC 9293, section 3.4, table 6, counted from the start of the stream. */
  #isAcceptable(from: number, span: number): boolean {
    const next = (this.receiver.next - this.#isn) | 0;
    const window = this.receiver.window;
    const isIn = (at: number): boolean => at >= next && at < next + window;
    if (span === 0) return window === 0 ? from === next : isIn(from);
    return window > 0 && (isIn(from) || isIn(from + span - 1));
  }

  #deliver(): void {
    const { receiver } = this;
    while (receiver.flowing) {
      const chunk = receiver.direct ?? receiver.shift();
      receiver.direct = undefined;
      if (chunk === undefined) return;
      assert.deepEqual(chunk, STREAM_BYTES.slice(this.#read, this.#read + chunk.length));
      this.#read += chunk.length;
    }
  }

  #check(): void {
    const { receiver } = this;
    const isFinished = this.#finSeen && this.#next === STREAM;
    assert.equal(receiver.finished, isFinished);
    assert.equal((receiver.next - this.#isn) | 0, this.#next + (isFinished ? 1 : 0));
    const held = this.#has.filter(Boolean).length - this.#read;
    assert.equal(receiver.queued + receiver.reassembly.length, held);
    assert.ok(held <= this.#capacity, `${held} bytes are held`);
    assert.ok(receiver.queued + receiver.window <= this.#capacity, 'what is offered has room');
    assert.equal(receiver.reassembly.isEmpty, !this.#hasGap);
  }

  /** The first byte that is missing. */
  get #next(): number {
    const at = this.#has.indexOf(false);
    return at < 0 ? STREAM : at;
  }

  get #hasGap(): boolean {
    return this.#has.includes(true, this.#next);
  }
}

test('the user gets the stream, whatever comes in whatever order, and no more is held than was offered', () => {
  fc.assert(
    fc.property(
      isn,
      fc.integer({ min: 1, max: 120 }),
      fc.array(step, { maxLength: 50, size: 'max' }),
      (number, capacity, steps) => {
        const comparison = new Comparison(number, capacity);
        for (const next of steps) comparison.take(next);
        comparison.finish();
      },
    ),
    { numRuns: 500 },
  );
});

test('one large segment fills several gaps, and what lies behind the last is taken with it', () => {
  const receiver = new Receiver(0, 100, 100, 10);
  receiver.synchronize(-15);
  for (const from of [10, 30]) receiver.take(from - 15, STREAM_BYTES, from, from + 10, from === 30);
  receiver.take(-15, STREAM_BYTES, 0, 35, false);
  assert.equal(receiver.next, 40 - 15 + 1);
  assert.ok(receiver.finished);
  assert.ok(receiver.reassembly.isEmpty);
});

test('a duplicate is reported once, before the ranges (RFC 2883, section 4)', () => {
  const receiver = new Receiver(0, 100, 100, 10);
  receiver.synchronize(100);
  receiver.take(100, STREAM_BYTES, 0, 10, false);
  receiver.take(120, STREAM_BYTES, 20, 25, false);
  receiver.noteUnacceptable(95, 10);
  assert.equal(receiver.reportSize, 2);
  const edges = new Int32Array(8);
  assert.equal(receiver.report(edges, 4), 2);
  assert.deepEqual([...edges.subarray(0, 4)], [95, 105, 120, 125]);
  assert.equal(receiver.report(edges, 4), 1);
  assert.deepEqual([...edges.subarray(0, 2)], [120, 125]);
});

test('what there is no room for is not reported: the peer would think that it is here', () => {
  const receiver = new Receiver(0, 100, 100, 1);
  receiver.synchronize(0);
  receiver.take(20, STREAM_BYTES, 20, 25, false);
  receiver.take(40, STREAM_BYTES, 40, 45, false);
  const edges = new Int32Array(8);
  assert.equal(receiver.report(edges, 4), 1);
  assert.deepEqual([...edges.subarray(0, 2)], [20, 25]);
});

test('what comes while the connection is being closed is acknowledged and thrown away', () => {
  const receiver = new Receiver(0, 100, 100, 10);
  receiver.synchronize(0);
  receiver.discarding = true;
  receiver.take(10, STREAM_BYTES, 10, 20, false);
  receiver.take(0, STREAM_BYTES, 0, 10, false);
  assert.equal(receiver.next, 20);
  assert.deepEqual([receiver.queued, receiver.shift(), receiver.direct], [0, undefined, undefined]);
});

test('the scale is the least that lets the whole buffer be told (RFC 7323, section 2.2)', () => {
  for (const [buffer, scale] of [
    [1, 0],
    [65_535, 0],
    [65_536, 1],
    [131_070, 1],
    [131_071, 2],
    [6_291_456, 7],
    [2 ** 30, 14],
    [2 ** 40, 14],
  ] as const) {
    assert.equal(windowScaleFor(buffer), scale, `${buffer} bytes`);
  }
});

test('the window that the SYN offered will do for less than a segment; what the buffer has beyond it is told then', () => {
  const receiver = new Receiver(0, 131_072, 131_072, 8);
  receiver.scale = windowScaleFor(131_072);
  receiver.synchronize(1);
  const text = new Uint8Array(1460);
  // As a user who takes all at once.
  receiver.discarding = true;
  assert.equal(receiver.wantsWindowUpdate(1460), false);
  receiver.take(1, text, 0, 1459, false);
  assert.equal(receiver.wantsWindowUpdate(1460), false);
  receiver.take(1460, text, 0, 1, false);
  assert.equal(receiver.wantsWindowUpdate(1460), true);
  assert.equal(receiver.advertise(1460) * 2 ** receiver.scale, 131_072);
  assert.equal(receiver.wantsWindowUpdate(1460), false);
});
