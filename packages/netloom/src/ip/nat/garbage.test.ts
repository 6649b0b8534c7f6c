/** Whatever comes from either side: nothing throws, the tables stay within their limits, and what worked goes on to work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Cidr, copyBytes } from '../../core/index.ts';
import { NatBench } from '../../../test/ip/nat-bench.ts';
import { openPrefixTranslation } from './prefix-translator.ts';

function at(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Frames of all kinds as they come in, by side: what a bench is sent in a few exchanges of both families. */
function samples(): { inside: Uint8Array[]; outside: Uint8Array[] } {
  const bench = new NatBench();
  const inside: Uint8Array[] = [];
  const outside: Uint8Array[] = [];
  bench.sees = (frame, isInside) => (isInside ? inside : outside).push(copyBytes(frame));
  for (const [a, b, remote, external] of [
    ['10.0.0.2', '10.0.0.3', '198.51.100.7', '203.0.113.1'],
    ['fd00::2', 'fd00::3', '2001:db8:f::7', '2001:db8::1'],
  ] as const) {
    bench.udp(at(a, 5000), at(remote, 53));
    const sent = bench.last;
    bench.udp(at(remote, 53), at(external, 5000));
    const received = bench.last;
    bench.udp(at(b, 6000), at(external, 5000));
    bench.tcp(at(a, 5000), at(remote, 80), 'S');
    bench.tcp(at(remote, 80), at(external, 5000), 'S.');
    bench.echo(a, remote, 7);
    bench.echo(remote, external, 7, true);
    const [type, code] = a.includes(':') ? [1, 4] : [3, 3];
    bench.error(remote, external, type!, code!, 0, sent);
    bench.error(a, remote, type!, code!, 0, received);
  }
  return { inside, outside };
}

const { inside, outside } = samples();

const garbage = fc.record({
  isInside: fc.boolean(),
  sample: fc.nat(100),
  /** Bytes behind the Ethernet header that become others. */
  changes: fc.array(fc.tuple(fc.nat(110), fc.nat(255)), { maxLength: 6 }),
  cut: fc.option(fc.nat(120)),
});

test('mutilated packets of both sides do no harm', () => {
  assert.ok(inside.length >= 10 && outside.length >= 8);
  fc.assert(
    fc.property(fc.array(garbage, { maxLength: 60, size: 'max' }), (all) => {
      const bench = new NatBench({ limits: { flows: 30, flowsPerHost: 20, heldSyns: 5 } });
      const prefixes = { inside: Cidr.parse('fd00::/48'), outside: Cidr.parse('2001:db8:1::/48') };
      const { stack } = bench.bench;
      const sides = { inside: [bench.bench.interface], outside: bench.outside.interface };
      openPrefixTranslation(stack, { ...sides, prefixes });
      bench.udp('10.0.0.2:1234', '198.51.100.7:53');
      bench.udp('198.51.100.7:53', '203.0.113.1:1234');
      for (const { isInside, sample, changes, cut } of all) {
        const from = isInside ? inside : outside;
        const frame = copyBytes(from[sample % from.length]!);
        for (const [at, value] of changes) if (at + 14 < frame.length) frame[at + 14] = value;
        const part = cut === null ? frame : frame.subarray(0, Math.max(14, cut));
        (isInside ? bench.bench : bench.outside).inject(part);
      }
      assert.ok(bench.nat.flowCount <= 30);
      bench.bench.take();
      bench.outside.take();
      assert.equal(bench.udp('198.51.100.7:53', '203.0.113.1:1234').length, 1);
    }),
    { numRuns: 150 },
  );
});
