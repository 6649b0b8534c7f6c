/** RFC 6528, section 3, and RFC 7323, section 5.4. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, seededRandom } from '../../core/index.ts';
import { InitialSequence } from './initial-sequence.ts';

const LOCAL = IpAddress.parse('10.0.0.1');
const REMOTE = IpAddress.parse('10.0.0.2');

function sequences(seed = 1): InitialSequence {
  return new InitialSequence(seededRandom(seed));
}

test('between the same ends the numbers rise with a clock that ticks every four microseconds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e12 }),
      fc.integer({ min: 0, max: 8_000_000 }),
      (now, later) => {
        const of = sequences();
        const first = of.number(LOCAL, 80, REMOTE, 5000, now);
        const second = of.number(LOCAL, 80, REMOTE, 5000, now + later);
        assert.equal((second - first) | 0, (later * 250) | 0);
      },
    ),
  );
  const of = sequences();
  const first = of.number(LOCAL, 80, REMOTE, 5000, 1000);
  assert.equal((of.number(LOCAL, 80, REMOTE, 5000, 1000.0079) - first) | 0, 1);
});

test('the numbers are signed 32-bit integers, however late it is', () => {
  const of = sequences();
  for (const now of [0, 2 ** 31 / 250, 2 ** 32 / 250 + 1, 1e13]) {
    const number = of.number(LOCAL, 80, REMOTE, 5000, now);
    assert.equal(number, number | 0);
  }
});

test('every part of the ends counts, and so does the secret', () => {
  const other = IpAddress.parse('10.0.0.3');
  const numbers = [
    sequences().number(LOCAL, 80, REMOTE, 5000, 0),
    sequences().number(other, 80, REMOTE, 5000, 0),
    sequences().number(LOCAL, 81, REMOTE, 5000, 0),
    sequences().number(LOCAL, 80, other, 5000, 0),
    sequences().number(LOCAL, 80, REMOTE, 5001, 0),
    // The other way round.
    sequences().number(REMOTE, 5000, LOCAL, 80, 0),
    sequences(2).number(LOCAL, 80, REMOTE, 5000, 0),
  ];
  assert.equal(new Set(numbers).size, numbers.length);
});

test('neighbouring ports tell nothing of each other: all bits change, each about half of the time', () => {
  const of = sequences();
  const changes = Array.from({ length: 32 }, () => 0);
  for (let port = 0; port < 4096; port++) {
    const changed =
      of.number(LOCAL, 80, REMOTE, port, 0) ^ of.number(LOCAL, 80, REMOTE, port + 1, 0);
    for (let bit = 0; bit < 32; bit++) changes[bit]! += (changed >>> bit) & 1;
  }
  // Four standard deviations are 128.
  for (const [bit, count] of changes.entries()) {
    assert.ok(Math.abs(count - 2048) < 256, `bit ${bit} changes ${count} times of 4096`);
  }
});

test('timestamps have one offset for two hosts, whatever the ports, and another for others', () => {
  const of = sequences();
  const offset = of.timestampOffset(LOCAL, REMOTE);
  of.number(LOCAL, 80, REMOTE, 5000, 0);
  assert.equal(of.timestampOffset(LOCAL, REMOTE), offset);
  assert.notEqual(of.timestampOffset(REMOTE, LOCAL), offset);
  assert.notEqual(of.timestampOffset(LOCAL, IpAddress.parse('10.0.0.3')), offset);
  assert.notEqual(of.timestampOffset(LOCAL, REMOTE), of.number(LOCAL, 0, REMOTE, 0, 0));
});
