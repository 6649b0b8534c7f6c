import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BucketChains, type Chained } from './bucket-chains.ts';

class Item implements Chained<Item> {
  nextInBucket: Item | undefined;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

/** The names of all items of a hash, by its chain. */
function chain(chains: BucketChains<Item>, hash: number): number[] {
  const names: number[] = [];
  for (let item = chains.first(hash); item !== undefined; item = item.nextInBucket) {
    names.push(item.name);
  }
  return names.sort((a, b) => a - b);
}

test('each item is in the chain of its hash until it is removed', () => {
  const steps = fc.array(fc.record({ name: fc.nat(30), add: fc.boolean() }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (taken) => {
      const chains = new BucketChains<Item>();
      const items = Array.from({ length: 31 }, (_, name) => new Item(name));
      const expected = new Set<number>();
      for (const { name, add } of taken) {
        if (add && !expected.has(name)) {
          chains.add(name % 4, items[name]!);
          expected.add(name);
        } else if (!add) {
          // One that is not there is no matter.
          chains.remove(name % 4, items[name]!);
          expected.delete(name);
        }
        assert.equal(chains.size, expected.size);
        for (let hash = 0; hash < 4; hash++) {
          const names = [...expected].filter((one) => one % 4 === hash);
          assert.deepEqual(
            chain(chains, hash),
            names.sort((a, b) => a - b),
          );
        }
      }
      assert.deepEqual(new Set([...chains.values()].map((item) => item.name)), expected);
    }),
  );
});

test('an item may be removed when it is given, and none is passed over', () => {
  const chains = new BucketChains<Item>();
  for (let name = 0; name < 12; name++) chains.add(name % 3, new Item(name));
  const given: number[] = [];
  for (const item of chains.values()) {
    given.push(item.name);
    chains.remove(item.name % 3, item);
  }
  assert.equal(given.length, 12);
  assert.equal(chains.size, 0);
});
