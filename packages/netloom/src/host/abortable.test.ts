import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orAborted } from './abortable.ts';

test('without a signal, or one that is not aborted, the promise decides', async () => {
  const { signal } = new AbortController();
  assert.equal(await orAborted(Promise.resolve(1), undefined, 'it'), 1);
  assert.equal(await orAborted(Promise.resolve(2), signal, 'it'), 2);
  await assert.rejects(orAborted(Promise.reject(new Error('no')), signal, 'it'), /no/);
});

test('an abort rejects at once, and what comes late is handed over', async () => {
  const controller = new AbortController();
  const work = Promise.withResolvers<string>();
  const late: string[] = [];
  const waiting = orAborted(work.promise, controller.signal, 'it', (value) => late.push(value));
  controller.abort(new Error('reason'));
  await assert.rejects(waiting, { code: 'ABORTED', message: 'it was aborted' });
  work.resolve('late');
  await work.promise;
  assert.deepEqual(late, ['late']);
});

test('a signal aborted before rejects, and a late rejection is not left unhandled', async () => {
  const work = Promise.withResolvers<string>();
  await assert.rejects(orAborted(work.promise, AbortSignal.abort(), 'it'), { code: 'ABORTED' });
  work.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
});
