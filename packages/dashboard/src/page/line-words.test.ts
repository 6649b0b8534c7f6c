import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portStatus } from '../../../edge/test/fake-node.ts';
import { impairmentWords, shorten, wrapWords } from './line-words.ts';

const { link } = portStatus('lan', 'web');

test('what is wrong with a line is told in few words', () => {
  assert.deepEqual(impairmentWords(link), []);
  assert.deepEqual(impairmentWords({ ...link, delay: 80, jitter: 10, rate: 1e6, loss: 0.02 }), [
    '80±10 ms',
    '1 Mbit',
    '2 %',
  ]);
  assert.deepEqual(impairmentWords({ ...link, delay: 1500 }), ['1.5 s']);
  assert.deepEqual(impairmentWords({ ...link, corrupt: 0.1 }), ['disturbed']);
  assert.deepEqual(impairmentWords({ ...link, partition: true, delay: 80 }), ['✕ cut']);
});

test('words go in few rows, and none is lost', () => {
  assert.deepEqual(wrapWords(['80±10 ms', '1 Mbit', '2 %'], 15), ['80±10 ms', '1 Mbit · 2 %']);
  assert.deepEqual(wrapWords(['25 ms', '4 Mbit'], 15), ['25 ms · 4 Mbit']);
  assert.deepEqual(wrapWords([], 15), []);
  assert.equal(shorten('a-rather-long-name', 8), 'a-rathe…');
});
