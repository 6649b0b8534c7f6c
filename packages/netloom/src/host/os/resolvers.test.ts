import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSocketAddress } from '../../core/index.ts';
import { parseResolvConf, systemResolvers } from './resolvers.ts';

test('the first three name servers of a resolv.conf; the rest is passed over', () => {
  const text = `# made by hand
search lan example.com
nameserver 127.0.0.53
  nameserver\tfe80::1%eth0   # the router
;nameserver 192.0.2.1
nameserver somewhere
nameservers 192.0.2.2
nameserver 2001:db8::1
options edns0
nameserver 192.0.2.3
`;
  assert.deepEqual(parseResolvConf(text).map(formatSocketAddress), [
    '127.0.0.53:53',
    '[fe80::1%eth0]:53',
    '[2001:db8::1]:53',
  ]);
  assert.deepEqual(parseResolvConf(''), []);
});

test('a machine without the file has none', async () => {
  assert.deepEqual(await systemResolvers('/nowhere/resolv.conf'), []);
});
