/** Resolution and reachability: RFC 4861, sections 7.2.2, 7.3.1 to 7.3.3 and appendix C. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Counters, IpAddress, type Random } from '../../core/index.ts';
import { NEIGHBOUR_LIMITS, NeighbourCache, type NeighbourLimits } from './neighbour-cache.ts';
import type { Neighbour } from './neighbour.ts';

/** The reachable time is then exactly the base: 0.5 times and 0.5 more. */
const HALF: Random = {
  uint32: () => 2 ** 31,
  float: () => 0.5,
  below: (bound) => bound >>> 1,
  fill: (bytes) => bytes.fill(7),
};

/** A cache in virtual time, and what it has asked of its interface. */
class Bench {
  readonly drops = new Counters();
  readonly cache: NeighbourCache;
  now = 0;
  /** In the order they happened: solicitations, released frames by their first byte, neighbours given up. */
  readonly events: string[] = [];

  constructor(limits: Partial<NeighbourLimits> = {}, random: Random = HALF) {
    const note = (what: string) => void this.events.push(`${this.now}: ${what}`);
    this.cache = new NeighbourCache(
      { ...NEIGHBOUR_LIMITS, ...limits },
      {
        solicit: ({ address }, unicast) => note(`${unicast ? 'ask' : 'ask all for'} ${address}`),
        release: ({ frame }, { macLow }) => note(`frame ${frame[0]} to ${macLow}`),
        unreachable: ({ address, waiting }) => note(`gave up ${address}, ${waiting.length} wait`),
        timersChanged() {},
      },
      random,
      this.drops,
    );
  }

  get(last = 1): Neighbour {
    return this.cache.get(IpAddress.v4(0x0a00_0000 | last), this.now);
  }

  /** Sends a frame to a neighbour as the stack does; answers whether it could go at once. */
  send(neighbour: Neighbour, frame = 0): boolean {
    if (neighbour.isFresh) return true;
    if (this.cache.use(neighbour, this.now)) return true;
    this.cache.wait(neighbour, Uint8Array.of(frame), undefined, this.now);
    return false;
  }

  learn(neighbour: Neighbour, mac: number, solicited: boolean): void {
    this.cache.learn(neighbour, 0x0200, mac, solicited, this.now);
  }

  /** Goes on, timer by timer. */
  passTo(time: number): void {
    for (;;) {
      const next = this.cache.deadline();
      if (next > time) break;
      this.now = Math.max(this.now, next);
      this.cache.advance(this.now);
    }
    this.now = time;
  }

  take(): string[] {
    return this.events.splice(0);
  }
}

/** A neighbour that has answered at 0, and is reachable until 30 s. */
function reachable(bench: Bench): Neighbour {
  const neighbour = bench.get();
  bench.send(neighbour);
  bench.learn(neighbour, 1, true);
  bench.take();
  return neighbour;
}

/** One whose answer is too old to be relied on, at 30 s. */
function stale(bench: Bench): Neighbour {
  const neighbour = reachable(bench);
  bench.passTo(30_000);
  assert.equal(neighbour.state, 'stale');
  return neighbour;
}

test('the first packet asks, three times a second apart, and what waits goes when the answer comes, in order (section 7.2.2)', () => {
  const bench = new Bench();
  const neighbour = bench.get();
  assert.deepEqual([bench.send(neighbour, 1), bench.send(neighbour, 2)], [false, false]);
  assert.equal(neighbour.state, 'incomplete');
  bench.passTo(2500);
  assert.deepEqual(bench.take(), [
    '0: ask all for 10.0.0.1',
    '1000: ask all for 10.0.0.1',
    '2000: ask all for 10.0.0.1',
  ]);
  bench.learn(neighbour, 9, true);
  assert.deepEqual(bench.take(), ['2500: frame 1 to 9', '2500: frame 2 to 9']);
  assert.equal(neighbour.state, 'reachable');
  assert.equal(bench.send(neighbour), true);
});

