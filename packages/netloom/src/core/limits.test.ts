import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLimits } from './limits.ts';

interface TableLimits {
  readonly entries: number;
  readonly bytes: number;
}

const DEFAULTS: TableLimits = { entries: 10, bytes: 1000 };

test('what is given stands in the place of the default', () => {
  assert.deepEqual(withLimits(DEFAULTS, { bytes: 5 }), { entries: 10, bytes: 5 });
  assert.deepEqual(withLimits(DEFAULTS, { entries: 0, bytes: Infinity }), {
    entries: 0,
    bytes: Infinity,
  });
  assert.equal(withLimits(DEFAULTS, undefined), DEFAULTS);
  assert.deepEqual(DEFAULTS, { entries: 10, bytes: 1000 });
});

test('a misspelt limit is refused, and the right ones named', () => {
  const misspelt = { entrys: 5 } as Partial<TableLimits>;
  assert.throws(() => withLimits(DEFAULTS, misspelt), {
    code: 'LIMIT_INVALID',
    message: /entrys/,
    remedy: /entries, bytes/,
  });
  const inherited = JSON.parse('{ "toString": 5 }') as Partial<TableLimits>;
  assert.throws(() => withLimits(DEFAULTS, inherited), { code: 'LIMIT_INVALID' });
});

test('a value that is no limit is refused', () => {
  for (const value of [-1, NaN, '5', null, undefined]) {
    const given = { bytes: value } as Partial<TableLimits>;
    assert.throws(() => withLimits(DEFAULTS, given), { code: 'LIMIT_INVALID', message: /bytes/ });
  }
});
