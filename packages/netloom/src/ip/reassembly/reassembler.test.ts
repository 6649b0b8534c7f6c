import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { IpAddress, seededRandom } from '../../core/index.ts';
import {
  ETHERNET_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  IpProtocol,
  Ipv4Header,
  Ipv6Chain,
  Ipv6Header,
  emitIpv4,
  emitIpv6,
  emitIpv6Fragment,
  isFault,
  parseIpv4,
  parseIpv6,
  walkIpv6,
} from '../../wire/index.ts';
import { fragmentPacket } from '../fragmentation.ts';
import { Reassembler, type ReassemblyLimits } from './index.ts';

/** An interface, as far as reassembly is concerned; how a fragment came is a new object each time. */
class Interface {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const ETH0 = new Interface('eth0');
const ETH1 = new Interface('eth1');

/** A reassembler with what it told of timeouts. */
class Bench {
  readonly timedOut: { first: Uint8Array; from: string }[] = [];
  readonly reassembler: Reassembler<{ readonly interface: Interface; readonly station: number }>;

  constructor(limits: Partial<ReassemblyLimits> = {}) {
    this.reassembler = new Reassembler(
      { random: seededRandom(1), limits },
      { timedOut: (first, from) => this.timedOut.push({ first, from: from.interface.name }) },
    );
  }

  /** Hands over a packet as the stack does: parsed first. */
  add(packet: Uint8Array, now = 0, via = ETH0, station = 1): Uint8Array | undefined {
    if (packet[0]! >>> 4 === 4) {
      const header = parseIpv4(packet, 0, packet.length);
      assert.ok(!isFault(header));
      return this.reassembler.addV4(header, packet, 0, { interface: via, station }, now);
    }
    const header = parseIpv6(packet, 0, packet.length);
    assert.ok(!isFault(header));
    const chain = walkIpv6(packet, 0, packet.length, header);
    assert.ok(!isFault(chain), String(chain));
    return this.reassembler.addV6(header, chain, packet, 0, { interface: via, station }, now);
  }