test('without an answer the packets are given up, and who sent them can be told (section 7.2.2)', () => {
  const bench = new Bench();
  const neighbour = bench.get();
  bench.send(neighbour);
  bench.passTo(10_000);
  assert.deepEqual(bench.take().at(-1), '3000: gave up 10.0.0.1, 1 wait');
  assert.deepEqual(bench.drops.snapshot(), { 'neighbour-unreachable': 1 });
  assert.equal(bench.cache.deadline(), Infinity);
});

test('one that failed is left alone for a second, and then asked again', () => {
  const bench = new Bench();
  const neighbour = bench.get();
  bench.send(neighbour);
  bench.passTo(3999);
  bench.take();
  assert.equal(bench.send(neighbour), false);
  assert.deepEqual(bench.drops.get('neighbour-failed'), 1);
  assert.deepEqual(bench.take(), []);
  bench.passTo(4000);
  bench.send(neighbour);
  assert.deepEqual(bench.take(), ['4000: ask all for 10.0.0.1']);
  bench.learn(neighbour, 1, true);
  assert.equal(neighbour.state, 'reachable');
});

test('of the packets that wait the oldest gives way (section 7.2.2)', () => {
  const bench = new Bench({ waitingFrames: 2 });
  const neighbour = bench.get();
  for (const frame of [1, 2, 3]) bench.send(neighbour, frame);
  bench.take();
  bench.learn(neighbour, 5, true);
  assert.deepEqual(bench.take(), ['0: frame 2 to 5', '0: frame 3 to 5']);
  assert.deepEqual(bench.drops.snapshot(), { 'neighbour-queue-full': 1 });
});

test('a frame that waits is the cache’s own: the sender’s memory may be used again', () => {
  const bench = new Bench();
  const neighbour = bench.get();
  const frame = Uint8Array.of(1);
  bench.cache.use(neighbour, 0);
  bench.cache.wait(neighbour, frame, undefined, 0);
  frame[0] = 2;
  bench.take();
  bench.learn(neighbour, 5, true);
  assert.deepEqual(bench.take(), ['0: frame 1 to 5']);
});

test('reachable, it is relied on for the reachable time; stale, it is used and probed only when it is used (section 7.3.3)', () => {
  const bench = new Bench();
  const neighbour = reachable(bench);
  bench.passTo(29_999);
  assert.equal(neighbour.state, 'reachable');
  bench.passTo(100_000);
  assert.equal(neighbour.state, 'stale');
  assert.equal(bench.cache.deadline(), Infinity);
  assert.equal(bench.send(neighbour), true, 'it is used all the same');
  assert.equal(neighbour.state, 'delay');
  bench.passTo(104_999);
  assert.deepEqual(bench.take(), []);
  bench.passTo(110_000);
  assert.deepEqual(bench.take(), [
    '105000: ask 10.0.0.1',
    '106000: ask 10.0.0.1',
    '107000: ask 10.0.0.1',
    '108000: gave up 10.0.0.1, 0 wait',
  ]);
  assert.equal(neighbour.isResolved, false);
});

test('an answer to a probe makes it reachable again', () => {
  const bench = new Bench();
  const neighbour = stale(bench);
  bench.send(neighbour);
  bench.passTo(36_500);
  assert.deepEqual(bench.take(), ['35000: ask 10.0.0.1', '36000: ask 10.0.0.1']);
  assert.equal(bench.send(neighbour), true);
  bench.learn(neighbour, 1, true);
  assert.equal(neighbour.state, 'reachable');
  bench.passTo(66_499);
  assert.equal(neighbour.state, 'reachable');
  assert.deepEqual(bench.take(), []);
});

test('the reachable time is spread from half of the base to one and a half (section 6.3.2)', () => {
  for (const [float, time] of [
    [0, 15_000],
    [0.999_999, 44_999.97],
  ] as const) {
    const bench = new Bench({}, { ...HALF, float: () => float });
    reachable(bench);
    assert.ok(Math.abs(bench.cache.deadline() - time) < 0.01);
  }
});

