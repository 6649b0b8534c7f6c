import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr } from './cidr.ts';
import { IpAddress } from './ip-address.ts';

const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const v4 = word.map((bits) => IpAddress.v4(bits));
const v6 = fc.tuple(word, word, word, word).map((words) => IpAddress.v6(...words));
const cidr = fc.oneof(
  fc.tuple(v4, fc.nat(32)).map(([address, length]) => new Cidr(address, length)),
  fc.tuple(v6, fc.nat(128)).map(([address, length]) => new Cidr(address, length)),
);

/** The address as one number. */
function value(address: IpAddress): bigint {
  return address.toBytes().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

test('network and broadcast', () => {
  const table: [string, string, string][] = [
    ['10.1.2.3/8', '10.0.0.0', '10.255.255.255'],
    ['192.0.2.129/25', '192.0.2.128', '192.0.2.255'],
    ['192.0.2.1/32', '192.0.2.1', '192.0.2.1'],
    ['192.0.2.1/31', '192.0.2.0', '192.0.2.1'],
    ['192.0.2.1/0', '0.0.0.0', '255.255.255.255'],
    ['2001:db8:1:2:3::4/33', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db8::1/128', '2001:db8::1', '2001:db8::1'],
    ['2001:db8::1/0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['2001:db8::1/64', '2001:db8::', '2001:db8::ffff:ffff:ffff:ffff'],
  ];
  for (const [text, network, broadcast] of table) {
    const parsed = Cidr.parse(text);
    assert.equal(String(parsed.network), network, text);
    assert.equal(String(parsed.broadcast), broadcast, text);
  }
});

test('containment agrees with arithmetic on the whole number', () => {
  // Addresses that share a prefix of any length with the network's, so that both answers are common.
  const pair = fc.tuple(cidr, fc.nat(127), fc.uint8Array({ minLength: 16, maxLength: 16 }));
  fc.assert(
    fc.property(pair, ([network, shared, noise]) => {
      const bytes = network.address.toBytes();
      const bits = bytes.length * 8;
      for (let bit = shared % bits; bit < bits; bit++) {
        bytes[bit >> 3]! ^= noise[bit >> 3]! & (0x80 >> (bit & 7));
      }
      const address = IpAddress.fromBytes(bytes);
      const hostBits = BigInt(bits - network.prefixLength);
      const inside = value(address) >> hostBits === value(network.address) >> hostBits;
      assert.equal(network.contains(address), inside, `${network} ${address}`);
    }),
    { numRuns: 2000 },
  );
});

test('a network holds its ends, is of one family, and does not look at zones', () => {
  fc.assert(
    fc.property(cidr, (network) => {
      assert.ok(network.contains(network.network));
      assert.ok(network.contains(network.broadcast));
      assert.ok(network.contains(network.address));
    }),
  );
  assert.equal(Cidr.parse('::/0').contains(IpAddress.LOOPBACK4), false);
  assert.equal(Cidr.parse('0.0.0.0/0').contains(IpAddress.LOOPBACK6), false);
  assert.equal(Cidr.parse('::ffff:0:0/96').contains(IpAddress.LOOPBACK4), false);
  assert.equal(Cidr.parse('fe80::/10').contains(IpAddress.parse('fe80::1%eth0')), true);
});

test('printing and parsing again gives the same', () => {
  fc.assert(
    fc.property(cidr, (network) => {
      const again = Cidr.parse(String(network));
      assert.ok(again.equals(network));
      assert.equal(JSON.stringify(again), `"${network}"`);
    }),
  );
  assert.equal(String(Cidr.parse('FE80::1%eth0/64')), 'fe80::1%eth0/64');
});

test('text and lengths that are refused', () => {
  const refused = [
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/255.0.0.0',
    '::/129',
    '::/-1',
    '::/1e1',
    '::/64 ',
    ' ::/64',
    '::/99999999999',
  ];
  for (const text of refused) {
    assert.throws(() => Cidr.parse(text), { code: 'CIDR_INVALID' }, `'${text}'`);
  }
  for (const length of [-1, 33, 1.5, NaN, Infinity]) {
    assert.throws(() => new Cidr(IpAddress.ANY4, length), { code: 'CIDR_INVALID' }, String(length));
  }
});

test('equality is of address and length', () => {
  assert.equal(Cidr.parse('10.0.0.0/8').equals(Cidr.parse('10.0.0.0/8')), true);
  assert.equal(Cidr.parse('10.0.0.0/8').equals(Cidr.parse('10.0.0.0/9')), false);
  assert.equal(Cidr.parse('10.0.0.0/8').equals(Cidr.parse('10.0.0.1/8')), false);
});