  get drops(): Record<string, number> {
    return this.reassembler.drops.snapshot();
  }
}

interface FragmentOptions {
  readonly offset: number;
  readonly length: number;
  readonly more: boolean;
  readonly identification?: number;
  readonly protocol?: number;
  readonly source?: string;
  readonly ecn?: number;
  readonly fill?: number;
}

/** An IPv4 fragment, of a protocol that has no smallest header unless another is asked for. */
function v4({ offset, length, more, ...options }: FragmentOptions): Uint8Array {
  const header = new Ipv4Header();
  header.totalLength = 20 + length;
  header.identification = options.identification ?? 1;
  header.protocol = options.protocol ?? 253;
  header.trafficClass = options.ecn ?? 0;
  header.fragmentOffset = offset;
  header.moreFragments = more;
  header.source = IpAddress.parse(options.source ?? '192.0.2.1').word3;
  header.destination = IpAddress.parse('192.0.2.2').word3;
  const packet = new Uint8Array(20 + length).fill(options.fill ?? 0x55);
  emitIpv4(header, packet, 0);
  return packet;
}

function v6({ offset, length, more, ...options }: FragmentOptions): Uint8Array {
  const header = new Ipv6Header();
  header.payloadLength = 8 + length;
  header.nextHeader = IpProtocol.FRAGMENT;
  header.trafficClass = options.ecn ?? 0;
  header.setSource(IpAddress.parse(options.source ?? '2001:db8::1'));
  header.setDestination(IpAddress.parse('2001:db8::2'));
  const packet = new Uint8Array(48 + length).fill(options.fill ?? 0x55);
  emitIpv6(header, packet, 0);
  emitIpv6Fragment(options.protocol ?? 253, offset, more, options.identification ?? 1, packet, 40);
  return packet;
}

test('two IPv4 fragments make the packet, its header as if it had never been cut', () => {
  const bench = new Bench();
  assert.equal(bench.add(v4({ offset: 16, length: 5, more: false, fill: 2 })), undefined);
  const whole = bench.add(v4({ offset: 0, length: 16, more: true, fill: 1 }));
  assert.ok(whole !== undefined);
  const header = parseIpv4(whole, 0, whole.length);
  assert.ok(!isFault(header), 'the checksum is right');
  assert.equal(header.totalLength, 41);
  assert.equal(header.isFragment, false);
  assert.deepEqual([...whole.subarray(20)], [...Array(16).fill(1), ...Array(5).fill(2)]);
  assert.equal(bench.reassembler.size, 0);
  assert.equal(bench.reassembler.bytes, 0);
  assert.equal(bench.reassembler.reassembled, 1);
});

test('two IPv6 fragments make the packet, without the Fragment header', () => {
  const bench = new Bench();
  assert.equal(
    bench.add(v6({ offset: 0, length: 16, more: true, fill: 1, protocol: 254 })),
    undefined,
  );
  // The next header of a later fragment is not looked at (RFC 8200, section 4.5).
  const whole = bench.add(v6({ offset: 16, length: 5, more: false, fill: 2, protocol: 200 }));
  assert.ok(whole !== undefined);
  const header = parseIpv6(whole, 0, whole.length);
  assert.ok(!isFault(header));
  assert.equal(header.payloadLength, 21);
  assert.equal(header.nextHeader, 254);
  assert.deepEqual([...whole.subarray(40)], [...Array(16).fill(1), ...Array(5).fill(2)]);
});

test('what fragmentation cuts, reassembly makes whole, in whatever order and with copies', () => {
  const random = seededRandom(2);
  const scenario = fc.record({
    isV6: fc.boolean(),
    hopByHop: fc.boolean(),
    length: fc.integer({ min: 1400, max: 9000 }),
    mtu: fc.integer({ min: 1280, max: 1500 }),
    order: fc.array(fc.nat(), { minLength: 64, maxLength: 64 }),
  });
  fc.assert(
    fc.property(scenario, ({ isV6, hopByHop, length, mtu, order }) => {
      const packet = isV6 ? wholeV6(length, hopByHop) : wholeV4(length);
      const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + packet.length);
      frame.set(packet, ETHERNET_HEADER_LENGTH);
      const fragments: Uint8Array[] = [];
      const cut = fragmentPacket(
        frame,
        mtu,
        random,
        (size) => new Uint8Array(size),
        (fragment) => fragments.push(fragment.subarray(ETHERNET_HEADER_LENGTH)) > 0,
      );
      assert.equal(cut, true);
      assert.ok(fragments.every((fragment) => fragment.length <= mtu));
      const bench = new Bench();
      const shuffled = fragments.toSorted(
        (a, b) => order[fragments.indexOf(a)]! - order[fragments.indexOf(b)]!,
      );
      let whole: Uint8Array | undefined;
      for (const [index, fragment] of shuffled.entries()) {
        assert.equal(whole, undefined, 'not before the last');
        whole = bench.add(fragment);
        if (whole === undefined)
          assert.equal(bench.add(shuffled[order[index]! % (index + 1)]!), undefined);
      }
      assert.deepEqual(whole, packet);
      assert.equal(bench.reassembler.bytes, 0);
    }),
  );
});

function wholeV4(length: number): Uint8Array {
  const header = new Ipv4Header();
  header.totalLength = 20 + length;
  header.identification = 77;
  header.protocol = IpProtocol.UDP;
  header.trafficClass = 0xb8;
  header.source = IpAddress.parse('192.0.2.1').word3;
  header.destination = IpAddress.parse('192.0.2.2').word3;
  const packet = Uint8Array.from({ length: 20 + length }, (_, i) => i * 31);
  emitIpv4(header, packet, 0);
  return packet;
}

/** With a hop-by-hop header that stays in front of each fragment. */
function wholeV6(length: number, hopByHop: boolean): Uint8Array {
  const header = new Ipv6Header();
  header.payloadLength = length;
  header.trafficClass = 0xb8;
  header.nextHeader = hopByHop ? IpProtocol.HOP_BY_HOP : IpProtocol.UDP;
  header.setSource(IpAddress.parse('2001:db8::1'));
  header.setDestination(IpAddress.parse('2001:db8::2'));
  const packet = Uint8Array.from({ length: IPV6_HEADER_LENGTH + length }, (_, i) => i * 31);
  emitIpv6(header, packet, 0);
  if (hopByHop) packet.set([IpProtocol.UDP, 0, 1, 4, 0, 0, 0, 0], IPV6_HEADER_LENGTH);
  return packet;
}

