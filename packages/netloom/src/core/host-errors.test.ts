import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST_ERRORS, hostError, type HostErrorCode } from './host-errors.ts';

test('an error carries its code, the remedy of the table, and what it was given', () => {
  const cause = new Error('why');
  const error = hostError('ADDRESS_IN_USE', 'port 80 is taken', { cause });
  assert.equal(error.code, 'ADDRESS_IN_USE');
  assert.equal(error.message, 'port 80 is taken');
  assert.equal(error.remedy, HOST_ERRORS.ADDRESS_IN_USE.remedy);
  assert.equal(error.cause, cause);
  assert.equal(hostError('TIMEOUT', 'late', { remedy: 'Wait.' }).remedy, 'Wait.');
});

test('every code has a meaning and a remedy', () => {
  for (const code of Object.keys(HOST_ERRORS) as HostErrorCode[]) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(HOST_ERRORS[code].meaning, /^[a-z].*[^.]$/);
    assert.match(HOST_ERRORS[code].remedy, /^[A-Z].*\.$/);
  }
});
