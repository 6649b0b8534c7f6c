import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../random.ts';
import { IpAddress } from './ip-address.ts';
import { MacAddress } from './mac-address.ts';

const mac = fc
  .tuple(fc.nat(0xffff), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }))
  .map(([high, low]) => new MacAddress(high, low));

test('printing and parsing again gives the same, and so do bytes and numbers', () => {
  fc.assert(
    fc.property(mac, (address) => {
      assert.ok(MacAddress.parse(String(address)).equals(address));
      const bytes = new Uint8Array(10);
      address.copyTo(bytes, 2);
      assert.ok(MacAddress.read(bytes, 2).equals(address));
      assert.equal(address.toNumber(), parseInt(String(address).replaceAll(':', ''), 16));
      assert.equal(JSON.stringify(address), `"${address}"`);
    }),
  );
});

test('text forms', () => {
  assert.equal(String(MacAddress.parse('52:54:00:AB:cd:0e')), '52:54:00:ab:cd:0e');
  assert.equal(String(MacAddress.parse('00-00-5E-00-53-01')), '00:00:5e:00:53:01');
  const refused = [
    '',
    '52:54:00:12:34',
    '52:54:00:12:34:56:78',
    '5:54:00:12:34:56',
    '52:54:00:12:34:5g',
    '525400123456',
    '5254.0012.3456',
    '52:54-00:12:34:56',
    ' 52:54:00:12:34:56',
    '52:54:00:12:34:56\n',
  ];
  for (const text of refused) {
    assert.throws(() => MacAddress.parse(text), { code: 'ADDRESS_INVALID' }, `'${text}'`);
  }
});

test('the addresses of groups: the examples of RFC 1112, section 6.4 and RFC 2464, section 7', () => {
  const table: [string, string][] = [
    ['224.0.0.1', '01:00:5e:00:00:01'],
    ['239.255.255.250', '01:00:5e:7f:ff:fa'],
    // 23 bits are taken: the 24th is lost.
    ['224.129.0.5', '01:00:5e:01:00:05'],
    ['ff02::1', '33:33:00:00:00:01'],
    ['ff02::1:ff28:9c5a', '33:33:ff:28:9c:5a'],
  ];
  for (const [group, expected] of table) {
    const { family, word3 } = IpAddress.parse(group);
    const address = MacAddress.ofMulticast(family, word3);
    assert.equal(String(address), expected);
    assert.equal(address.isGroup, true);
  }
});

test('a station has any address but those of groups and the one of zeros', () => {
  const [card, group] = ['52:54:00:12:34:56', '01:00:5e:00:00:01'].map(MacAddress.parse);
  const addresses = [card!, group!, MacAddress.BROADCAST, MacAddress.ZERO];
  const expected = [true, false, false, false];
  assert.deepEqual(
    addresses.map(({ isStation }) => isStation),
    expected,
  );
});

test('group, broadcast and zero', () => {
  assert.equal(MacAddress.BROADCAST.isBroadcast, true);
  assert.equal(MacAddress.BROADCAST.isGroup, true);
  assert.equal(String(MacAddress.BROADCAST), 'ff:ff:ff:ff:ff:ff');
  assert.equal(String(MacAddress.ZERO), '00:00:00:00:00:00');
  assert.equal(MacAddress.ZERO.isGroup, false);
  assert.equal(MacAddress.parse('fe:ff:ff:ff:ff:ff').isBroadcast, false);
  assert.equal(MacAddress.parse('fe:ff:ff:ff:ff:ff').isGroup, false);
  assert.equal(MacAddress.parse('01:00:00:00:00:00').isGroup, true);
});

test('a random address is one station of the local administration, a function of the seed', () => {
  const random = seededRandom(7);
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    const address = MacAddress.random(random);
    assert.equal(address.isGroup, false);
    assert.equal(address.high & 0x0200, 0x0200);
    seen.add(address.toNumber());
  }
  assert.equal(seen.size, 1000);
  assert.ok(MacAddress.random(seededRandom(7)).equals(MacAddress.random(seededRandom(7))));
});