test('progress of an upper layer keeps it reachable, without a question (section 7.3.1)', () => {
  const bench = new Bench();
  const neighbour = reachable(bench);
  for (let time = 10_000; time <= 300_000; time += 10_000) {
    neighbour.confirm();
    bench.passTo(time);
    assert.equal(neighbour.state, 'reachable');
  }
  assert.deepEqual(bench.take(), []);
});

test('progress during the delay, or while it is probed, makes it reachable (appendix C)', () => {
  for (const [confirmedAt, asked] of [
    [33_000, []],
    [35_500, ['35000: ask 10.0.0.1']],
  ] as const) {
    const bench = new Bench();
    const neighbour = stale(bench);
    bench.send(neighbour);
    bench.passTo(confirmedAt);
    neighbour.confirm();
    bench.passTo(40_000);
    assert.equal(neighbour.state, 'reachable');
    assert.deepEqual(bench.take(), asked);
  }
});

test('progress of long ago proves nothing: what counts is what comes during the delay (section 7.3.3)', () => {
  const bench = new Bench();
  const neighbour = stale(bench);
  neighbour.confirm();
  bench.passTo(1_000_000);
  bench.send(neighbour);
  bench.passTo(1_005_000);
  assert.deepEqual(bench.take(), ['1005000: ask 10.0.0.1']);
});

test('an address heard without being asked for is stale, and releases what waits (section 7.2.3 and appendix C)', () => {
  const bench = new Bench();
  const neighbour = bench.get();
  bench.send(neighbour, 1);
  bench.take();
  bench.learn(neighbour, 3, false);
  assert.equal(neighbour.state, 'stale');
  assert.deepEqual(bench.take(), ['0: frame 1 to 3']);
  assert.equal(bench.cache.deadline(), Infinity);
  // The same again is no news, and another address is.
  bench.learn(neighbour, 3, true);
  bench.learn(neighbour, 3, false);
  assert.equal(neighbour.state, 'reachable');
  bench.learn(neighbour, 4, false);
  assert.equal(neighbour.state, 'stale');
  assert.equal(neighbour.macLow, 4);
});

test('an address that may not take the place of the one known makes that one stale, where it was relied on (section 7.2.5)', () => {
  const bench = new Bench();
  const neighbour = reachable(bench);
  bench.cache.doubt(neighbour, bench.now);
  assert.equal(neighbour.state, 'stale');
  assert.equal(neighbour.isFresh, false);
  assert.equal(neighbour.macLow, 1);
  bench.send(neighbour);
  bench.cache.doubt(neighbour, bench.now);
  assert.equal(neighbour.state, 'delay', 'it is being checked already');
});

test('one that is forgotten while a path has it comes back when it is used', () => {
  const bench = new Bench();
  const neighbour = reachable(bench);
  bench.cache.clear();
  assert.equal(bench.cache.size, 0);
  assert.equal(bench.send(neighbour, 1), false);
  assert.equal(bench.cache.get(neighbour.address, 0), neighbour);
  assert.deepEqual(bench.take(), ['0: ask all for 10.0.0.1']);
});

test('and where another entry has taken its place, that one is used for it', () => {
  const bench = new Bench();
  const old = reachable(bench);
  bench.cache.clear();
  const current = bench.get();
  bench.learn(current, 8, true);
  assert.equal(bench.send(old), true);
  assert.equal(old.macLow, 8);
  bench.cache.clear();
  const third = bench.get();
  bench.take();
  bench.send(old, 4);
  bench.learn(third, 9, true);
  assert.deepEqual(bench.take(), ['0: ask all for 10.0.0.1', '0: frame 4 to 9']);
});

type Step =
  | { readonly kind: 'send' | 'confirm' | 'doubt'; readonly which: number }
  | {
      readonly kind: 'learn';
      readonly which: number;
      readonly mac: number;
      readonly solicited: boolean;
    }
  | { readonly kind: 'pass'; readonly time: number }
  | { readonly kind: 'clear' };

