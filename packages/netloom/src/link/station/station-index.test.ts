import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom, type Random } from '../../core/index.ts';
import { StationIndex, type Indexed } from './station-index.ts';

class Item implements Indexed {
  slot = -1;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Randomness that makes many keys collide: tables of a few values. */
function poorRandom(seed: number, values: number): Random {
  const random = seededRandom(seed);
  return { ...random, uint32: () => random.below(values), float: () => 0, below: () => 0 };
}

const step = fc.record({
  do: fc.constantFrom('add', 'add', 'add', 'remove', 'set'),
  vlan: fc.constantFrom(1, 2, 4094),
  high: fc.constantFrom(0, 0x0200, 0xffff),
  low: fc.oneof(fc.nat(40), fc.constantFrom(-1, -0x8000_0000)),
  port: fc.integer({ min: 1, max: 4095 }),
  time: fc.double({ min: 0, max: 1e15, noNaN: true }),
});

test('it holds what a Map would, however the keys collide', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer(),
      fc.constantFrom(1, 4, 300, 2 ** 32),
      (steps, seed, values) => {
        const index = new StationIndex<Item>(poorRandom(seed, values));
        const model = new Map<string, { item: Item; port: number; time: number }>();
        for (const { do: what, vlan, high, low, port, time } of steps) {
          const key = `${vlan} ${high} ${low}`;
          const known = model.get(key);
          const slot = index.find(vlan, high, low);
          assert.equal(slot >= 0, known !== undefined);
          if (what === 'add' && known === undefined) {
            const item = new Item(key);
            index.add(vlan, high, low, port, time, item);
            model.set(key, { item, port, time });
          } else if (what === 'remove' && known !== undefined) {
            index.remove(slot);
            model.delete(key);
          } else if (known !== undefined) {
            index.setPort(slot, port);
            index.setTime(slot, time);
            model.set(key, { item: known.item, port, time });
          }
        }
        assert.equal(index.size, model.size);
        for (const [key, { item, port, time }] of model) {
          const [vlan, high, low] = key.split(' ').map(Number) as [number, number, number];
          const slot = index.find(vlan, high, low);
          assert.equal(slot, item.slot, 'the item knows its slot');
          assert.equal(index.item(slot), item);
          assert.deepEqual([index.port(slot), index.time(slot)], [port, time]);
        }
        const names = index.items().map(({ name }) => name);
        assert.deepEqual(names.sort(), [...model.keys()].sort());
      },
    ),
    { numRuns: 500 },
  );
});

test('it grows, and finds everything afterwards', () => {
  const index = new StationIndex<Item>(seededRandom(1));
  for (let i = 0; i < 20_000; i++)
    index.add(1 + (i % 7), i % 11, i, 1 + (i % 99), i / 3, new Item(`${i}`));
  assert.equal(index.size, 20_000);
  for (let i = 0; i < 20_000; i++) {
    const slot = index.find(1 + (i % 7), i % 11, i);
    assert.equal(index.item(slot).name, `${i}`);
    assert.deepEqual([index.port(slot), index.time(slot)], [1 + (i % 99), i / 3]);
    assert.equal(index.find(1 + (i % 7), i % 11, i + 20_000), -1);
  }
});
