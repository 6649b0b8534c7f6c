/** What is outstanding, against a model that has a record for every byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Scoreboard, type SentSegment } from './scoreboard.ts';

/** What is known of one byte that has been sent. */
interface SentByte {
  sentAt: number;
  retransmitted: boolean;
  sacked: boolean;
  lost: boolean;
  acknowledged: boolean;
}

/** A step of a sender's, with numbers that mean something only once it is known what is outstanding. */
type Step =
  | { readonly kind: 'send'; readonly length: number }
  | { readonly kind: 'acknowledge' | 'split'; readonly at: number }
  | { readonly kind: 'sack'; readonly at: number; readonly length: number }
  | { readonly kind: 'lose' | 'resend'; readonly at: number }
  | { readonly kind: 'timeout' | 'renege' };

const place = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      length: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), at: place }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('sack' as const),
      at: place,
      length: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('lose', 'resend', 'split'), at: place }),
  },
  fc.record({ kind: fc.constantFrom('timeout', 'renege') }),
);

/** Drives a scoreboard and the model alike, and compares them. */
class Comparison {
  readonly #board = new Scoreboard();
  readonly #bytes: SentByte[] = [];
  readonly #isn: number;
  #acknowledged = 0;
  #now = 0;

  constructor(isn: number) {
    this.#isn = isn;
  }

