import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from './outbox.ts';

test('calls are made in order, and only when they are to be delivered', () => {
  const outbox = new Outbox();
  const made: number[] = [];
  for (const i of [1, 2, 3]) outbox.add(() => made.push(i));
  assert.deepEqual(made, []);
  outbox.deliver();
  outbox.deliver();
  assert.deepEqual(made, [1, 2, 3]);
});

test('what a call leads to is queued behind, and delivered by the call that delivers already', () => {
  const outbox = new Outbox();
  const made: string[] = [];
  outbox.add(() => {
    outbox.add(() => made.push('led to'));
    outbox.deliver();
    made.push('first');
  });
  outbox.add(() => made.push('second'));
  outbox.deliver();
  assert.deepEqual(made, ['first', 'second', 'led to']);
});

test('after a call that throws, the rest is made by the next delivery', () => {
  const outbox = new Outbox();
  const made: number[] = [];
  outbox.add(() => {
    throw new Error('by the test');
  });
  outbox.add(() => made.push(2));
  assert.throws(() => outbox.deliver(), /by the test/);
  assert.deepEqual(made, []);
  outbox.deliver();
  assert.deepEqual(made, [2]);
});
