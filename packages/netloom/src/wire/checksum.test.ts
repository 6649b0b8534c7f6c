import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes, int32, uint16 } from '../../test/arbitraries.ts';
import { FRAMES } from '../../test/frames.ts';
import { fromHex, readInt32, readUint16, seededRandom } from '../core/index.ts';
import {
  finishChecksum,
  foldSum,
  isTransportChecksumValid,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  sumWords,
  transportChecksum,
  udpChecksum,
  updateChecksum,
} from './checksum.ts';

/** The definition (RFC 1071, section 1), as plainly as it can be written. */
function plainSum(data: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += data[i]! * ((i - start) % 2 === 0 ? 256 : 1);
  return sum;
}

test('the example of RFC 1071, section 3', () => {
  const example = fromHex('0001 f203 f4f5 f6f7');
  assert.equal(sumWords(example, 0, 8), 0x2ddf0);
  assert.equal(foldSum(0x2ddf0), 0xddf2);
  assert.equal(finishChecksum(0x2ddf0), 0x220d);
});

test('the example of RFC 1624, section 4: an update that ends in zero', () => {
  assert.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0x0000);
});

test('the sum is the plain one, wherever the range begins and ends and whatever the view', () => {
  const placed = fc.record({ data: bytes(700), lead: fc.nat(9), trail: fc.nat(9), sum: uint16 });
  fc.assert(
    fc.property(placed, ({ data, lead, trail, sum }) => {
      const end = Math.max(data.length - trail, 0);
      const start = Math.min(lead, end);
      // A view at an odd offset of a larger buffer: indexes must be counted from the view's start.
      const whole = new Uint8Array(lead + data.length + trail).fill(0xff);
      const view = whole.subarray(lead, lead + data.length);
      view.set(data);
      const expected = sum + plainSum(data, start, end);
      assert.equal(sumWords(data, start, end, sum), expected);
      assert.equal(sumWords(view, start, end, sum), expected);
    }),
    { numRuns: 1000 },
  );
});

test('a range of any size: the counters of the fast loop do not overflow', () => {
  const ones = new Uint8Array(900_001).fill(0xff);
  const noise = seededRandom(1).fill(new Uint8Array(900_001));
  for (const data of [ones, noise]) {
    for (const end of [262_143, 262_144, 262_145, 262_160, 524_288, 900_001]) {
      assert.equal(sumWords(data, 0, end), plainSum(data, 0, end), `${end} bytes`);
    }
  }
});

test('buffers by turns: a sum is never taken from the buffer before', () => {
  const buffers = [1, 2, 3].map((byte) => new Uint8Array(256).fill(byte));
  for (const index of [0, 1, 0, 2, 1, 0, 0, 2]) {
    assert.equal(sumWords(buffers[index]!, 0, 256), 128 * 0x101 * (index + 1));
  }
});

test('a fold of any sum is its rest modulo 65535, and 0 only for 0', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (sum) => {
      const folded = foldSum(sum);
      assert.equal(folded % 0xffff, sum % 0xffff);
      assert.ok(folded <= 0xffff);
      assert.equal(folded === 0, sum === 0);
    }),
  );
});

test('an incremental update gives what computing again gives', () => {
  fc.assert(
    fc.property(bytes(64, 2), fc.nat(31), uint16, (data, index, after) => {
      const at = 2 * (index % (data.length >> 1));
      const changed = data.slice();
      changed[at] = after >>> 8;
      changed[at + 1] = after;
      // Without any bit set a sum has another zero (RFC 1624, section 3): no packet is so.
      fc.pre(plainSum(changed, 0, changed.length) > 0 && plainSum(data, 0, data.length) > 0);
      const before = finishChecksum(sumWords(data, 0, data.length));
      assert.equal(
        updateChecksum(before, readUint16(data, at), after),
        finishChecksum(sumWords(changed, 0, changed.length)),
      );
    }),
  );
});

test('transport checksums the kernel computed are found valid over both pseudo-headers', () => {
  const { udp, udp6 } = FRAMES;
  const v4 = pseudoHeaderSumV4(readInt32(udp, 26), readInt32(udp, 30), 17, udp.length - 34);
  assert.ok(isTransportChecksumValid(udp, 34, udp.length, v4));
  assert.ok(!isTransportChecksumValid(udp, 34, udp.length, v4 + 1));
  const word = (index: number): number => readInt32(udp6, 22 + 4 * index);
  const length = udp6.length - 54;
  const v6 = pseudoHeaderSumV6(
    word(0),
    word(1),
    word(2),
    word(3),
    word(4),
    word(5),
    word(6),
    word(7),
    17,
    length,
  );
  assert.ok(isTransportChecksumValid(udp6, 54, udp6.length, v6));
  assert.ok(!isTransportChecksumValid(udp6, 54, udp6.length, v6 + 1));
});

test('a pseudo-header sum is that of the bytes it stands for', () => {
  const words = fc.tuple(int32, int32, int32, int32, int32, int32, int32, int32);
  fc.assert(
    fc.property(words, fc.nat(255), fc.nat(0x10_0000), (eight, protocol, length) => {
      const header = new Uint8Array(40);
      const view = new DataView(header.buffer);
      for (const [index, value] of eight.entries()) view.setInt32(4 * index, value);
      view.setUint32(32, length);
      view.setUint32(36, protocol);
      assert.equal(pseudoHeaderSumV6(...eight, protocol, length), plainSum(header, 0, 40));
    }),
  );
});

test('a UDP checksum is never 0', () => {
  const data = fromHex('ffff');
  assert.equal(transportChecksum(data, 0, 2, 0), 0);
  assert.equal(udpChecksum(data, 0, 2, 0), 0xffff);
});
