/** RFC 4787, requirement by requirement: UDP through a NAT. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, concatBytes, seededRandom } from '../../core/index.ts';
import {
  describeFrame,
  isFault,
  parseIpv4,
  parseIpv6,
  walkIpv6,
  type Ipv6Chain,
  type Ipv6Header,
} from '../../wire/index.ts';
import { udpFrame, type Ends } from '../../../test/ip/frames.ts';
import { NatBench, assertIntact, end, portOf } from '../../../test/ip/nat-bench.ts';
import { pattern } from '../../../test/ip/stack-bench.ts';
import { fragmentPacket } from '../fragmentation.ts';
import { Reassembler } from '../reassembly/index.ts';

const A = '10.0.0.2:5000';
const OTHER = '10.0.0.3:5000';
const R = '198.51.100.7:53';
/** The same address, another port; and another address. */
const R2 = '198.51.100.7:54';
const S = '192.0.2.9:53';

test('a datagram goes out as the router’s, and the answer comes back, in both families', () => {
  const bench = new NatBench();
  assert.deepEqual(bench.udp(A, R), ['out 203.0.113.1:5000 > 198.51.100.7:53 UDP len=4']);
  assert.deepEqual(bench.udp(R, '203.0.113.1:5000'), [
    'in 198.51.100.7:53 > 10.0.0.2:5000 UDP len=4',
  ]);
  const [v6, remote] = ['[fd00::2]:5000', '[2001:db8:f::7]:53'];
  assert.deepEqual(bench.udp(v6, remote), [
    'out [2001:db8::1]:5000 > [2001:db8:f::7]:53 UDP len=4',
  ]);
  assert.deepEqual(bench.udp(remote, '[2001:db8::1]:5000'), [
    'in [2001:db8:f::7]:53 > [fd00::2]:5000 UDP len=4',
  ]);
  const [flow] = [...bench.nat.flows()];
  assert.deepEqual(
    [flow!.state, flow!.outbound, flow!.inbound],
    ['answered', { packets: 1, bytes: 32 }, { packets: 1, bytes: 32 }],
  );
});

