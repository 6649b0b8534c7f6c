import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settings } from '../../../../test/http/http2/raw-peer.ts';
import { DEFAULT_PRIORITY, INITIAL_SETTINGS, parsePriority, readSettings } from './index.ts';

test('settings are taken as they stand, those that are not known passed over', () => {
  const values = { ...INITIAL_SETTINGS };
  const payload = settings(
    [1, 0],
    [2, 0],
    [3, 7],
    [4, 1],
    [4, 2],
    [5, 20_000],
    [6, 9],
    [8, 1],
    [9, 1],
    [77, 1],
  );
  assert.equal(readSettings(payload, values, 'client'), undefined);
  assert.deepEqual(values, {
    headerTableSize: 0,
    enablePush: false,
    maxConcurrentStreams: 7,
    initialWindowSize: 2,
    maxFrameSize: 20_000,
    maxHeaderListSize: 9,
    enableConnectProtocol: true,
    noRfc7540Priorities: true,
  });
});

test('only a client may allow pushes', () => {
  const payload = settings([2, 1]);
  assert.equal(readSettings(payload, { ...INITIAL_SETTINGS }, 'client'), undefined);
  assert.equal(readSettings(payload, { ...INITIAL_SETTINGS }, 'server'), 'setting-invalid');
});

test('a priority is what can be understood of it', () => {
  const expected: [string | undefined, number, boolean][] = [
    [undefined, 3, false],
    ['', 3, false],
    ['u=0', 0, false],
    ['u=7, i', 7, true],
    ['i,u=1', 1, true],
    ['i=?0', 3, false],
    ['i=?1', 3, true],
    ['u=2, u=5', 5, false],
    ['u=8', 3, false],
    ['u=-1', 3, false],
    ['u=1;a=b, i;x', 1, true],
    ['x=1, u=a, i=1, U=2', 3, false],
  ];
  for (const [value, urgency, incremental] of expected) {
    assert.deepEqual(parsePriority(value), { urgency, incremental }, `${value}`);
  }
  assert.deepEqual(DEFAULT_PRIORITY, { urgency: 3, incremental: false });
});
