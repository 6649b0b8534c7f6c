import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, type SocketAddress } from '../../core/index.ts';
import { RecentRemotes } from './recent-remotes.ts';

function remote(number: number, port = 53): SocketAddress {
  return { address: IpAddress.v6(0x2001_0db8, number << 16, 0, number), port };
}

test('who was sent to is remembered, by address and port', () => {
  const remotes = new RecentRemotes();
  assert.equal(remotes.has(remote(0).address, 53), false);
  remotes.remember(remote(1));
  assert.ok(remotes.has(remote(1).address, 53));
  assert.equal(remotes.has(remote(1).address, 54), false);
  for (const words of [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ] as const) {
    const { word0, word1, word2, word3 } = remote(1).address;
    const [change0, change1, change2, change3] = words;
    const other = IpAddress.v6(word0 ^ change0, word1 ^ change1, word2 ^ change2, word3 ^ change3);
    assert.equal(remotes.has(other, 53), false);
  }
});

test('a zone is no part of it: the quoted packet has none', () => {
  const remotes = new RecentRemotes();
  remotes.remember({ address: IpAddress.parse('fe80::1%eth0'), port: 1 });
  assert.ok(remotes.has(IpAddress.parse('fe80::1'), 1));
});

test('nobody is remembered who was not sent to, and the last 32 always are', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 200 }), (numbers) => {
      const remotes = new RecentRemotes();
      for (const number of numbers) remotes.remember(remote(number));
      for (const number of numbers.slice(-32)) assert.ok(remotes.has(remote(number).address, 53));
      for (let number = 0; number <= 60; number++) {
        if (!numbers.includes(number)) {
          assert.equal(remotes.has(remote(number).address, 53), false);
        }
      }
    }),
  );
});

test('a train of datagrams to one takes one place', () => {
  const remotes = new RecentRemotes();
  remotes.remember(remote(1));
  for (let i = 0; i < 100; i++) remotes.remember(remote(2));
  assert.ok(remotes.has(remote(1).address, 53));
  for (let i = 3; i < 34; i++) remotes.remember(remote(i));
  assert.equal(remotes.has(remote(1).address, 53), false, 'the oldest gives way');
});
