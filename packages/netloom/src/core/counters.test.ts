import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters, type PublishedCount } from './counters.ts';
import { channel } from './diagnostics.ts';

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

test('each count is published where it was told to, while anybody listens', () => {
  const drops = channel<PublishedCount<object>>('netloom:test:drop');
  const subject = {};
  const counters = new Counters(drops, subject);
  counters.add('before');
  const seen: PublishedCount<object>[] = [];
  const stop = drops.subscribe((event) => seen.push(event));
  counters.add('queue-full');
  counters.add('truncated', 3);
  stop();
  counters.add('after');
  assert.deepEqual(seen, [
    { subject, name: 'queue-full', amount: 1 },
    { subject, name: 'truncated', amount: 3 },
  ]);
  assert.equal(seen[0]!.subject, subject);
  assert.equal(counters.total(), 6);
});
