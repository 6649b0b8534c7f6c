import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTimeCode, encodeTimeCode } from './group-record.ts';

test('codes below 128 are themselves; 8-bit codes above are of RFC 3376, section 4.1.1', () => {
  assert.equal(decodeTimeCode(127, 4), 127);
  assert.equal(decodeTimeCode(0x80, 4), 128);
  assert.equal(decodeTimeCode(0x8f, 4), 31 << 3);
  assert.equal(decodeTimeCode(0xff, 4), 31 << 10);
});

test('16-bit codes are of RFC 3810, section 5.1.3', () => {
  assert.equal(decodeTimeCode(32767, 12), 32767);
  assert.equal(decodeTimeCode(0x8000, 12), 32768);
  assert.equal(decodeTimeCode(0xffff, 12), 8191 << 10);
});

test('every code is the encoding of its own value', () => {
  for (let code = 0; code < 0x100; code++) {
    assert.equal(encodeTimeCode(decodeTimeCode(code, 4), 4), code);
  }
  for (let code = 0; code < 0x1_0000; code += 13) {
    assert.equal(encodeTimeCode(decodeTimeCode(code, 12), 12), code);
  }
});

test('a value between two codes becomes the lower, and one above all the highest', () => {
  const bits = fc.constantFrom(4 as const, 12 as const);
  fc.assert(
    fc.property(bits, fc.double({ min: 0, max: 9e6, noNaN: true }), (mantissaBits, value) => {
      const code = encodeTimeCode(value, mantissaBits);
      const highest = (1 << (mantissaBits + 4)) - 1;
      assert.ok(code >= 0 && code <= highest);
      assert.ok(decodeTimeCode(code, mantissaBits) <= value);
      assert.ok(code === highest || decodeTimeCode(code + 1, mantissaBits) > value);
    }),
    { numRuns: 1000 },
  );
});
