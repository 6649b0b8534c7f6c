import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLeaseClient } from './lease-client.ts';

test('a client is told by its MAC address where it is known by that', () => {
  for (const known of ['hw:1:', 'id:01', 'duid:00030001', 'duid:000100012c0ffee0']) {
    assert.equal(describeLeaseClient(`${known}020000000009`), '02:00:00:00:00:09');
  }
  for (const other of ['id:ff0102', 'hw:6:020000000009', 'duid:0002000000090102']) {
    assert.equal(describeLeaseClient(other), other);
  }
});