  take(next: Step): void {
    this.#now++;
    switch (next.kind) {
      case 'send':
        return this.#send(next.length);
      case 'acknowledge':
        return this.#acknowledge(this.#offset(next.at));
      case 'sack':
        return this.#sack(this.#offset(next.at), next.length);
      case 'lose':
        return this.#lose(this.#segment(next.at));
      case 'resend':
        return this.#resend(this.#board.firstLost());
      case 'split':
        return this.#split(this.#segment(next.at), next.at);
      case 'timeout':
        this.#board.markAllLost();
        for (const byte of this.#outstanding()) byte.lost = !byte.sacked;
        return undefined;
      case 'renege':
        this.#board.forgetSacks();
        for (const byte of this.#outstanding()) byte.sacked = false;
        return undefined;
    }
  }

  #send(length: number): void {
    const end = this.#bytes.length + length;
    this.#board.sent(this.#number(this.#bytes.length), this.#number(end), this.#now);
    while (this.#bytes.length < end) {
      this.#bytes.push({
        sentAt: this.#now,
        retransmitted: false,
        sacked: false,
        lost: false,
        acknowledged: false,
      });
    }
  }

  #acknowledge(to: number): void {
    const told = this.#told((each) => this.#board.acknowledge(this.#number(to), each));
    const news = range(this.#acknowledged, to).filter((i) => !this.#bytes[i]!.sacked);
    assert.deepEqual(told, news, 'newly acknowledged');
    for (const i of range(this.#acknowledged, to)) this.#bytes[i]!.acknowledged = true;
    this.#acknowledged = to;
  }

  #sack(from: number, length: number): void {
    const to = Math.min(this.#bytes.length, from + length);
    const told = this.#told((each) => this.#board.sack(this.#number(from), this.#number(to), each));
    const covered = range(from, to).map((i) => [i, this.#bytes[i]!] as const);
    const news = covered.filter(([, byte]) => !byte.sacked && !byte.acknowledged);
    assert.deepEqual(
      told,
      news.map(([i]) => i),
      'newly SACKed',
    );
    for (const [, byte] of news) {
      byte.sacked = true;
      byte.lost = false;
    }
  }

  #lose(segment: SentSegment | undefined): void {
    if (segment === undefined) return;
    this.#board.setLost(segment, true);
    for (const byte of this.#of(segment)) byte.lost ||= !byte.sacked;
  }

  #resend(segment: SentSegment | undefined): void {
    const first = this.#outstanding().find(({ lost }) => lost);
    assert.equal(segment === undefined, first === undefined, 'whether anything waits');
    if (segment === undefined) return;
    assert.equal(this.#of(segment)[0], first, 'what waits first');
    this.#board.resent(segment, this.#now);
    for (const byte of this.#of(segment)) {
      Object.assign(byte, { sentAt: this.#now, retransmitted: true, lost: false });
    }
  }

  #split(segment: SentSegment | undefined, at: number): void {
    if (segment === undefined) return;
    const length = (segment.end - segment.start) | 0;
    if (length < 2) return;
    this.#board.splitAt(segment, (segment.start + 1 + Math.floor(at * (length - 2))) | 0);
  }

  /** The segments cover what is outstanding, in order and once, and say of each byte what the model says. */
  check(): void {
    const board = this.#board;
    let at = this.#acknowledged;
    for (let i = 0; i < board.size; i++) {
      const segment = board.at(i)!;
      assert.equal(segment.start, this.#number(at), 'where the segment starts');
      const { start: _start, end: _end, ...known } = segment;
      for (const byte of this.#of(segment)) {
        const { acknowledged, ...expected } = byte;
        assert.equal(acknowledged, false);
        assert.deepEqual(known, expected);
        at++;
      }
    }
    assert.equal(at, this.#bytes.length, 'where the last one ends');
    assert.equal(board.isEmpty, this.#acknowledged === at);
    assert.equal(board.first(), board.at(0));
    assert.equal(board.last(), board.at(board.size - 1));
    const outstanding = this.#outstanding();
    const count = (is: (byte: SentByte) => boolean): number => outstanding.filter(is).length;
    assert.equal(
      board.sackedBytes,
      count(({ sacked }) => sacked),
    );
    const segments = range(0, board.size).map((index) => board.at(index)!);
    assert.equal(board.sackedSegments, segments.filter(({ sacked }) => sacked).length);
    assert.equal(
      board.lostBytes,
      count(({ lost }) => lost),
    );
    assert.equal(
      board.inFlight,
      count(({ sacked, lost }) => !sacked && !lost),
    );
  }

  /** The bytes that a call has told of, by their offsets. */
  #told(call: (each: (segment: SentSegment) => void) => void): number[] {
    const told: number[] = [];
    call(({ start, end }) => {
      told.push(...range((start - this.#isn) | 0, (end - this.#isn) | 0));
    });
    return told;
  }

  #of({ start, end }: SentSegment): SentByte[] {
    return this.#bytes.slice((start - this.#isn) | 0, (end - this.#isn) | 0);
  }

  #outstanding(): SentByte[] {
    return this.#bytes.slice(this.#acknowledged);
  }

  #segment(at: number): SentSegment | undefined {
    return this.#board.at(Math.floor(at * (this.#board.size - 1)));
  }

  #offset(at: number): number {
    return this.#acknowledged + Math.round(at * (this.#bytes.length - this.#acknowledged));
  }

  #number(offset: number): number {
    return (this.#isn + offset) | 0;
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

test('it knows of every byte what it should, whatever is acknowledged, SACKed, lost, split or reneged on', () => {
  // Numbers that wrap around in the middle, and numbers that do not.
  const isn = fc.oneof(
    fc.integer({ min: -60, max: 0 }),
    fc.integer({ min: 2 ** 31 - 60, max: 2 ** 31 - 1 }),
    fc.integer(),
  );
  fc.assert(
    fc.property(isn, fc.array(step, { maxLength: 60, size: 'max' }), (number, steps) => {
      const comparison = new Comparison(number);
      for (const next of steps) {
        comparison.take(next);
        comparison.check();
      }
    }),
    { numRuns: 500 },
  );
});

test('it stays right and small when thousands of segments have gone by', () => {
  const comparison = new Comparison(-5000);
  for (let i = 0; i < 1200; i++) {
    comparison.take({ kind: 'send', length: 7 });
    if (i >= 300) comparison.take({ kind: 'acknowledge', at: 1 / 300 });
    if (i % 97 === 0) comparison.check();
  }
  comparison.take({ kind: 'acknowledge', at: 1 });
  comparison.check();
});

test('a segment acknowledged in part is told of part by part: the link may cut what it is given whole', () => {
  const board = new Scoreboard();
  board.sent(0, 64_000, 5);
  const told: SentSegment[] = [];
  for (const number of [3000, 6000, 64_000]) {
    board.acknowledge(number, (segment) => told.push({ ...segment }));
  }
  assert.deepEqual(
    told.map(({ start, end, sentAt }) => [start, end, sentAt]),
    [
      [0, 3000, 5],
      [3000, 6000, 5],
      [6000, 64_000, 5],
    ],
  );
});

test('after clear there is nothing', () => {
  const board = new Scoreboard();
  board.sent(0, 10, 0);
  board.sent(10, 20, 0);
  board.sack(10, 20, () => undefined);
  board.clear();
  assert.deepEqual(
    [board.size, board.inFlight, board.sackedBytes, board.sackedSegments, board.lostBytes],
    [0, 0, 0, 0, 0],
  );
});