test('REQ-1: an endpoint-independent mapping is one for all remote ends; the others are selectable', () => {
  for (const [mapping, again, address] of [
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const) {
    const bench = new NatBench({ behaviour: { mapping, ports: 'random' } });
    const port = portOf(bench.udp(A, R));
    assert.equal(portOf(bench.udp(A, R)), port);
    assert.equal(portOf(bench.udp(A, R2)) === port, again, `${mapping}, another port`);
    assert.equal(portOf(bench.udp(A, S)) === port, address, `${mapping}, another address`);
  }
});

test('REQ-2: with paired pooling an inside host is seen as one address', () => {
  const externals = ['203.0.113.1/24', '203.0.113.2/24', '203.0.113.3/24', '203.0.113.4/24'];
  const seen = (pooling: 'paired' | 'arbitrary'): Set<string> => {
    const bench = new NatBench({ externals, behaviour: { pooling } });
    const ports = Array.from({ length: 20 }, (_, i) => 5000 + i);
    return new Set(ports.map((port) => bench.udp(`10.0.0.2:${port}`, R)[0]!.split(':')[0]!));
  };
  assert.equal(seen('paired').size, 1);
  assert.equal(seen('arbitrary').size, 4);
});

test('REQ-3: no port is given to two; where the inside port is taken, another of its range is', () => {
  const bench = new NatBench();
  assert.equal(portOf(bench.udp(A, R)), 5000);
  const other = portOf(bench.udp(OTHER, R));
  assert.ok(other >= 1024 && other !== 5000);
  assert.equal(portOf(bench.udp('10.0.0.2:500', R)), 500);
  const low = portOf(bench.udp('10.0.0.3:500', R));
  assert.ok(low > 0 && low < 1024 && low !== 500, `REQ-3 a: ${low}`);
  assert.deepEqual(bench.udp(R, `203.0.113.1:${other}`), [
    'in 198.51.100.7:53 > 10.0.0.3:5000 UDP len=4',
  ]);
});

test('REQ-3: a port that the router itself has is not given away', () => {
  const bench = new NatBench();
  const { stack } = bench.bench;
  const socket = stack.udp.bind(bench.nat.externals(4)[0]!, 5000, false);
  assert.notEqual(portOf(bench.udp(A, R)), 5000);
  assert.deepEqual(bench.udp(R, '203.0.113.1:5000'), []);
  stack.udp.remove(socket);
});

test('REQ-4: with parity an even port stays even and an odd one odd; RTCP is next to RTP', () => {
  const bench = new NatBench({ behaviour: { ports: 'parity' } });
  for (let port = 6000; port < 6040; port += 2) {
    const rtp = portOf(bench.udp(`10.0.0.2:${port}`, R));
    assert.equal(rtp % 2, 0);
    assert.equal(portOf(bench.udp(`10.0.0.2:${port + 1}`, R)), rtp + 1);
  }
  assert.equal(portOf(bench.udp('10.0.0.3:7001', R)) % 2, 1);
  assert.equal(portOf(bench.udp('10.0.0.3:701', R)) % 2, 1);
});

test('REQ-5: a mapping lives for five minutes without traffic, and no less', () => {
  const bench = new NatBench({ behaviour: { ports: 'random' } });
  const port = portOf(bench.udp(A, R));
  bench.pass(299_000);
  assert.equal(bench.nat.flowCount, 1);
  assert.equal(portOf(bench.udp(A, R)), port);
  bench.pass(299_000);
  assert.equal(bench.nat.flowCount, 1);
  bench.pass(2000);
  assert.deepEqual([bench.nat.flowCount, bench.nat.mappingCount], [0, 0]);
  assert.equal(bench.nat.deadline(), Infinity);
  assert.match(bench.udp(R, `203.0.113.1:${port}`).join(), /^out .*port unreachable/);
});

test('REQ-6: what goes out keeps a mapping; what comes in does so only when asked for', () => {
  for (const refresh of ['outbound', 'both'] as const) {
    const bench = new NatBench({ behaviour: { refresh } });
    bench.udp(A, R);
    bench.pass(200_000);
    bench.udp(R, '203.0.113.1:5000');
    bench.udp(S, '203.0.113.1:5000');
    bench.pass(200_000);
    assert.equal(bench.nat.flowCount, refresh === 'both' ? 2 : 0, refresh);
  }
});

test('REQ-6: flows that were opened from outside end with the mapping', () => {
  const bench = new NatBench();
  bench.udp(A, R);
  bench.pass(299_000);
  bench.udp(S, '203.0.113.1:5000');
  assert.equal(bench.nat.flowCount, 2);
  bench.pass(1001);
  assert.equal(bench.nat.flowCount, 0);
});

test('REQ-8: the filter lets in whom it says', () => {
  for (const [filtering, samePort, sameAddress, other] of [
    ['endpoint-independent', true, true, true],
    ['address-dependent', true, true, false],
    ['address-and-port-dependent', true, false, false],
  ] as const) {
    const bench = new NatBench({ behaviour: { filtering } });
    bench.udp(A, R);
    const got = (from: string): boolean => bench.udp(from, '203.0.113.1:5000').length === 1;
    assert.deepEqual([got(R), got(R2), got(S)], [samePort, sameAddress, other], filtering);
    const filtered = [samePort, sameAddress, other].filter((each) => !each).length;
    assert.equal(bench.nat.drops.get('nat-filtered'), filtered);
  }
});

test('REQ-9: inside hosts reach each other by external ends, and see external ends', () => {
  const bench = new NatBench();
  bench.udp(A, R);
  assert.deepEqual(bench.udp('10.0.0.3:6000', '203.0.113.1:5000'), [
    'in 203.0.113.1:6000 > 10.0.0.2:5000 UDP len=4',
  ]);
  assert.deepEqual(bench.udp(A, '203.0.113.1:6000'), [
    'in 203.0.113.1:5000 > 10.0.0.3:6000 UDP len=4',
  ]);
  assert.deepEqual(bench.udp(A, '203.0.113.1:5000'), [
    'in 203.0.113.1:5000 > 10.0.0.2:5000 UDP len=4',
  ]);
});

test('REQ-9: hairpinning can be switched off, and is filtered as what comes from outside', () => {
  const off = new NatBench({ behaviour: { hairpinning: false } });
  off.udp(A, R);
  assert.match(off.udp('10.0.0.3:6000', '203.0.113.1:5000').join(), /^in .*port unreachable/);
  const strict = new NatBench({ behaviour: { filtering: 'address-and-port-dependent' } });
  strict.udp(A, R);
  assert.deepEqual(strict.udp('10.0.0.3:6000', '203.0.113.1:5000'), []);
  assert.deepEqual(strict.udp(A, '203.0.113.1:6000'), [
    'in 203.0.113.1:5000 > 10.0.0.3:6000 UDP len=4',
  ]);
});

test('REQ-11: a taken port changes nothing about how others are mapped and filtered', () => {
  const bench = new NatBench({ behaviour: { filtering: 'address-dependent' } });
  bench.udp(A, R);
  const port = portOf(bench.udp(OTHER, R));
  assert.equal(portOf(bench.udp(OTHER, S)), port, 'still endpoint-independent');
  assert.equal(bench.udp(R2, `203.0.113.1:${port}`).length, 1);
  assert.deepEqual(bench.udp('192.0.2.200:1', `203.0.113.1:${port}`), []);
});

test('what comes for inside addresses by their own names is not let in', () => {
  const bench = new NatBench();
  assert.deepEqual(bench.udp(R, A), []);
  assert.equal(bench.nat.drops.get('nat-untranslated'), 1);
});

test('an external address that goes takes its mappings with it, and the next has new ones', () => {
  const bench = new NatBench({ followsInterface: true });
  const published = {
    protocol: 'udp',
    external: { port: 80 },
    inside: end('10.0.0.2:8080'),
  } as const;
  bench.nat.publish(published);
  bench.udp(A, R);
  const { stack } = bench.bench;
  const via = bench.outside.interface;
  stack.removeAddress(via, end('203.0.113.1:0').address);
  stack.addAddress(via, Cidr.parse('203.0.113.9/24'));
  assert.deepEqual(bench.udp(A, R), ['out 203.0.113.9:5000 > 198.51.100.7:53 UDP len=4']);
  assert.deepEqual([bench.nat.flowCount, bench.nat.mappingCount], [1, 2]);
  assert.deepEqual(bench.udp(R, '203.0.113.9:80'), [
    'in 198.51.100.7:53 > 10.0.0.2:8080 UDP len=4',
  ]);
});

test('a closed NAT translates nothing', () => {
  const bench = new NatBench();
  bench.nat.close();
  bench.nat.close();
  assert.deepEqual(bench.udp(A, R), ['out 10.0.0.2:5000 > 198.51.100.7:53 UDP len=4']);
});

/** The fragments of a datagram of 3000 bytes, in frames. */
function fragmentsOf(ends: Ends, sourcePort: number, port: number): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  fragmentPacket(
    udpFrame(
      { ...ends, v4: { dontFragment: false, identification: 9 } },
      sourcePort,
      port,
      pattern(0, 3000),
    ),
    1280,
    seededRandom(1),
    (length) => new Uint8Array(length),
    (fragment) => {
      fragment.set(udpFrame(ends, 0, 0, new Uint8Array(0)).subarray(0, 14));
      fragments.push(fragment);
      return true;
    },
  );
  return fragments;
}

