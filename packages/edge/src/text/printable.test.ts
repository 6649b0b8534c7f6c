import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from './index.ts';

test('what a terminal would obey, and what turns the writing around, is not shown', () => {
  assert.equal(printable('a\u001b[31mb\r\nc\u202ed'), 'a\ufffd[31mb\ufffd\ufffdc\ufffdd');
  assert.equal(printable('naïve 中文 🙂'), 'naïve 中文 🙂');
});
