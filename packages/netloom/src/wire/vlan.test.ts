import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, uint16 } from '../../test/arbitraries.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { fromHex } from '../core/index.ts';
import { EtherType } from './ethernet.ts';
import { VlanTag, emitVlan, parseVlan } from './vlan.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseVlan(bytes, start, end);

test('the fields are where IEEE 802.1Q, figure 9-1 has them', () => {
  const tag = parseGood(fromHex('b064 86dd'), parse);
  assert.deepEqual(
    { ...tag },
    { priority: 5, dropEligible: true, identifier: 100, type: EtherType.IPV6 },
  );
});

test('what is emitted is parsed as it was', () => {
  const fields = fc.record({
    priority: fc.nat(7),
    dropEligible: bool,
    identifier: fc.nat(4094),
    type: uint16,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const tag = Object.assign(new VlanTag(), values);
      const bytes = emitted(4, (buffer, at) => emitVlan(tag, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), tag);
    }),
  );
});

test('the reserved identifier and a cut tag are refused', () => {
  assert.equal(parseGuarded(fromHex('0fff 0800'), parse), 'bad-value');
  assert.equal(parseGuarded(fromHex('0064 08'), parse), 'truncated');
});
