import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { fromHex } from '../core/index.ts';
import { LARGEST_VXLAN_IDENTIFIER, VxlanHeader, emitVxlan, parseVxlan } from './vxlan.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseVxlan(bytes, start, end);

test('the header of RFC 7348, section 5: a flag, and the identifier', () => {
  assert.equal(parseGood(fromHex('0800000012345600'), parse).identifier, 0x12_3456);
  const header = Object.assign(new VxlanHeader(), { identifier: 42 });
  const bytes = emitted(8, (buffer, at) => emitVxlan(header, buffer, at));
  assert.deepEqual(bytes, fromHex('0800000000002a00'));
});

test('what is emitted is parsed as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LARGEST_VXLAN_IDENTIFIER }), (identifier) => {
      const header = Object.assign(new VxlanHeader(), { identifier });
      const bytes = emitted(8, (buffer, at) => emitVxlan(header, buffer, at));
      assert.deepEqual(parseGood(bytes, parse), header);
    }),
  );
});

test('reserved bits are ignored, and without the flag there is no identifier', () => {
  assert.equal(parseGood(fromHex('ffffffff000001ff'), parse).identifier, 1);
  assert.equal(parseGuarded(fromHex('f7ffffff000001ff'), parse), 'bad-value');
  assert.equal(parseGuarded(fromHex('08000000000001'), parse), 'truncated');
});
