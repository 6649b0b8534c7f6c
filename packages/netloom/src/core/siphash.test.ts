import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from './random.ts';
import { HalfSipHash, SipHash } from './siphash.ts';

/** The key 00 01 02 ... of the published vectors. */
const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);
/** Their message 00 01 02 ..., as little-endian words. */
const MESSAGE = Int32Array.from({ length: 15 }, (_, i) => 0x03020100 + 0x04040404 * i);

/** SipHash-2-4 of the first 0, 4, 8, ... 60 bytes: the designers' vectors (`vectors.h` of the reference implementation). */
const SIPHASH_2_4 = [
  0x726fdb47dd0e0e31n,
  0xcf2794e0277187b7n,
  0x93f5f5799a932462n,
  0x751e8fbc860ee5fbn,
  0x3f2acc7f57c29bdbn,
  0xbed65cf21aa2ee98n,
  0xb8ad50c6f649af94n,
  0xde4daaaca71dc9a5n,
  0x7127512f72f27ccen,
  0x314dffbe0815a3b4n,
  0x0e3ea96b5304a7d0n,
  0xf935451de4f21df2n,
  0xe612a3cb9ecba951n,
  0x0a8787bf8ecb74b2n,
  0xb78dbfaf3a8d83bdn,
  0x6ca4ecb15c5f91e1n,
];

/** HalfSipHash-1-3 of the same, with the first 8 bytes of the key: the vectors of Linux's `hsiphash` self-test. */
const HALF_SIPHASH_1_3 = [
  0x5814c896, 0x7e059ea6, 0x577999b1, 0x6b28096c, 0x8b31d501, 0x911bb605, 0x57150ad7, 0x0a4100d0,
  0xbc6dda8d, 0x7c46fb7f, 0x05327eb2, 0x11795ab1, 0x007783eb, 0xc368dda6, 0x53ecd77e, 0x88b4c4cc,
];

test('SipHash-2-4: the published vectors of whole words', () => {
  const hasher = new SipHash(KEY);
  for (const [count, expected] of SIPHASH_2_4.entries()) {
    const low = hasher.hash(MESSAGE, count);
    const whole = (BigInt(hasher.high >>> 0) << 32n) | BigInt(low >>> 0);
    assert.equal(whole, expected, `${4 * count} bytes`);
    assert.equal(low, low | 0);
    assert.equal(hasher.high, hasher.high | 0);
  }
});

test('HalfSipHash-1-3: the published vectors of whole words', () => {
  const hasher = new HalfSipHash(KEY.subarray(0, 8));
  for (const [count, expected] of HALF_SIPHASH_1_3.entries()) {
    assert.equal(hasher.hash(MESSAGE, count) >>> 0, expected, `${4 * count} bytes`);
  }
});

test('all words of the array are hashed when no count is given', () => {
  const sip = new SipHash(KEY);
  assert.equal(sip.hash(MESSAGE), sip.hash(MESSAGE, MESSAGE.length));
  const half = new HalfSipHash(KEY.subarray(0, 8));
  assert.equal(half.hash(MESSAGE), half.hash(MESSAGE, MESSAGE.length));
});

test('a key of another length is refused', () => {
  for (const length of [0, 8, 15, 17]) {
    assert.throws(() => new SipHash(new Uint8Array(length)), { code: 'SIPHASH_KEY_INVALID' });
  }
  for (const length of [0, 7, 16]) {
    assert.throws(() => new HalfSipHash(new Uint8Array(length)), { code: 'SIPHASH_KEY_INVALID' });
  }
});

test('flows that differ in a port spread over the buckets of a table as chance would have it', () => {
  const key = seededRandom(1).fill(new Uint8Array(8));
  const hasher = new HalfSipHash(key);
  const flow = new Int32Array([0x0a000001, 0x0a000002, 0]);
  const buckets = Array.from({ length: 1024 }, () => 0);
  for (let port = 0; port < 65_536; port++) {
    flow[2] = (port << 16) | 80;
    buckets[hasher.hash(flow) & 1023]!++;
  }
  // 64 to a bucket; Pearson's statistic with 1,023 degrees of freedom exceeds 1,168 once in a thousand keys.
  const statistic = buckets.reduce((sum, count) => sum + (count - 64) ** 2 / 64, 0);
  assert.ok(statistic < 1168, `${statistic}`);
});
