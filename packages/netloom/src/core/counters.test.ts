import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from './counters.ts';

test('counts by name; a name that was never counted is 0 and not listed', () => {
  const counters = new Counters();
  assert.equal(counters.get('truncated'), 0);
  assert.equal(counters.total(), 0);
  assert.deepEqual(counters.snapshot(), {});
  counters.add('truncated');
  counters.add('truncated');
  counters.add('bad-checksum', 40);
  assert.equal(counters.get('truncated'), 2);
  assert.equal(counters.total(), 42);
});

test('a snapshot is sorted and a copy', () => {
  const counters = new Counters();
  for (const name of ['queue-full', 'bad-length', 'truncated']) counters.add(name);
  const snapshot = counters.snapshot();
  assert.deepEqual(Object.keys(snapshot), ['bad-length', 'queue-full', 'truncated']);
  counters.add('truncated');
  assert.equal(snapshot['truncated'], 1);
});