for (const [name, make] of [
  ['IPv4', v4],
  ['IPv6', v6],
] as const) {
  test(`${name}: an overlap drops the datagram, and what still comes of it (RFC 5722, section 4)`, () => {
    const bench = new Bench();
    bench.add(make({ offset: 0, length: 24, more: true }));
    bench.add(make({ offset: 16, length: 16, more: true }));
    assert.equal(bench.add(make({ offset: 24, length: 8, more: false })), undefined);
    assert.equal(bench.add(make({ offset: 0, length: 24, more: true })), undefined);
    assert.deepEqual(bench.drops, { 'given-up': 2, overlap: 1 });
    bench.reassembler.advance(60_000);
    assert.deepEqual(bench.timedOut, [], 'silently');
    assert.equal(bench.reassembler.size, 0);
    assert.equal(bench.reassembler.bytes, 0);
    // Later the same identification can be used again.
    bench.add(make({ offset: 0, length: 24, more: true }), 60_001);
    assert.ok(bench.add(make({ offset: 24, length: 8, more: false }), 60_001) !== undefined);
  });

  test(`${name}: exact copies are tolerated`, () => {
    const bench = new Bench();
    bench.add(make({ offset: 0, length: 24, more: true }));
    bench.add(make({ offset: 0, length: 24, more: true }));
    assert.ok(bench.add(make({ offset: 24, length: 8, more: false })) !== undefined);
    assert.deepEqual(bench.drops, { duplicate: 1 });
  });

  test(`${name}: fragments of one datagram must agree on where it ends`, () => {
    const bench = new Bench();
    bench.add(make({ offset: 24, length: 8, more: false }));
    bench.add(make({ offset: 32, length: 8, more: true }));
    assert.deepEqual(bench.drops, { inconsistent: 1 });
    assert.equal(bench.add(make({ offset: 0, length: 24, more: true })), undefined);
  });

  test(`${name}: datagrams with other keys are others`, () => {
    const bench = new Bench();
    bench.add(make({ offset: 0, length: 8, more: true, fill: 1 }));
    bench.add(make({ offset: 0, length: 8, more: true, fill: 2, identification: 2 }));
    const source = name === 'IPv4' ? '192.0.2.9' : '2001:db8::9';
    bench.add(make({ offset: 0, length: 8, more: true, fill: 3, source }));
    assert.equal(bench.reassembler.size, 3);
    const whole = bench.add(
      make({ offset: 8, length: 1, more: false, fill: 9, identification: 2 }),
    );
    assert.deepEqual([...whole!.subarray(-9)], [...Array(8).fill(2), 9]);
  });

  test(`${name}: after its time a datagram is dropped, and its sender told if the first fragment has come`, () => {
    const bench = new Bench();
    const first = make({ offset: 0, length: 24, more: true });
    bench.add(first, 1000, ETH1);
    bench.add(make({ offset: 24, length: 8, more: true, identification: 2 }), 2000);
    const time = name === 'IPv4' ? 30_000 : 60_000;
    assert.equal(bench.reassembler.deadline(), 1000 + time);
    bench.reassembler.advance(1000 + time - 1);
    assert.deepEqual(bench.timedOut, []);
    bench.reassembler.advance(1000 + time);
    assert.deepEqual(bench.timedOut, [{ first, from: 'eth1' }]);
    bench.reassembler.advance(2000 + time);
    assert.equal(bench.timedOut.length, 1, 'of the second the first fragment never came');
    assert.deepEqual(bench.drops, { 'timed-out': 2 });
    assert.equal(bench.reassembler.deadline(), Infinity);
  });

  test(`${name}: a fragment that says it is whole is, and disturbs no other (RFC 6946, section 4)`, () => {
    const bench = new Bench();
    bench.add(make({ offset: 0, length: 24, more: true }));
    const alone = bench.add(make({ offset: 0, length: 10, more: false, fill: 7 }));
    assert.deepEqual([...alone!.subarray(-10)], Array(10).fill(7));
    assert.equal(alone!.length, (name === 'IPv4' ? 20 : 40) + 10);
    assert.ok(bench.add(make({ offset: 24, length: 8, more: false })) !== undefined);
  });

  test(`${name}: more than 65,535 bytes in all are refused`, () => {
    const bench = new Bench();
    // The last that fits, and the first that does not.
    const fits = name === 'IPv4' ? 65_535 - 20 : 65_535;
    bench.add(make({ offset: fits & ~7, length: fits & 7, more: false }));
    assert.deepEqual(bench.drops, {});
    if (name === 'IPv4') {
      bench.add(
        make({ offset: fits & ~7, length: (fits & 7) + 1, more: false, identification: 2 }),
      );
      assert.deepEqual(bench.drops, { 'too-long': 1 });
    }
  });

  test(`${name}: congestion that one fragment met was met by the datagram (RFC 3168, section 5.3)`, () => {
    for (const [first, second, expected] of [
      [2, 2, 2],
      [2, 3, 3],
      [3, 1, 3],
      [1, 2, 1],
      [0, 0, 0],
      [0, 3, undefined],
      [3, 0, undefined],
    ] as const) {
      const bench = new Bench();
      bench.add(make({ offset: 0, length: 8, more: true, ecn: first }));
      const whole = bench.add(make({ offset: 8, length: 8, more: false, ecn: second }));
      const ecn =
        whole === undefined ? undefined : name === 'IPv4' ? whole[1]! & 3 : (whole[1]! >>> 4) & 3;
      assert.equal(ecn, expected, `${first} with ${second}`);
      assert.equal(bench.reassembler.drops.get('mixed-ecn'), expected === undefined ? 1 : 0);
    }
  });

  test(`${name}: too many fragments, and the datagram is given up`, () => {
    const bench = new Bench({ fragments: 3 });
    for (let i = 0; i < 4; i++) bench.add(make({ offset: 8 * i, length: 8, more: true }));
    assert.deepEqual(bench.drops, { 'given-up': 1, 'too-many-fragments': 1 });
    const enough = new Bench({ fragments: 3 });
    for (let i = 0; i < 2; i++) enough.add(make({ offset: 8 * i, length: 8, more: true }));
    assert.ok(enough.add(make({ offset: 16, length: 8, more: false })) !== undefined);
  });
}

