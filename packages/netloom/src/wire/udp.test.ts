import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { emitted, parseGood, parseGuarded } from '../../test/guarded.ts';
import { concatBytes } from '../core/index.ts';
import { UdpHeader, emitUdp, parseUdp } from './udp.ts';

const parse = (bytes: Uint8Array, start: number, end: number) => parseUdp(bytes, start, end);
const datagram = FRAMES.udp.subarray(34);

test('a datagram of the kernel', () => {
  const header = parseGood(datagram, parse);
  assert.deepEqual(
    { ...header },
    { sourcePort: 0xbe1f, destinationPort: 9, length: 15, checksum: 0xfe61 },
  );
});

test('what is emitted is parsed as it was', () => {
  const fields = fc.record({
    sourcePort: uint16,
    destinationPort: uint16,
    length: fc.integer({ min: 8, max: 100 }),
    checksum: uint16,
  });
  fc.assert(
    fc.property(fields, (values) => {
      const header = Object.assign(new UdpHeader(), values);
      const bytes = emitted(8, (buffer, at) => emitUdp(header, buffer, at));
      const whole = concatBytes([bytes, new Uint8Array(header.length - 8)]);
      assert.deepEqual(parseGood(whole, parse), header);
    }),
  );
});

test('a length below the header or past the end is refused', () => {
  assert.equal(parseGuarded(datagram.with(5, 7), parse), 'bad-length');
  assert.equal(parseGuarded(datagram.with(5, 16), parse), 'truncated');
  assert.equal(parseGuarded(datagram.subarray(0, 7), parse), 'truncated');
});
