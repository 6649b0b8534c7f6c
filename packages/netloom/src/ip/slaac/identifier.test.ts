import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, SipHash } from '../../core/index.ts';
import { isReservedIdentifier, stableIdentifier, type StableIdentifierOptions } from './index.ts';

const PREFIX = IpAddress.parse('2001:db8:1:2::');

function identifier(
  change: Partial<StableIdentifierOptions> = {},
  prefix = PREFIX,
  counter = 0,
): string {
  const options = {
    hash: new SipHash(new Uint8Array(16).fill(1)),
    interfaceIdentity: 'eth0',
    ...change,
  };
  const { word2, word3 } = stableIdentifier(options, prefix, counter);
  return `${word2} ${word3}`;
}

function isReserved(text: string): boolean {
  return isReservedIdentifier(IpAddress.parse(`::${text}`));
}

test('an identifier is stable, and another for each prefix, interface, network, secret and counter (RFC 7217, section 5)', () => {
  assert.equal(identifier(), identifier());
  const all = [
    identifier(),
    identifier({}, IpAddress.parse('2001:db8:1:3::')),
    identifier({}, IpAddress.parse('2001:db9:1:2::')),
    identifier({ interfaceIdentity: 'eth1' }),
    identifier({ networkIdentity: 'home' }),
    identifier({ hash: new SipHash(new Uint8Array(16).fill(2)) }),
    identifier({}, PREFIX, 1),
    // What is in one text cannot pass for what is in the other.
    identifier({ interfaceIdentity: 'eth', networkIdentity: '0' }),
    identifier({ interfaceIdentity: '', networkIdentity: 'eth0' }),
  ];
  assert.equal(new Set(all).size, all.length);
});

test('both words are the hash’s, upper half first', () => {
  const seen: number[][] = [];
  const hash = {
    high: 7,
    hash: (words: Int32Array) => {
      seen.push([...words]);
      return 9;
    },
  };
  assert.equal(
    identifier({ hash, interfaceIdentity: 'A', networkIdentity: 'BC' }, PREFIX, 3),
    '7 9',
  );
  assert.deepEqual(seen, [[PREFIX.word0, PREFIX.word1, 1, 65, 2, 66, 67, 3]]);
});

test('reserved identifiers are known (RFC 5453)', () => {
  for (const text of [
    '0',
    '200:5eff:fe00:0',
    '200:5eff:fe00:5213',
    '200:5eff:feff:ffff',
    'fdff:ffff:ffff:ff80',
    'fdff:ffff:ffff:ffff',
  ]) {
    assert.equal(isReserved(text), true, text);
  }
  for (const text of [
    '1',
    '200:5eff:fdff:ffff',
    '200:5eff:ff00:0',
    'fdff:ffff:ffff:ff7f',
    'fdff:fffe:ffff:ffff',
  ]) {
    assert.equal(isReserved(text), false, text);
  }
});