test('IPv4 fragments that are not a multiple of eight or empty are refused (IPv6: walkIpv6 does)', () => {
  const bench = new Bench();
  bench.add(v4({ offset: 0, length: 9, more: true }));
  bench.add(v4({ offset: 8, length: 0, more: false }));
  assert.deepEqual(bench.drops, { 'bad-length': 1, empty: 1 });
  assert.equal(bench.reassembler.size, 0);
});

test('an IPv4 fragment that hides the transport header is refused (RFC 1858, RFC 3128)', () => {
  const { TCP, UDP } = IpProtocol;
  const bench = new Bench();
  bench.add(v4({ offset: 0, length: 16, more: true, protocol: TCP }));
  bench.add(v4({ offset: 8, length: 24, more: false, protocol: TCP }));
  assert.deepEqual(bench.drops, { tiny: 2 });
  bench.add(v4({ offset: 0, length: 24, more: true, protocol: TCP }));
  bench.add(v4({ offset: 0, length: 8, more: true, protocol: UDP }));
  assert.deepEqual(bench.drops, { tiny: 2 });
});

test('an IPv6 first fragment without the whole header chain does not get here (RFC 7112, section 5)', () => {
  const packet = v6({ offset: 0, length: 16, more: true, protocol: IpProtocol.TCP });
  const header = parseIpv6(packet, 0, packet.length);
  assert.ok(!isFault(header));
  const chain = new Ipv6Chain();
  assert.equal(walkIpv6(packet, 0, packet.length, header, chain), 'truncated');
  assert.equal(chain.problemCode, 3);
});

test('a first fragment with more options than the others cannot make the packet too long', () => {
  const bench = new Bench();
  const plain = v4({ offset: 65_512, length: 3, more: false });
  bench.add(plain);
  const header = new Ipv4Header();
  header.headerLength = 24;
  header.totalLength = 24 + 65_504;
  header.identification = 1;
  header.protocol = 253;
  header.moreFragments = true;
  header.source = IpAddress.parse('192.0.2.1').word3;
  header.destination = IpAddress.parse('192.0.2.2').word3;
  const first = new Uint8Array(header.totalLength);
  first.set([1, 1, 1, 0], 20);
  emitIpv4(header, first, 0);
  bench.add(first);
  assert.equal(bench.add(v4({ offset: 65_504, length: 8, more: true })), undefined);
  assert.deepEqual(bench.drops, { 'too-long': 1 });
});

