import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatDelay,
  formatDuration,
  formatPerSecond,
  formatRate,
  formatShare,
} from './units.ts';

test('quantities have the unit in which they are short', () => {
  assert.deepEqual([0, 999.4, 999.5, 1234, 25e6, 4e13].map(formatRate), [
    '0 bit/s',
    '999 bit/s',
    '1 kbit/s',
    '1.2 kbit/s',
    '25 Mbit/s',
    '40 Tbit/s',
  ]);
  assert.deepEqual([0, 1023, 1024, 1536, 5e9].map(formatBytes), [
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '4.7 GiB',
  ]);
  assert.deepEqual([0, 0.5, 80, 999, 1500].map(formatDelay), [
    '0 ms',
    '0.5 ms',
    '80 ms',
    '999 ms',
    '1.5 s',
  ]);
  assert.deepEqual([0.001, 0.02, 1].map(formatShare), ['0.1 %', '2 %', '100 %']);
  assert.deepEqual([0, 0.961, 9.96, 1234].map(formatPerSecond), [
    '0/s',
    '0.96/s',
    '10/s',
    '1,234/s',
  ]);
});

test('a stretch of time is told in its two largest units', () => {
  assert.deepEqual([0, 59_999, 60_000, 3_900_000, 90_000_000].map(formatDuration), [
    '0 s',
    '59 s',
    '1 min 0 s',
    '1 h 5 min',
    '1 d 1 h',
  ]);
});
