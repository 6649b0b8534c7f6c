import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMistakes, type Mistake } from './index.ts';

function mistake(line: number, column: number, more: Partial<Mistake> = {}): Mistake {
  return { line, column, path: '', message: 'it is wrong', remedy: 'Mend it.', ...more };
}

test('a mistake is shown with its line, a caret and what to do', () => {
  const text = 'networks:\n  lan:\n    mtu: big\n';
  assert.equal(
    describeMistakes(text, 'a.yaml', [mistake(3, 10, { path: 'networks.lan.mtu' })]),
    `a.yaml:3:10: it is wrong (networks.lan.mtu)
   3 |     mtu: big
     |          ^ Mend it.
`,
  );
});

test('several have an empty line between them; a line number of more digits moves nothing', () => {
  const text = `${'\n'.repeat(12_344)}ab`;
  assert.equal(
    describeMistakes(text, 'a', [mistake(1, 1), mistake(12_345, 3)]),
    `a:1:1: it is wrong
   1 | 
     | ^ Mend it.

a:12345:3: it is wrong
12345 | ab
      |   ^ Mend it.
`,
  );
});

test('of a long line the part around the place is shown', () => {
  const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`;
  const [, shown, caret] = describeMistakes(text, 'a', [mistake(1, 501)]).split('\n');
  assert.equal(shown!.length, 7 + 60 + 41);
  assert.equal(shown!.slice(caret!.indexOf('^')).startsWith('HERE'), true);
});

test('a terminal does not obey what a file has', () => {
  const text = 'a: \u001b[2J\u0007\u009b1m\tb';
  const described = describeMistakes(text, 'a', [mistake(1, 1)]);
  assert.equal(/[^\n\P{Cc}]/u.test(described), false);
  assert.equal(described.split('\n')[1], '   1 | a: �[2J��1m b');
  // Nor what of it a message repeats.
  const message = "there is no key '\u001b[31mup\u202e' in a network";
  const repeated = describeMistakes('', 'a', [mistake(1, 1, { message, path: 'x.\u009b' })]);
  assert.equal(repeated.split('\n')[0], "a:1:1: there is no key '�[31mup�' in a network (x.�)");
});
