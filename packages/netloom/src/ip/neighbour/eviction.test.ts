/** Which neighbour makes room when the cache is full. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters, IpAddress, seededRandom } from '../../core/index.ts';
import { NEIGHBOUR_LIMITS, NeighbourCache } from './neighbour-cache.ts';
import type { Neighbour } from './neighbour.ts';

interface World {
  readonly cache: NeighbourCache;
  readonly drops: Counters;
  now: number;
}

function world(neighbours: number): World {
  const drops = new Counters();
  const sink = {
    solicit: () => undefined,
    release: () => undefined,
    unreachable: () => undefined,
    timersChanged: () => undefined,
  };
  const limits = { ...NEIGHBOUR_LIMITS, neighbours };
  return { cache: new NeighbourCache(limits, sink, seededRandom(1), drops), drops, now: 0 };
}

function address(number: number): IpAddress {
  return IpAddress.v6(0x2001_0db8, 0, 0, number);
}

/** A neighbour of each kind; each is used one millisecond after the one before. */
const make = {
  /** Only looked up. */
  fresh: (its: World, number: number): Neighbour => its.cache.get(address(number), ++its.now),
  /** A frame waits for its answer. */
  waitedFor(its: World, number: number): Neighbour {
    const neighbour = make.fresh(its, number);
    assert.equal(its.cache.use(neighbour, its.now), false);
    its.cache.wait(neighbour, new Uint8Array(60), undefined, its.now);
    return neighbour;
  },
  /** Its link address was heard, and nobody has sent to it. */
  stale(its: World, number: number): Neighbour {
    const neighbour = make.fresh(its, number);
    its.cache.learn(neighbour, 0x0200, number, false, its.now);
    return neighbour;
  },
  /** It has answered. */
  reachable(its: World, number: number): Neighbour {
    const neighbour = make.fresh(its, number);
    its.cache.learn(neighbour, 0x0200, number, true, its.now);
    return neighbour;
  },
  /** It has answered, was stale, and is sent to again. */
  delayed(its: World, number: number): Neighbour {
    const neighbour = make.reachable(its, number);
    its.cache.doubt(neighbour, its.now);
    assert.equal(its.cache.use(neighbour, its.now), true);
    return neighbour;
  },
  /** It was heard of, and is sent to: an answer, say. */
  answered(its: World, number: number): Neighbour {
    const neighbour = make.stale(its, number);
    assert.equal(its.cache.use(neighbour, its.now), true);
    return neighbour;
  },
};
type Kind = keyof typeof make;

/** Fills a cache with these, in this order, and answers which one a stranger drives out. */
function evictedOf(kinds: readonly Kind[]): number {
  const its = world(kinds.length);
  const neighbours = kinds.map((kind, number) => make[kind](its, number));
  make.fresh(its, 1000);
  assert.equal(its.cache.size, kinds.length);
  assert.equal(its.drops.get('neighbour-evicted'), 1);
  const gone = neighbours.filter(({ isForgotten }) => isForgotten);
  assert.equal(gone.length, 1);
  return neighbours.indexOf(gone[0]!);
}

test('an idle neighbour goes before one that frames wait for, and that before one in use', () => {
  assert.equal(evictedOf(['waitedFor', 'stale', 'reachable', 'delayed', 'fresh']), 4);
  assert.equal(evictedOf(['waitedFor', 'reachable', 'delayed', 'stale']), 3);
  assert.equal(evictedOf(['reachable', 'delayed', 'waitedFor']), 2);
  assert.equal(evictedOf(['delayed', 'reachable']), 0);
});

test('of those heard of and those waited for, the more numerous make room', () => {
  assert.equal(evictedOf(['waitedFor', 'stale', 'answered', 'stale']), 1);
  assert.equal(evictedOf(['stale', 'waitedFor', 'waitedFor']), 1);
  assert.equal(evictedOf(['reachable', 'answered', 'waitedFor']), 1);
});

test('one that is used again and again is passed over', () => {
  const its = world(3);
  const [first] = [1, 2, 3].map((number) => make.reachable(its, number));
  first!.isUsed = true;
  make.reachable(its, 4);
  assert.equal(first!.isForgotten, false);
  make.reachable(its, 5);
  make.reachable(its, 6);
  assert.equal(first!.isForgotten, true, 'not for ever');
});

test('strangers who ask and are answered do not drive out one that frames wait for', () => {
  const its = world(16);
  const waitedFor = make.waitedFor(its, 1);
  for (let number = 100; number < 1100; number++) make.answered(its, number);
  assert.equal(waitedFor.isForgotten, false);
});

test('a scan does not drive out those who have announced themselves', () => {
  const its = world(16);
  const announced = make.stale(its, 1);
  for (let number = 100; number < 1100; number++) make.waitedFor(its, number);
  assert.equal(announced.isForgotten, false);
});

test('among equals the longest unused goes', () => {
  for (const kind of Object.keys(make) as Kind[]) {
    assert.equal(evictedOf([kind, kind, kind]), 0, kind);
  }
});

test('a scan of addresses where nobody is does not drive out the neighbours in use (RFC 6583, section 7.1)', () => {
  const its = world(16);
  const used = [1, 2, 3].map((number) => make.reachable(its, number));
  for (let number = 100; number < 1100; number++) make.waitedFor(its, number);
  assert.equal(its.cache.size, 16);
  assert.ok(used.every((neighbour) => !neighbour.isForgotten));
  assert.equal(its.drops.get('neighbour-evicted'), 1000 - 13);
  // Each of those had its frame with it.
  assert.equal(its.drops.get('neighbour-forgotten'), 1000 - 13);
});

test('strangers who only announce themselves do not drive out one that frames wait for', () => {
  const its = world(16);
  const waitedFor = make.waitedFor(its, 1);
  for (let number = 100; number < 1100; number++) make.stale(its, number);
  assert.equal(waitedFor.isForgotten, false);
  assert.equal(waitedFor.waiting.length, 1);
  assert.equal(its.drops.get('neighbour-forgotten'), 0);
});
