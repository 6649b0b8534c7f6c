import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from './table.ts';

const COLUMNS = [
  { heading: 'name', shrinks: true },
  { heading: 'bytes', align: 'right' },
  { heading: 'to', shrinks: true },
] as const;

const ROWS = [
  ['a', '1', 'somewhere'],
  ['a long name that goes on', '1000', 'a place'],
];

test('columns are as wide as what is in them, numbers to the right, and no line ends in spaces', () => {
  assert.equal(
    formatTable(COLUMNS, ROWS),
    `name                      bytes  to
a                             1  somewhere
a long name that goes on   1000  a place
`,
  );
  assert.equal(formatTable(COLUMNS, []), 'name  bytes  to\n');
});

test('a table that is too wide is cut where it may be, the widest first', () => {
  assert.equal(
    formatTable(COLUMNS, ROWS, 30),
    `name          bytes  to
a                 1  somewhere
a long name…   1000  a place
`,
  );
});

test('no column is cut to nothing: then lines are longer', () => {
  const lines = formatTable(COLUMNS, ROWS, 5).split('\n');
  assert.equal(lines[1], 'a             1  somewhe…');
  assert.equal(lines[2], 'a long …   1000  a place');
});

test('what a terminal would obey is not handed to it', () => {
  assert.equal(formatTable([{ heading: 'name' }], [['\u0007x']]), 'name\n\ufffdx\n');
});
