import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairShares } from './fair-shares.ts';

test('each of several holders who want all leaves a share free for the next who comes', () => {
  for (const holders of [1, 2, 3, 7]) {
    const shares = new FairShares<number, number>();
    for (let item = 0; item < 10_000; item++) {
      const holder = item % holders;
      if (shares.hasRoom(holder, 100)) shares.add(holder, item);
    }
    const fair = 100 / (holders + 1);
    for (let holder = 0; holder < holders; holder++) {
      assert.ok(Math.abs(shares.of(holder) - fair) <= 1, `${shares.of(holder)} of ${fair}`);
    }
    assert.ok(100 - shares.size >= Math.floor(fair), `${100 - shares.size} are free`);
  }
});

test('whoever has most gives its oldest, and who has one keeps it', () => {
  const shares = new FairShares<string, string>();
  shares.add('few', 'f1');
  for (const item of ['m1', 'm2', 'm3']) shares.add('many', item);
  assert.equal(shares.oldestOfLargest(), 'm1');
  shares.add('many', 'm1');
  assert.equal(shares.oldestOfLargest(), 'm2', 'm1 was put behind the others');
  assert.equal(shares.size, 4);
  for (const item of ['m2', 'm3']) shares.remove('many', item);
  assert.equal(
    shares.oldestOfLargest(),
    'f1',
    'among equals, the one who has had as many for longest',
  );
  assert.equal(shares.remove('many', 'm2'), false, 'what is not there cannot be taken out');
  assert.equal(shares.size, 2);
  assert.deepEqual([...shares.items()], ['f1', 'm1']);
});

test('a holder has no more than its own limit, however much is free', () => {
  const shares = new FairShares<string, number>();
  for (const item of [1, 2]) shares.add('a', item);
  assert.equal(shares.hasRoom('a', 100, 3), true);
  assert.equal(shares.hasRoom('a', 100, 2), false);
  assert.equal(shares.hasRoom('b', 100, 2), true);
});

test('against a plain model: sizes, the largest holder, the oldest item', () => {
  const step = fc.record({
    add: fc.boolean(),
    holder: fc.integer({ min: 0, max: 4 }),
    item: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const shares = new FairShares<number, number>();
      const model = new Map<number, number[]>();
      for (const { add, holder, item } of steps) {
        const others = (model.get(holder) ?? []).filter((other) => other !== item);
        model.set(holder, add ? [...others, item] : others);
        if (add) shares.add(holder, item);
        else shares.remove(holder, item);
        const lists = [...model.values()];
        const most = Math.max(...lists.map((list) => list.length));
        assert.equal(shares.size, lists.flat().length);
        assert.deepEqual(new Set(shares.items()), new Set(lists.flat()));
        assert.equal(shares.of(holder), model.get(holder)!.length);
        assert.equal(shares.oldestOf(holder), model.get(holder)![0]);
        const candidates =
          most === 0
            ? [undefined]
            : lists.filter((list) => list.length === most).map(([first]) => first);
        assert.ok(candidates.includes(shares.oldestOfLargest()));
      }
    }),
  );
});
