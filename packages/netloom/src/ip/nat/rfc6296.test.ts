/** RFC 6296: one IPv6 prefix for another, and no checksum changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, IpAddress } from '../../core/index.ts';
import { foldSum, sumWords } from '../../wire/index.ts';
import { int32 } from '../../../test/arbitraries.ts';
import { NatBench, first } from '../../../test/ip/nat-bench.ts';
import { PrefixMapping } from './prefix-mapping.ts';
import { openPrefixTranslation, type PrefixTranslator } from './prefix-translator.ts';

/** A router that knows fd00::/48 inside as 2001:db8:1::/48 outside. */
function scene(): { bench: NatBench; translator: PrefixTranslator } {
  const bench = new NatBench();
  bench.nat.close();
  const { stack } = bench.bench;
  const translator = openPrefixTranslation(stack, {
    inside: [bench.bench.interface],
    outside: bench.outside.interface,
    prefixes: { inside: Cidr.parse('fd00::/48'), outside: Cidr.parse('2001:db8:1::/48') },
  });
  return { bench, translator };
}

const R = '2001:db8:f::7';

/** What fd00::2 is seen as: the subnet takes up that fd00 is another sum than 2001:db8:1. */
const SEEN = '2001:db8:1:cf46::2';
const SEEN_OTHER = '2001:db8:1:cf46::3';

test('the example of section 3.6', () => {
  const mapping = new PrefixMapping({
    inside: Cidr.parse('fd01:203:405::/48'),
    outside: Cidr.parse('2001:db8:1::/48'),
  });
  const inside = IpAddress.parse('fd01:203:405:1::1234');
  const outside = IpAddress.parse('2001:db8:1:d550::1234');
  assert.equal(String(mapping.translate(inside, true)), String(outside));
  assert.equal(String(mapping.translate(outside, false)), String(inside));
});

test('there and back is the same address, and the sum is the same on both sides', () => {
  const address = fc.tuple(int32, int32, int32, int32).map((words) => IpAddress.v6(...words));
  fc.assert(
    fc.property(address, address, address, fc.integer({ min: 1, max: 64 }), (a, b, host, bits) => {
      const [inside, outside] = [new Cidr(a, bits), new Cidr(b, bits)];
      const mapping = new PrefixMapping({ inside, outside });
      const before = inPrefix(host, inside);
      const after = mapping.translate(before, true);
      if (after === undefined) return;
      assert.ok(outside.contains(after));
      assert.equal(sumOf(after), sumOf(before));
      assert.equal(String(mapping.translate(after, false)), String(before));
    }),
    { numRuns: 2000 },
  );
});

/** The sum of an address, the two zeros being one. */
function sumOf(address: IpAddress): number {
  return foldSum(sumWords(address.toBytes(), 0, 16)) % 0xffff;
}

function inPrefix(host: IpAddress, { prefixLength, network }: Cidr): IpAddress {
  const [bytes, prefix] = [host.toBytes(), network.toBytes()];
  for (let bit = 0; bit < prefixLength; bit++) {
    const mask = 0x80 >>> (bit & 7);
    bytes[bit >>> 3] = (bytes[bit >>> 3]! & ~mask) | (prefix[bit >>> 3]! & mask);
  }
  return IpAddress.fromBytes(bytes);
}

test('an address without a word that can change is not translated, and its sender told (section 3.7)', () => {
  const mapping = new PrefixMapping({
    inside: Cidr.parse('fd00::/48'),
    outside: Cidr.parse('2001:db8:1::/48'),
  });
  assert.equal(mapping.translate(IpAddress.parse('fd00:0:0:ffff::1'), true), undefined);
  const long = new PrefixMapping({
    inside: Cidr.parse('fd00::/64'),
    outside: Cidr.parse('2001:db8:1:2::/64'),
  });
  for (const identifier of ['fd00::', 'fd00::ffff:ffff:ffff:ffff']) {
    assert.equal(long.translate(IpAddress.parse(identifier), true), undefined);
  }
  assert.ok(long.translate(IpAddress.parse('fd00::ffff:ffff:ffff:0'), true) !== undefined);
  const { bench, translator } = scene();
  const { stack } = bench.bench;
  const source = IpAddress.parse('fd00:0:0:ffff::1');
  stack.addRoute(Cidr.parse('fd00:0:0:ffff::/64'), bench.bench.interface);
  bench.bench.learn(source);
  assert.match(
    bench.udp(`[${source}]:5000`, `[${R}]:53`).join(),
    /^in \S+ > fd00:0:0:ffff::1 ICMPv6 parameter problem code 0 at byte 8 /,
  );
  assert.equal(translator.drops.get('nat-prefix-unmappable'), 1);
});

test('packets of any kind go out and come back, ports and all', () => {
  const { bench } = scene();
  assert.deepEqual(bench.udp('[fd00::2]:5000', `[${R}]:53`), [
    `out [${SEEN}]:5000 > [${R}]:53 UDP len=4`,
  ]);
  assert.deepEqual(bench.udp(`[${R}]:1`, `[${SEEN}]:80`), [`in [${R}]:1 > [fd00::2]:80 UDP len=4`]);
  assert.match(bench.tcp(`[${R}]:1`, `[${SEEN}]:80`, 'S').join(), /^in .*\[fd00::2\]:80/);
  assert.match(bench.echo('fd00::2', R, 5).join(), new RegExp(`^out ${SEEN} > ${R}`));
});

test('inside hosts reach each other by the outside prefix (section 4.3)', () => {
  const { bench } = scene();
  assert.deepEqual(bench.udp('[fd00::2]:5000', `[${SEEN_OTHER}]:80`), [
    `in [${SEEN}]:5000 > [fd00::3]:80 UDP len=4`,
  ]);
});

test('errors are about what their receiver sent, both ways', () => {
  const { bench } = scene();
  bench.udp('[fd00::2]:5000', `[${R}]:53`);
  assert.match(
    bench.error('2001:db8:e::1', SEEN, 2, 0, 1300, bench.last).join(),
    /^in 2001:db8:e::1 > fd00::2 ICMPv6 packet too big mtu=1300 for \[fd00::2\]:5000 > \[2001:db8:f::7\]:53/,
  );
  bench.udp(`[${R}]:1`, `[${SEEN}]:80`);
  const line = first(bench.error('fd00::2', R, 1, 4, 0, bench.last));
  assert.ok(line.startsWith(`out ${SEEN} > ${R} `), line);
  assert.ok(line.includes(`for [${R}]:1 > [${SEEN}]:80`), line);
});

test('prefixes of another family, of two lengths or too long are refused', () => {
  for (const [inside, outside] of [
    ['10.0.0.0/24', '10.1.0.0/24'],
    ['fd00::/48', '2001:db8::/56'],
    ['fd00::/72', '2001:db8::/72'],
  ] as const) {
    const pair = { inside: Cidr.parse(inside), outside: Cidr.parse(outside) };
    assert.throws(() => new PrefixMapping(pair), { code: 'NAT_PREFIX_INVALID' });
  }
});

test('closed, it translates nothing', () => {
  const { bench, translator } = scene();
  translator.close();
  translator.close();
  assert.deepEqual(bench.udp('[fd00::2]:5000', `[${R}]:53`), [
    `out [fd00::2]:5000 > [${R}]:53 UDP len=4`,
  ]);
});
