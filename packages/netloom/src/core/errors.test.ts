import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetloomError, abortError, toNetloomError } from './errors.ts';

test('an error has its code, its remedy and its cause', () => {
  const cause = new Error('underneath');
  const error = new NetloomError('TCP_RESET', 'the peer reset the connection', {
    remedy: 'Try again.',
    cause,
  });
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'NetloomError');
  assert.equal(error.code, 'TCP_RESET');
  assert.equal(error.remedy, 'Try again.');
  assert.equal(error.cause, cause);
  assert.equal(String(error), 'NetloomError: the peer reset the connection');
});

test('what was not given is not there', () => {
  const error = new NetloomError('ABORTED', 'gone');
  assert.equal(error.remedy, undefined);
  assert.equal('cause' in error, false);
});

test('an aborted signal becomes ABORTED, with its reason as the cause', () => {
  const controller = new AbortController();
  controller.abort();
  const error = abortError(controller.signal, 'connecting to 192.0.2.1:80');
  assert.equal(error.code, 'ABORTED');
  assert.equal(error.message, 'connecting to 192.0.2.1:80 was aborted');
  assert.equal(error.cause, controller.signal.reason);
  const reason = { any: 'value' };
  assert.equal(abortError(AbortSignal.abort(reason), 'it').cause, reason);
});

test('a signal that timed out becomes TIMEOUT', () => {
  // What AbortSignal.timeout aborts with (DOM standard), without waiting for one.
  const signal = AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
  const error = abortError(signal, 'the handshake');
  assert.equal(error.code, 'TIMEOUT');
  assert.equal(error.message, 'the handshake was not done in time');
});

test('whatever was thrown becomes a NetloomError, and one that is one stays', () => {
  const own = new NetloomError('TCP_RESET', 'reset');
  assert.equal(toNetloomError(own, 'OTHER', 'reading'), own);
  const plain = new TypeError('bad');
  const wrapped = toNetloomError(plain, 'READ_FAILED', 'reading');
  assert.equal(wrapped.code, 'READ_FAILED');
  assert.equal(wrapped.message, 'reading: bad');
  assert.equal(wrapped.cause, plain);
  assert.equal(toNetloomError('text', 'READ_FAILED', 'reading').message, 'reading: text');
  assert.equal(toNetloomError(undefined, 'READ_FAILED', 'reading').message, 'reading: undefined');
});
