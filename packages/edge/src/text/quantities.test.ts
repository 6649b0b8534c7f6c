import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseCidr,
  parseDuration,
  parsePercent,
  parsePeriod,
  parseRate,
  parseRuleSubject,
  parseSize,
  parseSpread,
} from './index.ts';

/** Each text with what is made of it. */
type Table<T> = readonly (readonly [text: string, value: T | undefined])[];

function check<T>(parse: (text: string) => T | undefined, table: Table<T>): void {
  for (const [text, value] of table) assert.deepEqual(parse(text), value, `'${text}'`);
}

test('times have a unit', () => {
  check(parseDuration, [
    ['80ms', 80],
    ['.5s', 500],
    ['250us', 0.25],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['2d', 172_800_000],
    ['0ms', 0],
    ['80', undefined],
    ['-1ms', undefined],
    ['80 ms', undefined],
    ['1e3ms', undefined],
    ['80MS', undefined],
    ['', undefined],
    [`${'9'.repeat(400)}d`, undefined],
  ]);
});

test('a time varies by no more than itself', () => {
  check(parseSpread, [
    ['80ms', { value: 80, spread: 0 }],
    ['80ms±10ms', { value: 80, spread: 10 }],
    ['1.5s+-100ms', { value: 1500, spread: 100 }],
    ['10ms±10ms', { value: 10, spread: 10 }],
    ['10ms±11ms', undefined],
    ['10ms±', undefined],
    ['±10ms', undefined],
    ['1ms±1ms±1ms', undefined],
  ]);
});

test('rates, sizes and shares', () => {
  check(parseRate, [
    ['512kbit', 512_000],
    ['10Mbit', 10_000_000],
    ['1gbit', 1e9],
    ['100bit', 100],
    ['0mbit', undefined],
    ['10mb', undefined],
    ['10', undefined],
  ]);
  check(parseSize, [
    ['256KiB', 262_144],
    ['1.5MB', 1_500_000],
    ['9000B', 9000],
    ['0B', 0],
    ['9000', undefined],
    ['9 kB', undefined],
  ]);
  check(parsePercent, [
    ['0%', 0],
    ['0.5%', 0.005],
    ['100%', 1],
    ['100.1%', undefined],
    ['-1%', undefined],
    ['1', undefined],
  ]);
});

test('a period ends after it begins', () => {
  check(parsePeriod, [
    ['10s..15s', { from: 10_000, to: 15_000 }],
    ['0s..1m', { from: 0, to: 60_000 }],
    ['15s..10s', undefined],
    ['10s..10s', undefined],
    ['10s', undefined],
    ['1s..2s..3s', undefined],
  ]);
});

/** What a rule speaks of, as text. */
function subject(text: string): string | undefined {
  const { name, network } = parseRuleSubject(text) ?? {};
  return name ?? network?.toString();
}

test('a rule speaks of a network, an address or a name', () => {
  check(subject, [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['Example.ORG.', 'example.org'],
    ['_tcp.example', '_tcp.example'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.300', undefined],
    ['a..b', undefined],
    ['-a', undefined],
    ['', undefined],
    ['a'.repeat(254), undefined],
  ]);
  assert.equal(parseCidr('10.0.0.1/24')?.toString(), '10.0.0.1/24');
  assert.equal(parseCidr('10.0.0.1'), undefined);
});
