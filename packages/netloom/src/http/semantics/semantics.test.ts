import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  Fields,
  formatContentRange,
  formatDate,
  isIdempotent,
  isStrongEntityTag,
  isWithoutContent,
  listMembers,
  parseContentRange,
  parseDate,
  parseRange,
  reasonPhrase,
  strongValidators,
} from './index.ts';

test('RFC 9110, section 5.6.7: the three forms of a date are one time', () => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  assert.equal(parseDate('Sun, 06 Nov 1994 08:49:37 GMT'), time);
  assert.equal(parseDate('Sunday, 06-Nov-94 08:49:37 GMT'), time);
  assert.equal(parseDate('Sun Nov  6 08:49:37 1994'), time);
  assert.equal(formatDate(time), 'Sun, 06 Nov 1994 08:49:37 GMT');
  assert.equal(parseDate('Sunday, 06-Nov-24 08:49:37 GMT'), Date.UTC(2024, 10, 6, 8, 49, 37));
  for (const text of ['', 'x', 'Sun, 6 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 08:49:37 CET']) {
    assert.equal(parseDate(text), undefined, text);
  }
  assert.equal(parseDate('Sun, 06 Nox 1994 08:49:37 GMT'), undefined);
  assert.equal(parseDate('Sun, 06 Nov 1994 25:49:37 GMT'), undefined);
});

test('dates are those of the platform, over ten thousand years', () => {
  const latest = Date.UTC(9999, 11, 31, 23, 59, 59);
  const earliest = Date.UTC(1601, 0, 1);
  fc.assert(
    fc.property(fc.integer({ min: earliest, max: latest }), (time) => {
      const text = formatDate(time);
      assert.equal(text, new Date(time).toUTCString());
      assert.equal(parseDate(text), Math.floor(time / 1000) * 1000);
    }),
    { numRuns: 2000 },
  );
});

test('Content-Range (RFC 9110, section 14.4)', () => {
  assert.deepEqual(parseContentRange('bytes 42-1233/1234'), {
    range: { start: 42, end: 1234 },
    total: 1234,
  });
  assert.deepEqual(parseContentRange('bytes 42-1233/*'), {
    range: { start: 42, end: 1234 },
    total: undefined,
  });
  assert.deepEqual(parseContentRange('bytes */1234'), { range: undefined, total: 1234 });
  const bad = [
    'bytes */*',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'items 0-1/2',
    'bytes 0-1',
    '0-1/2',
    '',
  ];
  for (const text of bad) assert.equal(parseContentRange(text), undefined, text);
  assert.equal(formatContentRange({ start: 0, end: 5 }, 10), 'bytes 0-4/10');
  assert.equal(formatContentRange(undefined, 10), 'bytes */10');
});

test('Range (RFC 9110, section 14.1.2)', () => {
  const cases: readonly (readonly [string, number, ReturnType<typeof parseRange>])[] = [
    ['bytes=0-499', 10_000, { start: 0, end: 500 }],
    ['bytes=500-999', 10_000, { start: 500, end: 1000 }],
    ['bytes=-500', 10_000, { start: 9500, end: 10_000 }],
    ['bytes=9500-', 10_000, { start: 9500, end: 10_000 }],
    ['bytes=-500', 100, { start: 0, end: 100 }],
    ['bytes=0-', 1, { start: 0, end: 1 }],
    ['bytes=0-99', 10, { start: 0, end: 10 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=5-4', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=a-b', 10, undefined],
  ];
  for (const [value, size, range] of cases) assert.deepEqual(parseRange(value, size), range, value);
});

test('validators are those that promise equal bytes', () => {
  for (const tag of ['""', '"a"', '"\xe9!"']) assert.equal(isStrongEntityTag(tag), true, tag);
  for (const tag of ['W/"a"', 'a', '"a', '"a"b"', '"a b"', '']) {
    assert.equal(isStrongEntityTag(tag), false, tag);
  }
  const headers = new Headers({ etag: 'W/"a"', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT' });
  assert.deepEqual(strongValidators(headers), {});
});

test('fields: names without case, values checked, lists joined', () => {
  const fields = Fields.from([
    ['Accept', 'a'],
    ['X', 'y'],
    ['accept', 'b'],
  ]);
  assert.equal(fields.get('accept'), 'a, b');
  assert.equal(fields.count('accept'), 2);
  assert.equal(fields.get('z'), undefined);
  fields.set('accept', 'c');
  assert.deepEqual(
    [...fields],
    [
      ['x', 'y'],
      ['accept', 'c'],
    ],
  );
  fields.delete('x');
  assert.equal(fields.has('x'), false);
  assert.equal(fields.size, 1);
  for (const [name, value] of [
    ['a b', ''],
    ['', ''],
    ['é', ''],
    ['a', 'b\r\nc: d'],
    ['a', 'b\n'],
    ['a', '\0'],
    ['a', ' b'],
    ['a', 'b\t'],
    ['a', 'Ā'],
  ] as const) {
    assert.throws(() => fields.append(name, value), { code: 'HTTP_FIELD_INVALID' });
  }
  assert.deepEqual(listMembers(' A,, b ,'), ['a', 'b']);
  assert.deepEqual(listMembers(undefined), []);
});

test('methods and statuses', () => {
  assert.deepEqual(['GET', 'PUT', 'POST', 'PATCH'].map(isIdempotent), [true, true, false, false]);
  assert.deepEqual([100, 200, 204, 205, 304].map(isWithoutContent), [
    true,
    false,
    true,
    false,
    true,
  ]);
  assert.equal(reasonPhrase(404), 'Not Found');
  assert.equal(reasonPhrase(599), '');
});
