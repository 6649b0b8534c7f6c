/** Any cutting, reordering and repetition of a stream yields the stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FLOW_TRACKER_LIMITS, type FlowTrackerLimits } from './limits.ts';
import { StreamAssembler } from './stream-assembler.ts';

/** What an assembler has given: bytes, and gaps as negative lengths. */
class Output {
  readonly events: number[] = [];

  data(bytes: Uint8Array): void {
    this.events.push(...bytes);
  }

  gap(length: number): void {
    this.events.push(-length);
  }

  strays = 0;
  stray(): void {
    this.strays++;
  }
}

function assembler(limits: Partial<FlowTrackerLimits> = {}) {
  const output = new Output();
  const held = { total: 0 };
  const all = { ...FLOW_TRACKER_LIMITS, ...limits };
  return { output, held, assembler: new StreamAssembler(output, all, held) };
}

const STREAM = Uint8Array.from({ length: 200 }, (_, i) => i);

interface Segment {
  readonly at: number;
  readonly length: number;
}

/** Segments that hold all of the stream, and some more, in any order. */
const segments: fc.Arbitrary<Segment[]> = fc
  .record({
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: STREAM.length - 1 }), { maxLength: 30 }),
    again: fc.array(
      fc.record({ at: fc.nat(STREAM.length - 1), length: fc.integer({ min: 0, max: 60 }) }),
      { maxLength: 20 },
    ),
  })
  .chain(({ cuts, again }) => {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
    const whole = edges.slice(1).map((end, i) => ({ at: edges[i]!, length: end - edges[i]! }));
    const all = [...whole, ...again];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

/** Initial sequence numbers, those among them after which numbers wrap around. */
const initial = fc.oneof(
  fc.integer(),
  fc.integer({ min: -STREAM.length, max: 0 }),
  fc.integer({ min: 2 ** 31 - STREAM.length, max: 2 ** 31 - 1 }),
);

function bytesOf({ at, length }: Segment): Uint8Array {
  return STREAM.slice(at, at + length);
}

test('any cutting, reordering, overlapping and repetition of a stream yields the stream, and nothing is held', () => {
  fc.assert(
    fc.property(initial, segments, (number, all) => {
      const { assembler: it, output, held } = assembler();
      it.begin(number);
      for (const segment of all) {
        const bytes = bytesOf(segment);
        it.segment((number + segment.at) | 0, bytes);
        bytes.fill(255);
      }
      assert.deepEqual(output.events, [...STREAM]);
      assert.equal(held.total, 0);
    }),
    { numRuns: 500 },
  );
});

test('with limits so small that gaps have to be given up, every byte comes in its place or is in a gap', () => {
  fc.assert(
    fc.property(
      initial,
      segments,
      fc.nat(40),
      fc.integer({ min: 1, max: 3 }),
      (number, all, bytes, pieces) => {
        const { assembler: it, output, held } = assembler({ heldPerDirection: bytes, pieces });
        it.begin(number);
        for (const segment of all) {
          it.segment((number + segment.at) | 0, bytesOf(segment));
          assert.ok(held.total <= bytes, `${held.total} bytes are held`);
        }
        it.flush();
        let at = 0;
        for (const event of output.events) {
          if (event < 0) at -= event;
          else assert.equal(event, STREAM[at++]);
        }
        assert.equal(at, STREAM.length);
        assert.equal(held.total, 0);
      },
    ),
    { numRuns: 500 },
  );
});

test('what the receiver has acknowledged is not waited for', () => {
  const { assembler: it, output } = assembler();
  it.begin(1000);
  it.segment(1010, STREAM.subarray(10, 20));
  it.segment(1030, STREAM.subarray(30, 40));
  it.acknowledged(1005);
  assert.deepEqual(output.events, []);
  it.acknowledged(1020);
  assert.deepEqual(output.events, [-10, ...STREAM.subarray(10, 20)]);
  it.acknowledged(1041);
  assert.deepEqual(output.events.slice(11), [-10, ...STREAM.subarray(30, 40)]);
  // The FIN's own number is no byte that is missing.
  it.acknowledged(1041);
  it.flush();
  assert.equal(output.events.length, 22);
});

test('a stream that was not seen to begin begins with the first segment that is seen', () => {
  const { assembler: it, output } = assembler();
  it.segment(-5, STREAM.subarray(10, 20));
  it.segment(-15, STREAM.subarray(0, 10));
  it.segment(5, STREAM.subarray(20, 22));
  assert.deepEqual(output.events, [...STREAM.subarray(10, 22)]);
});

test('a segment farther off than any window reaches is not of the stream', () => {
  const { assembler: it, output, held } = assembler();
  it.begin(0);
  it.segment(2 ** 30 + 1, STREAM);
  it.segment(-(2 ** 30) - 1, STREAM);
  assert.equal(held.total, 0);
  it.flush();
  assert.deepEqual(output.events, []);
  assert.equal(output.strays, 2);
});