const which = fc.integer({ min: 1, max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), which }) },
  fc.record({ kind: fc.constantFrom('confirm' as const, 'doubt' as const), which }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('learn' as const),
      which,
      mac: fc.nat(2),
      solicited: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      time: fc.constantFrom(1, 999, 5000, 40_000),
    }),
  },
  fc.record({ kind: fc.constant('clear' as const) }),
);

test('whatever happens, it stays within its limits, and every frame that waits is sent or dropped once', () => {
  const limits = { neighbours: 4, waitingFrames: 3 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const bench = new Bench(limits);
      // Paths keep the neighbours they have been given, forgotten or not.
      const paths = new Map<number, Neighbour>();
      let waited = 0;
      for (const next of steps) {
        if (next.kind === 'pass') bench.passTo(bench.now + next.time);
        else if (next.kind === 'clear') bench.cache.clear();
        else if (next.kind === 'learn')
          bench.learn(bench.get(next.which), next.mac, next.solicited);
        else {
          let neighbour = paths.get(next.which);
          if (neighbour === undefined) paths.set(next.which, (neighbour = bench.get(next.which)));
          if (next.kind === 'confirm') neighbour.confirm();
          else if (next.kind === 'doubt') bench.cache.doubt(neighbour, bench.now);
          else if (!bench.send(neighbour)) waited++;
        }
        checkLimits(bench, limits);
      }
      const released = bench.events.filter((event) => event.includes('frame')).length;
      const waiting = [...bench.cache.entries()].reduce((sum, it) => sum + it.waiting.length, 0);
      const dropped = bench.drops.total() - bench.drops.get('neighbour-evicted');
      assert.equal(waited, released + waiting + dropped);
      bench.passTo(bench.now + 100_000);
      assert.equal(bench.cache.deadline(), Infinity, 'left alone, it comes to rest');
    }),
    { numRuns: 300 },
  );
});

function checkLimits(
  { cache }: Bench,
  limits: { neighbours: number; waitingFrames: number },
): void {
  const entries = [...cache.entries()];
  assert.equal(entries.length, cache.size);
  assert.ok(cache.size <= limits.neighbours);
  for (const { address, waiting, state, isFresh, isResolved, isForgotten } of entries) {
    assert.equal(isForgotten, false);
    assert.ok(waiting.length <= limits.waitingFrames);
    assert.ok(waiting.length === 0 || state === 'incomplete', `frames wait for a ${state} one`);
    assert.equal(isFresh, state === 'reachable', `${address}`);
    assert.equal(isResolved, state !== 'new' && state !== 'incomplete' && state !== 'failed');
  }
}

test('frames that wait keep to a number of bytes over all neighbours: those that have waited longest go', () => {
  const bench = new Bench({ waitingBytes: 4 * 257 });
  const neighbours = [1, 2, 3].map((last) => bench.get(last));
  for (const [index, frame] of [0, 0, 1, 2, 2, 1].entries()) bench.send(neighbours[frame]!, index);
  assert.equal(bench.cache.waitingBytes, 4 * 257);
  assert.deepEqual(
    neighbours.map(({ waiting }) => waiting.map(({ frame }) => frame[0])),
    [[], [2, 5], [3, 4]],
  );
  assert.deepEqual(bench.drops.snapshot(), { 'neighbour-waiting-limit': 2 });
  bench.learn(neighbours[1]!, 1, true);
  bench.passTo(5000);
  assert.equal(bench.cache.waitingBytes, 0);
});

test('everybody is asked so often a second, whoever is sought; one that is known is asked all the same', () => {
  const bench = new Bench({ questionsPerSecond: 3 });
  for (let last = 1; last <= 5; last++) bench.send(bench.get(last));
  assert.equal(bench.take().length, 3);
  assert.equal(bench.drops.get('neighbour-question-limit'), 2);
  const known = bench.get(9);
  bench.learn(known, 9, false);
  bench.send(known);
  bench.passTo(900);
  assert.deepEqual(bench.take(), []);
  bench.passTo(1000);
  assert.equal(bench.take().length, 3, 'those whose question is repeated');
  bench.passTo(10_000);
  assert.ok(bench.take().some((event) => event.includes('ask 10.0.0.9')));
});
