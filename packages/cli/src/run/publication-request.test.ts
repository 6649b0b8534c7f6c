import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSocketAddress } from 'netloom/core';
import { readPublication } from './publication-request.ts';

test('a port of this machine leads to one of the program, from loopback unless another address is said', () => {
  for (const [text, expected] of [
    ['8080:80', 'tcp 127.0.0.1:8080 80'],
    ['0:80/tcp', 'tcp 127.0.0.1:0 80'],
    ['0.0.0.0:8080:80', 'tcp 0.0.0.0:8080 80'],
    ['[::1]:5353:53/udp', 'udp [::1]:5353 53'],
  ] as const) {
    const { protocol, programPort, ...listen } = readPublication(text);
    assert.equal(`${protocol} ${formatSocketAddress(listen)} ${programPort}`, expected, text);
  }
});

test('what is no such port is refused, with the forms there are', () => {
  const wrong = ['', '80', ':80', '8080:', '8080:0', '8080:65536', '65536:80', '8080:80/sctp'];
  const wrongAddresses = [
    '::1:8080:80',
    '[127.0.0.1]:8080:80',
    'localhost:8080:80',
    '127.0.0.1:80',
  ];
  for (const text of [...wrong, ...wrongAddresses]) {
    assert.throws(() => readPublication(text), /8080:80, 0\.0\.0\.0:8080:80/, text);
  }
});
