import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DynamicTable } from './dynamic-table.ts';

interface Entry {
  readonly number: number;
  readonly size: number;
}

/** An insertion of an entry of a size, or another maximum. */
const step = fc.oneof(
  { weight: 9, arbitrary: fc.record({ insert: fc.integer({ min: 32, max: 120 }) }) },
  { weight: 1, arbitrary: fc.record({ resize: fc.nat(4000) }) },
);

test('the table does what a plain list does', () => {
  const steps = fc.array(step, { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(steps, (steps) => {
      const evicted: number[] = [];
      const table = new DynamicTable<Entry>(4000, ({ number }) => evicted.push(number));
      let maximum = 4000;
      /** The newest first. */
      const list: Entry[] = [];
      const gone: number[] = [];
      const size = () => list.reduce((sum, entry) => sum + entry.size, 0);
      const evictTo = (most: number) => {
        while (list.length > 0 && size() > most) gone.push(list.pop()!.number);
      };
      for (const [number, step] of steps.entries()) {
        if ('resize' in step) {
          maximum = table.maximumSize = step.resize;
          evictTo(maximum);
        } else {
          const entry = { number, size: step.insert };
          evictTo(maximum - entry.size);
          if (entry.size <= maximum) list.unshift(entry);
          assert.equal(table.insert(entry), entry.size <= maximum);
        }
        assert.deepEqual(table.entries(), list);
        assert.deepEqual([table.length, table.size], [list.length, size()]);
        assert.deepEqual(evicted, gone);
      }
    }),
    { numRuns: 200 },
  );
});

test('there is nothing beyond the oldest entry, however far beyond', () => {
  const table = new DynamicTable<Entry>(4096);
  for (let number = 0; number < 10; number++) table.insert({ number, size: 40 });
  assert.equal(table.at(9)!.number, 0);
  for (let newer = 10; newer < 100; newer++) assert.equal(table.at(newer), undefined);
  assert.equal(table.at(0xffff_ffff), undefined);
});