test('link-local addresses mean another station on another interface', () => {
  const bench = new Bench();
  const source = 'fe80::1';
  bench.add(v6({ offset: 0, length: 8, more: true, source }), 0, ETH0);
  assert.equal(bench.add(v6({ offset: 8, length: 8, more: false, source }), 0, ETH1), undefined);
  assert.ok(bench.add(v6({ offset: 8, length: 8, more: false, source }), 0, ETH0) !== undefined);
  // Others may come by several ways.
  bench.add(v6({ offset: 0, length: 8, more: true }), 0, ETH0);
  assert.ok(bench.add(v6({ offset: 8, length: 8, more: false }), 0, ETH1) !== undefined);
});

test('a flood stays within the limits, and one source does not crowd out another', () => {
  const limits = { datagrams: 100, bytes: 100_000, bytesPerSource: 30_000 };
  const bench = new Bench(limits);
  bench.add(v4({ offset: 0, length: 1000, more: true, source: '198.51.100.1', fill: 3 }));
  for (let identification = 0; identification < 5000; identification++) {
    bench.add(v4({ offset: 8 * (identification % 50), length: 504, more: true, identification }));
    assert.ok(bench.reassembler.bytes <= limits.bytesPerSource + 2000);
    assert.ok(bench.reassembler.size <= limits.datagrams);
  }
  assert.ok(bench.reassembler.drops.get('source-evicted') > 4000);
  const rest = v4({ offset: 1000, length: 8, more: false, source: '198.51.100.1' });
  assert.ok(bench.add(rest) !== undefined, 'the honest sender was not disturbed');
});

test('a station that is many sources does not crowd out another', () => {
  const bench = new Bench({ datagrams: 16 });
  bench.add(v4({ offset: 0, length: 16, more: true, source: '192.0.2.200' }), 0, ETH0, 2);
  for (let number = 0; number < 100; number++) {
    const source = `192.0.2.${number}`;
    bench.add(v4({ offset: 0, length: 16, more: true, source }), 0, ETH0, 1);
  }
  assert.equal(bench.reassembler.size, 16);
  const rest = v4({ offset: 16, length: 8, more: false, source: '192.0.2.200' });
  assert.ok(bench.add(rest, 0, ETH0, 2));
});

test('a flood from everywhere stays within the limits', () => {
  const limits = { datagrams: 50, bytes: 40_000 };
  const bench = new Bench(limits);
  for (let i = 0; i < 2000; i++) {
    const source = `10.0.${i >>> 8}.${i & 255}`;
    bench.add(v4({ offset: 0, length: 800 + 8 * (i % 80), more: true, source }));
    assert.ok(bench.reassembler.bytes <= limits.bytes);
    assert.ok(bench.reassembler.size <= limits.datagrams);
  }
  assert.ok(bench.reassembler.drops.get('evicted') >= 1950);
  bench.reassembler.advance(30_000);
  assert.equal(bench.reassembler.bytes, 0);
});

test('whatever fragments come, memory is accounted for to the byte and nothing throws', () => {
  const fragment = fc.record({
    isV6: fc.boolean(),
    offset: fc.nat(6).map((units) => 8 * units),
    length: fc.integer({ min: 1, max: 4 }).map((units) => 8 * units),
    more: fc.boolean(),
    identification: fc.nat(2),
    fill: fc.nat(1),
    gap: fc.nat(5000),
  });
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 60 }), (fragments) => {
      const bench = new Bench({ datagrams: 4, bytes: 4000, bytesPerSource: 2500, fragments: 4 });
      let now = 0;
      for (const { isV6, gap, ...options } of fragments) {
        now += gap;
        bench.reassembler.advance(now);
        bench.add(isV6 ? v6(options) : v4(options), now);
        assert.ok(bench.reassembler.size <= 4 && bench.reassembler.bytes <= 4000);
      }
      bench.reassembler.advance(now + 60_000);
      assert.equal(bench.reassembler.bytes, 0);
      assert.equal(bench.reassembler.size, 0);
    }),
  );
});
