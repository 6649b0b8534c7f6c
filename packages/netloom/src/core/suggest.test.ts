import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, suggest } from './suggest.ts';

test('the nearest name is suggested, one that was begun before all others, and a far one never', () => {
  const names = ['ping', 'get', 'dump', 'sim'];
  for (const [text, expected] of [
    ['pnig', 'ping'],
    ['gte', 'get'],
    ['dum', 'dump'],
    ['simulate', undefined],
    ['d', 'dump'],
    ['xx', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(suggest(text, names), expected, text);
  }
});

test('letters put in, left out, replaced or exchanged count one each', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('', 'abc'), 3);
});
