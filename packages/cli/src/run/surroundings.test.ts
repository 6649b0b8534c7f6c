import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userSurroundings } from './surroundings.ts';

function variablesOf(environment: Record<string, string>) {
  return userSurroundings(environment).variables;
}

const NONE = { NETLOOM_LIBRARIES: null, NETLOOM_OPEN_FILES: null };

test('what the launcher has put before the user’s libraries is taken away, and nothing else', () => {
  assert.deepEqual(variablesOf({ LD_LIBRARY_PATH: '/own' }), NONE);
  const launched = { NETLOOM_LIBRARIES: '/l' };
  assert.deepEqual(variablesOf({ ...launched, LD_LIBRARY_PATH: '/l' }), {
    ...NONE,
    LD_LIBRARY_PATH: null,
  });
  assert.deepEqual(variablesOf({ ...launched, LD_LIBRARY_PATH: '/l:/own:/other' }), {
    ...NONE,
    LD_LIBRARY_PATH: '/own:/other',
  });
  // Somebody between has set another.
  assert.deepEqual(variablesOf({ ...launched, LD_LIBRARY_PATH: '/library:/l' }), NONE);
  assert.deepEqual(variablesOf(launched), NONE);
});

test('the limit of open files is the one that the launcher was started with, if there was one', () => {
  assert.equal(userSurroundings({ NETLOOM_OPEN_FILES: '1024' }).openFiles, 1024);
  assert.equal(userSurroundings({ NETLOOM_OPEN_FILES: 'unlimited' }).openFiles, undefined);
  assert.equal(userSurroundings({}).openFiles, undefined);
});
