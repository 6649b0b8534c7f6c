import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOfDisposition, nameOfUrl } from './file-name.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { ProgressBar, progressLine } from './progress-bar.ts';

test('the name a URL ends in', () => {
  for (const [url, name] of [
    ['http://a/b/c.iso', 'c.iso'],
    ['http://a/b/c.iso?d=e/f#g/h', 'c.iso'],
    ['http://a/b%20c', 'b c'],
    ['http://a/%E2%82%AC', '€'],
    ['http://a/%ff', '%ff'],
    ['http://a/', undefined],
    ['http://a/b/', undefined],
    ['http://a', undefined],
  ] as const) {
    assert.equal(nameOfUrl(new URL(url)), name, url);
  }
  for (const url of ['http://a/..%2fb', 'http://a/b%5cc', 'http://a/b%0ac', 'http://a/%00']) {
    assert.throws(() => nameOfUrl(new URL(url)), { code: 'NAME_REFUSED' }, url);
  }
});

test('RFC 6266: the name in a Content-Disposition', () => {
  for (const [field, name] of [
    ['Attachment; filename=example.html', 'example.html'],
    ['INLINE; FILENAME= "an example.html"', 'an example.html'],
    [`attachment; filename*= UTF-8''%e2%82%ac%20rates`, '€ rates'],
    [`attachment; filename="EURO rates"; filename*=utf-8''%e2%82%ac%20rates`, '€ rates'],
    [`attachment; filename*=ISO-8859-1'en'%A3%20rates; filename=rates`, 'rates'],
    [`attachment; filename*=utf-8''%ff; filename=rates`, 'rates'],
    [String.raw`attachment; filename="a \"b\".txt"`, 'a "b".txt'],
    ['attachment; filename="a;b=c"; x=y', 'a;b=c'],
    ['attachment; filename=a; filename=b', 'a'],
    ['attachment; filename=""', undefined],
    ['attachment', undefined],
    ['', undefined],
    [null, undefined],
  ] as const) {
    assert.equal(nameOfDisposition(field), name, String(field));
  }
  for (const name of ['../a', '/etc/passwd', 'a/b', String.raw`a\\b`, '..', '.bashrc', 'a\tb']) {
    const field = `attachment; filename="${name}"`;
    assert.throws(() => nameOfDisposition(field), { code: 'NAME_REFUSED' }, field);
  }
});

test('numbers for readers', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 12.3 * 2 ** 20, 2 ** 40 * 3000].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '12.3 MiB',
    '3000 TiB',
  ]);
  assert.deepEqual([0, 0.2, 59, 61, 3600, 7500].map(formatDuration), [
    '0 s',
    '1 s',
    '59 s',
    '1 min 1 s',
    '1 h 0 min',
    '2 h 5 min',
  ]);
});

test('how far a download is, in one line', () => {
  assert.equal(
    progressLine({ position: 512 * 1024, total: 1024 * 1024, rate: 64 * 1024 }),
    ' 50% [============            ] 512 KiB of 1.0 MiB  64.0 KiB/s  8 s left',
  );
  assert.equal(progressLine({ position: 2048, total: undefined, rate: 0 }), '2.0 KiB  0 B/s');
  assert.match(progressLine({ position: 9, total: 9, rate: 0 }), /^100% \[={24}\] 9 B of 9 B/);
});

test('the line is drawn now and then, cut to the terminal, and taken away', () => {
  let text = '';
  const bar = new ProgressBar((more) => void (text += more), 11);
  bar.clear();
  assert.equal(text, '', 'nothing was drawn');
  const progress = { position: 50, total: 100, rate: 10 };
  for (const now of [0, 50, 99]) bar.show(progress, now);
  assert.equal(text, '\r\u001b[K 50% [====');
  bar.show(progress, 100);
  bar.clear();
  assert.equal(text, '\r\u001b[K 50% [====\r\u001b[K 50% [====\r\u001b[K');
});
