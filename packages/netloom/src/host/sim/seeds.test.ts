import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from './seeds.ts';

function words(seed: number, name: string): number[] {
  const random = randomOf(seed, name);
  return [random.uint32(), random.uint32()];
}

test('the stream is a function of seed and name, the same on every machine', () => {
  assert.deepEqual(words(7, 'machine:a'), words(7, 'machine:a'));
  assert.deepEqual(words(7, 'machine:a'), [2_572_193_539, 3_419_692_048]);
  const all = [words(7, 'machine:a'), words(7, 'machine:b'), words(8, 'machine:a')];
  all.push(words(2 ** 53 - 1, 'machine:a'), words(2 ** 32 + 7, 'machine:a'));
  assert.equal(new Set(all.map(String)).size, all.length);
});
