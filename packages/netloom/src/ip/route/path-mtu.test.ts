import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress } from '../../core/index.ts';
import { PathMtuCache } from './path-mtu.ts';

const four = IpAddress.parse('192.0.2.1');
const six = IpAddress.parse('2001:db8::1');

test('a report lowers the MTU of its destination alone', () => {
  const cache = new PathMtuCache();
  assert.equal(cache.lookup(four, 0), undefined);
  assert.equal(cache.reduce(four, 1400, 1500, 0), 1400);
  assert.equal(cache.lookup(four, 1), 1400);
  assert.equal(cache.lookup(IpAddress.parse('192.0.2.2'), 1), undefined);
  assert.equal(cache.lookup(six, 1), undefined);
});

test('a report never raises an estimate, and the same again is no news', () => {
  const cache = new PathMtuCache();
  cache.reduce(six, 1300, 1500, 0);
  assert.equal(cache.reduce(six, 1400, 1500, 1), undefined);
  assert.equal(cache.reduce(six, 1300, 1500, 1), undefined);
  assert.equal(cache.lookup(six, 2), 1300);
  assert.deepEqual(cache.drops.snapshot(), { 'larger-than-known': 1 });
});

test('a router that does not tell: the next plateau below the packet (RFC 1191, section 7.1)', () => {
  for (const [length, expected] of [
    [65_535, 32_000],
    [9000, 8166],
    [1500, 1492],
    [1492, 1006],
    [1006, 552],
  ] as const) {
    assert.equal(new PathMtuCache().reduce(four, 0, length, 0), expected, `from ${length}`);
  }
});

test('an IPv4 path is never taken to carry less than 552', () => {
  const cache = new PathMtuCache();
  assert.equal(cache.reduce(four, 68, 1500, 0), 552);
  assert.equal(cache.reduce(four, 68, 552, 0), undefined);
  assert.deepEqual(cache.drops.snapshot(), { 'below-minimum': 1 });
});

test('an IPv6 report below 1280 is discarded, that of 0 too (RFC 8201, section 4)', () => {
  const cache = new PathMtuCache();
  assert.equal(cache.reduce(six, 1279, 1500, 0), undefined);
  assert.equal(cache.reduce(six, 0, 1500, 0), undefined);
  assert.equal(cache.reduce(six, 1280, 1500, 0), 1280);
  assert.deepEqual(cache.drops.snapshot(), { 'below-minimum': 2 });
});

test('a packet that fits cannot have been too big', () => {
  const cache = new PathMtuCache();
  assert.equal(cache.reduce(four, 1500, 1500, 0), undefined);
  assert.equal(cache.reduce(six, 1400, 1300, 0), undefined);
  assert.deepEqual(cache.drops.snapshot(), { 'not-smaller': 2 });
  assert.equal(cache.size, 0);
});

test('after ten minutes without a report the first link counts again', () => {
  const raised: string[] = [];
  const cache = new PathMtuCache({}, (destination) => raised.push(destination.toString()));
  cache.reduce(four, 1400, 1500, 0);
  cache.reduce(six, 1400, 1500, 1000);
  cache.reduce(four, 1400, 1500, 60_000);
  assert.equal(cache.deadline(), 601_000);
  assert.equal(cache.lookup(six, 601_000), undefined, 'aged even before advance');
  cache.advance(601_000);
  assert.deepEqual(raised, ['2001:db8::1']);
  assert.equal(cache.lookup(four, 659_999), 1400);
  cache.advance(660_000);
  assert.deepEqual(raised, ['2001:db8::1', '192.0.2.1']);
  assert.equal(cache.size, 0);
  assert.equal(cache.deadline(), Infinity);
});

test('the longest unused destination gives way', () => {
  const cache = new PathMtuCache({ destinations: 2 });
  const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((text) => IpAddress.parse(text));
  cache.reduce(a!, 1400, 1500, 0);
  cache.reduce(b!, 1400, 1500, 0);
  cache.lookup(a!, 1);
  cache.reduce(c!, 1400, 1500, 2);
  assert.equal(cache.lookup(a!, 3), 1400);
  assert.equal(cache.lookup(b!, 3), undefined);
  assert.equal(cache.lookup(c!, 3), 1400);
  assert.equal(cache.drops.get('evicted'), 1);
});

test('whatever is reported, the estimate is plausible and falls until it ages', () => {
  const report = fc.record({
    gap: fc.integer({ min: 0, max: 100_000 }),
    mtu: fc.integer({ min: 0, max: 70_000 }),
    length: fc.integer({ min: 0, max: 65_535 }),
    destination: fc.constantFrom(four, six),
  });
  fc.assert(
    fc.property(fc.array(report), (reports) => {
      const cache = new PathMtuCache();
      let now = 0;
      for (const { gap, mtu, length, destination } of reports) {
        now += gap;
        cache.advance(now);
        const before = cache.lookup(destination, now) ?? Infinity;
        const answer = cache.reduce(destination, mtu, length, now);
        const after = cache.lookup(destination, now) ?? Infinity;
        assert.ok(after <= before);
        assert.ok(after >= (destination.family === 4 ? 552 : 1280));
        if (answer === undefined) assert.equal(after, before);
        else assert.ok(after === answer && answer < length);
      }
    }),
  );
});
