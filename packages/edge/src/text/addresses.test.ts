import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, formatSocketAddress } from 'netloom/core';
import { parseSocketAddress, type SocketAddressDefaults } from './index.ts';

/** What is read, as it is written again. */
function read(text: string, defaults?: SocketAddressDefaults): string | undefined {
  const found = parseSocketAddress(text, defaults);
  return found && formatSocketAddress(found);
}

test('an address and a port: IPv6 in brackets, IPv4 without', () => {
  for (const [text, expected] of [
    ['192.0.2.7:80', '192.0.2.7:80'],
    ['[2001:DB8::7]:0', '[2001:db8::7]:0'],
    ['[fe80::1%eth0]:80', '[fe80::1%eth0]:80'],
    ['192.0.2.7:65536', undefined],
    ['192.0.2.7:000080', undefined],
    ['[192.0.2.7]:80', undefined],
    ['2001:db8::7:80', undefined],
    ['[2001:db8::7:80', undefined],
    ['[2001:db8::7]', undefined],
    ['192.0.2.7', undefined],
    ['host:80', undefined],
    [':80', undefined],
    ['80', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(read(text), expected, text);
  }
});

test('what has a default may be left out; a port may have to be one', () => {
  const address = IpAddress.LOOPBACK4;
  assert.equal(read('80', { address }), '127.0.0.1:80');
  assert.equal(read('0', { address, leastPort: 1 }), undefined);
  assert.equal(read('192.0.2.7', { port: 4789 }), '192.0.2.7:4789');
  assert.equal(read('2001:db8::7', { port: 4789 }), '[2001:db8::7]:4789');
  assert.equal(read('80', { port: 4789 }), undefined);
});
