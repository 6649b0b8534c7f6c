import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from './bytes.ts';
import { secureRandom, seededRandom, type Random } from './random.ts';

test('the numbers of a seed are fixed: sfc32, computed apart from this code', () => {
  // [seed, the first six numbers]
  const table: [number, number[]][] = [
    [0, [0x514676c3, 0x08a809df, 0x30349d2b, 0xfb52c520, 0x38802be1, 0x948279e6]],
    [1, [0x77eef724, 0x6f99472c, 0x65c86823, 0x6a161a47, 0x78c8aace, 0x63091598]],
    [2 ** 32, [0x4d7928c5, 0xee7b5378, 0xad3bd78c, 0x3e69971e, 0x6ebec678, 0xe64b729a]],
    [2 ** 53 - 1, [0xc2cfde87, 0x9b1cd11e, 0xc2b1b187, 0x0ae443ad, 0x716ed290, 0x5e97119e]],
  ];
  for (const [seed, expected] of table) {
    const random = seededRandom(seed);
    assert.deepEqual(
      expected.map(() => random.uint32()),
      expected,
    );
  }
});

test('the derived kinds are fixed too', () => {
  assert.equal(seededRandom(1).float(), 0x77eef724 / 2 ** 32);
  // Bytes are taken from the low end of each number, on every machine.
  assert.equal(toHex(seededRandom(1).fill(new Uint8Array(6))), '24f7ee772c47');
  assert.equal(seededRandom(1).below(1000), 0x77eef724 % 1000);
});

const SOURCES: [string, () => Random][] = [
  ['seeded', () => seededRandom(42)],
  ['secure', secureRandom],
];

for (const [name, create] of SOURCES) {
  test(`${name}: every kind stays in its range`, () => {
    const random = create();
    for (let i = 0; i < 5000; i++) {
      const whole = random.uint32();
      assert.ok(Number.isInteger(whole) && whole >= 0 && whole < 2 ** 32);
      const fraction = random.float();
      assert.ok(fraction >= 0 && fraction < 1);
      for (const bound of [1, 2, 3, 1000, 2 ** 31 + 1, 2 ** 32]) {
        const below = random.below(bound);
        assert.ok(Number.isInteger(below) && below >= 0 && below < bound);
      }
    }
  });

  test(`${name}: fill fills all of the array, of any length, and answers it`, () => {
    const random = create();
    for (let length = 0; length < 10; length++) {
      const bytes = new Uint8Array(length);
      const seen = new Uint8Array(length);
      for (let i = 0; i < 200; i++) {
        assert.equal(random.fill(bytes), bytes);
        for (let at = 0; at < length; at++) seen[at]! |= bytes[at]!;
      }
      assert.equal(toHex(seen), 'ff'.repeat(length));
    }
  });
}

/** Pearson's statistic of counts that should all be the same. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test('below is uniform', () => {
  const random = seededRandom(3);
  const counts = Array.from({ length: 100 }, () => 0);
  for (let i = 0; i < 100_000; i++) counts[random.below(100)]!++;
  // 99 degrees of freedom: 148.2 is exceeded once in a thousand seeds.
  assert.ok(chiSquare(counts) < 148.2, `${chiSquare(counts)}`);
});

test('below is uniform for a bound whose remainder is as large as can be', () => {
  // Taking the remainder alone would give the lower half of the values twice as often.
  const bound = 3 * 2 ** 30;
  const random = seededRandom(4);
  let low = 0;
  for (let i = 0; i < 30_000; i++) if (random.below(bound) < 2 ** 30) low++;
  // A third, give or take four standard deviations; the remainder alone would give a half.
  assert.ok(Math.abs(low - 10_000) < 4 * Math.sqrt(30_000 * (1 / 3) * (2 / 3)), `${low}`);
});

test('every bit of uint32 is as often set as not', () => {
  const random = seededRandom(5);
  const counts = Array.from({ length: 32 }, () => 0);
  for (let i = 0; i < 20_000; i++) {
    const value = random.uint32();
    for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) counts[bit]!++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 4 * Math.sqrt(5000), `${count}`);
});

test('seeds near each other give unrelated numbers', () => {
  const seen = new Set<number>();
  for (let seed = -500; seed < 500; seed++) seen.add(seededRandom(seed).uint32());
  assert.ok(seen.size >= 999);
});

test('a bound that no value could be below is refused, not looped on for ever', () => {
  for (const bound of [0, -1, 1.5, NaN, Infinity, 2 ** 32 + 1]) {
    assert.throws(
      () => seededRandom(1).below(bound),
      { code: 'RANDOM_BOUND_INVALID' },
      String(bound),
    );
  }
});

test('the secure source goes past its pool without repeating it', () => {
  const random = secureRandom();
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) seen.add(random.uint32());
  // Of 5,000 numbers two are the same once in 350 runs, eight never.
  assert.ok(seen.size > 4992);
});
