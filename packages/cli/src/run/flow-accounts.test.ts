import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowStatus } from '@netloom/edge';
import { destinationsOf } from './flow-accounts.ts';

function flow(guest: string, destination: string, more: Partial<FlowStatus> = {}): FlowStatus {
  return {
    network: 'lan',
    id: 1,
    protocol: 'tcp',
    direction: 'outbound',
    guest,
    destination,
    labels: [],
    state: 'open',
    end: null,
    age: 0,
    bytesSent: 10,
    bytesReceived: 20,
    ...more,
  };
}

test('flows of one guest are summed up by destination, the most bytes first', () => {
  const flows = [
    flow('10.0.0.9:1000', '192.0.2.1:80', { labels: ['a.test'] }),
    flow('[fd00::9]:1000', '[2001:db8::1]:80', { bytesSent: 1000 }),
    flow('10.0.0.9:1001', '192.0.2.1:80', { end: 'denied', bytesSent: 0, bytesReceived: 0 }),
    flow('10.0.0.9', '192.0.2.1', { protocol: 'icmp' }),
    // Of others, and what has come in.
    flow('10.0.0.8:1000', '192.0.2.1:80'),
    flow('10.0.0.9:80', '192.0.2.7:9999', { direction: 'inbound' }),
  ];
  const accounts = destinationsOf(flows, ['10.0.0.9', 'fd00::9']);
  assert.deepEqual(
    accounts.map(({ protocol, destination, flows: count, denied, bytesSent }) =>
      [protocol, destination, count, denied, bytesSent].join(' '),
    ),
    ['tcp [2001:db8::1]:80 1 0 1000', 'tcp 192.0.2.1:80 2 1 10', 'icmp 192.0.2.1 1 0 10'],
  );
  assert.deepEqual(accounts[1]!.labels, ['a.test']);
});