/** The datagram that fragments make, as a line; its checksum has been found right. */
function wholeOf(frames: readonly Uint8Array[]): string {
  const whole = new Reassembler({ random: seededRandom(1) }, { timedOut() {} });
  const from = { interface: { name: 'eth1' }, toGroup: false } as never;
  for (const frame of frames) {
    const v4 = parseIpv4(frame, 14, frame.length);
    let packet: Uint8Array | undefined;
    if (isFault(v4)) {
      const v6 = parseIpv6(frame, 14, frame.length) as Ipv6Header;
      const chain = walkIpv6(frame, 14, frame.length, v6) as Ipv6Chain;
      packet = whole.addV6(v6, chain, frame, 14, from, 0);
    } else packet = whole.addV4(v4, frame, 14, from, 0);
    if (packet === undefined) continue;
    const joined = concatBytes([frame.subarray(0, 14), packet]);
    assertIntact(joined);
    return describeFrame(joined);
  }
  return 'nothing whole';
}

test('REQ-14: fragments in any order go through, whole and in fragments again', () => {
  for (const [inside, remote, external] of [
    [A, R, '203.0.113.1:5000'],
    ['[fd00::2]:5000', '[2001:db8:f::7]:53', '[2001:db8::1]:5000'],
  ] as const) {
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      const bench = new NatBench({ outside: { mtu: 1280 } });
      const out: string[] = [];
      const frames: Uint8Array[] = [];
      for (const index of order) {
        out.push(
          ...bench.send(end(inside), end(remote), (ends) => fragmentsOf(ends, 5000, 53)[index]!),
        );
        frames.push(...bench.sent);
      }
      assert.equal(out.length, 3);
      assert.ok(frames.every(({ length }) => length <= 1294));
      assert.equal(wholeOf(frames), `${external} > ${remote} UDP len=3000`);
      const back: Uint8Array[] = [];
      for (const index of order) {
        bench.send(end(remote), end(external), (ends) => fragmentsOf(ends, 53, 5000)[index]!);
        back.push(...bench.sent);
      }
      assert.equal(wholeOf(back), `${remote} > ${inside} UDP len=3000`);
    }
  }
});

test('REQ-12: an ICMP error neither ends a mapping nor prolongs it', () => {
  const bench = new NatBench();
  bench.udp(A, R);
  const sent = bench.last;
  bench.pass(200_000);
  assert.match(
    bench.error('198.51.100.7', '203.0.113.1', 3, 3, 0, sent).join(),
    /^in .*10\.0\.0\.2:5000/,
  );
  assert.equal(bench.nat.flowCount, 1);
  bench.pass(101_000);
  assert.equal(bench.nat.flowCount, 0);
});

test('REQ-13: a packet with DF that is too big for the way out is reported with its MTU, as it came', () => {
  const bench = new NatBench({ outside: { mtu: 1300 } });
  assert.match(
    bench.udp(A, R, 1400).join(),
    /^in 10\.0\.0\.1 > 10\.0\.0\.2 ICMP fragmentation needed mtu=1300 for 10\.0\.0\.2:5000 > 198\.51\.100\.7:53 UDP/,
  );
});
