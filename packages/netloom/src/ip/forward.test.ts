/** A stack as router between two links. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cidr, IpAddress, MacAddress } from '../core/index.ts';
import { IpProtocol, describeFrame, isFault, parseIpv4 } from '../wire/index.ts';
import { icmpFrame, ipFrame, udpDatagram, udpFrame, type Ends } from '../../test/ip/frames.ts';
import {
  PEER_MAC,
  SECOND_PEER_MAC,
  SECOND_STACK_MAC,
  STACK_MAC,
  StackBench,
  type CableOptions,
  type FarEnd,
  type StackBenchOptions,
} from '../../test/ip/stack-bench.ts';

const LEFT = { 4: IpAddress.parse('10.0.0.2'), 6: IpAddress.parse('2001:db8::2') } as const;
const RIGHT = { 4: IpAddress.parse('10.1.0.2'), 6: IpAddress.parse('2001:db8:1::2') } as const;

/** A router between 10.0.0.0/24 and 10.1.0.0/24, 2001:db8::/64 and 2001:db8:1::/64, that knows one station on each. */
function router(
  right: CableOptions = {},
  options: StackBenchOptions = {},
): { bench: StackBench; right: FarEnd } {
  const bench = new StackBench({ forwarding: true, ...options });
  const far = bench.addCable({ addresses: ['10.1.0.1/24', '2001:db8:1::1/64'], ...right });
  for (const family of [4, 6] as const) {
    bench.learn(LEFT[family]);
    far.learn(RIGHT[family], SECOND_PEER_MAC);
  }
  bench.take();
  return { bench, right: far };
}

/** From the left station to the right one. */
function across(family: 4 | 6, change: Partial<Ends> = {}): Ends {
  return {
    source: LEFT[family],
    destination: RIGHT[family],
    sourceMac: PEER_MAC,
    destinationMac: STACK_MAC,
    ...change,
  };
}

test('a packet goes on with one hop less, whole and with its checksums right (RFC 1812, section 5.2.1; RFC 8200, section 3)', () => {
  for (const family of [4, 6] as const) {
    const { bench, right } = router();
    bench.inject(udpFrame(across(family, { hopLimit: 9 }), 7, 8, new Uint8Array(100).fill(3)));
    const [sent] = right.take();
    const ends = across(family, {
      hopLimit: 8,
      sourceMac: SECOND_STACK_MAC,
      destinationMac: SECOND_PEER_MAC,
    });
    assert.deepEqual(sent!.bytes, udpFrame(ends, 7, 8, new Uint8Array(100).fill(3)));
    assert.deepEqual(bench.lines(), []);
  }
});

test('a stack that is no router drops what is for others', () => {
  const { bench, right } = router({}, { forwarding: false });
  bench.inject(udpFrame(across(4), 7, 8, new Uint8Array(1)));
  assert.deepEqual(right.lines(), []);
  assert.equal(bench.interface.drops.get('ip-not-for-us'), 1);
});

test('what waits for the next station’s address is passed on when that is known', () => {
  const { bench, right } = router();
  const destination = IpAddress.parse('10.1.0.9');
  bench.inject(udpFrame(across(4, { destination }), 7, 8, new Uint8Array(5)));
  assert.match(right.lines().join(), /^ARP who has 10\.1\.0\.9\?/);
  right.learn(destination, SECOND_PEER_MAC);
  assert.deepEqual(right.lines(), ['10.0.0.2:7 > 10.1.0.9:8 UDP len=5']);
});

test('a packet on its last hop is dropped and its sender told (RFC 1812, section 5.3.1; RFC 4443, section 3.3)', () => {
  for (const [family, line] of [
    [4, '10.0.0.1 > 10.0.0.2 ICMP time to live exceeded for 10.0.0.2:7 > 10.1.0.2:8 UDP'],
    [
      6,
      '2001:db8::1 > 2001:db8::2 ICMPv6 time to live exceeded for [2001:db8::2]:7 > [2001:db8:1::2]:8 UDP',
    ],
  ] as const) {
    const { bench, right } = router();
    bench.inject(udpFrame(across(family, { hopLimit: 1 }), 7, 8, new Uint8Array(1)));
    assert.deepEqual(bench.lines(), [line]);
    assert.deepEqual(right.lines(), []);
    assert.equal(bench.interface.drops.get('forward-hop-limit'), 1);
  }
});

test('without a route the sender is told (RFC 1812, section 5.2.7.1; RFC 4443, section 3.1)', () => {
  for (const [family, destination, kind] of [
    [4, '192.0.2.1', 'ICMP network unreachable'],
    [6, '2001:db8:ffff::1', 'ICMPv6 no route'],
  ] as const) {
    const { bench } = router();
    const ends = across(family, { destination: IpAddress.parse(destination) });
    bench.inject(udpFrame(ends, 7, 8, new Uint8Array(1)));
    assert.match(bench.lines().join(), new RegExp(kind));
    assert.equal(bench.interface.drops.get('forward-no-route'), 1);
  }
});

test('a host that does not answer on the next link is reported to the sender (RFC 1812, section 5.2.7.1; RFC 4861, section 7.2.2)', () => {
  for (const [family, destination, kind] of [
    [4, '10.1.0.77', /10\.0\.0\.1 > 10\.0\.0\.2 ICMP host unreachable for 10\.0\.0\.2:7/],
    [6, '2001:db8:1::77', /2001:db8::1 > 2001:db8::2 ICMPv6 address unreachable/],
  ] as const) {
    const { bench } = router();
    const ends = across(family, { destination: IpAddress.parse(destination) });
    bench.inject(udpFrame(ends, 7, 8, new Uint8Array(1)));
    bench.pass(3500);
    assert.match(bench.lines().join(), kind);
  }
});

test('a packet too big for the next link is reported with that link’s MTU (RFC 1191, section 4; RFC 4443, section 3.2)', () => {
  for (const [family, kind] of [
    [4, /fragmentation needed.* mtu=1300/],
    [6, /packet too big.* mtu=1300/],
  ] as const) {
    const { bench, right } = router({ mtu: 1300 });
    bench.inject(udpFrame(across(family), 7, 8, new Uint8Array(1400)));
    assert.match(bench.lines().join(), kind);
    assert.deepEqual(right.lines(), []);
  }
});

test('an IPv4 packet that may be cut is cut (RFC 1812, section 4.2.2.7)', () => {
  const { bench, right } = router({ mtu: 600 });
  const ends = across(4, { v4: { dontFragment: false, identification: 5 } });
  bench.inject(udpFrame(ends, 7, 8, new Uint8Array(1400)));
  const frames = right.take();
  assert.deepEqual(
    frames.map(({ bytes }) => {
      const header = parseIpv4(bytes, 14, bytes.length);
      assert.ok(!isFault(header));
      return [header.fragmentOffset, header.totalLength, header.moreFragments, header.timeToLive];
    }),
    [
      [0, 596, true, 63],
      [576, 596, true, 63],
      [1152, 276, false, 63],
    ],
  );
});

test('a datagram whose checksum was left to the link is completed before it is cut', () => {
  const offload = { checksum: true, segmentation: 65_550 };
  const { bench, right } = router({ mtu: 600 }, { offload, mtu: 1500 });
  const ends = across(4, { v4: { dontFragment: false } });
  const frame = udpFrame(ends, 7, 8, new Uint8Array(1000).fill(9));
  const whole = udpDatagram(ends, 7, 8, new Uint8Array(1000).fill(9));
  // The sum of the pseudo-header stands where the checksum belongs.
  const pseudo = 0x0a00 + 2 + 0x0a01 + 2 + IpProtocol.UDP + 1008;
  frame.set([pseudo >>> 8, pseudo & 0xff], 40);
  bench.inject(frame, { checksumStart: 34, checksumOffset: 6, segmentSize: 0 });
  const [first] = right.take();
  assert.deepEqual(first!.bytes.subarray(34, 42), whole.subarray(0, 8));
});

test('a packet to be cut whose checksum was left to be made where none can be is dropped and counted', () => {
  for (const checksumStart of [13, 60_000]) {
    const offload = { checksum: true, segmentation: 65_550 };
    const { bench, right } = router({ offload, mtu: 1500 }, { offload, mtu: 9000 });
    const ends = { ...across(4), v4: { dontFragment: false } };
    const frame = udpFrame(ends, 7, 7, new Uint8Array(4000));
    bench.inject(frame, { checksumStart, checksumOffset: 6, segmentSize: 0 });
    assert.deepEqual(right.lines(), []);
    assert.equal(bench.interface.drops.get('forward-bad-offload'), 1);
  }
});

test('a large segment left to the link is passed on for the next link to cut', () => {
  const offload = { checksum: true, segmentation: 65_550 };
  const { bench, right } = router({ offload }, { offload });
  const tcp = new Uint8Array(20 + 5000);
  tcp[12] = 0x50;
  const frame = ipFrame(across(4), IpProtocol.TCP, tcp);
  const left = { checksumStart: 34, checksumOffset: 16, segmentSize: 1000 };
  bench.inject(frame, left);
  const [sent] = right.take();
  assert.deepEqual(sent!.offload, { ...left, checksumVerified: false });
  assert.equal(sent!.bytes.length, frame.length);
});

test('a broadcast into another network is not passed on (RFC 2644)', () => {
  const { bench, right } = router();
  bench.inject(
    udpFrame(across(4, { destination: IpAddress.parse('10.1.0.255') }), 7, 7, new Uint8Array(1)),
  );
  assert.deepEqual(right.lines(), []);
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.drops.get('forward-directed-broadcast'), 1);
});

test('groups, link-local addresses and what came in a broadcast frame stay on their link (RFC 1812, section 5.3.4; RFC 4291, section 2.5.6)', () => {
  const { bench, right } = router();
  const change: readonly (readonly [4 | 6, Partial<Ends>])[] = [
    [4, { destination: IpAddress.parse('239.1.2.3') }],
    [4, { destination: IpAddress.parse('169.254.1.1') }],
    [4, { source: IpAddress.parse('169.254.1.1') }],
    [4, { source: IpAddress.ANY4 }],
    [4, { destinationMac: MacAddress.BROADCAST }],
    [6, { destination: IpAddress.parse('ff0e::1') }],
    [6, { destination: IpAddress.parse('fe80::77') }],
    [6, { source: IpAddress.parse('fe80::77') }],
  ];
  for (const [family, each] of change) {
    bench.inject(udpFrame(across(family, each), 7, 8, new Uint8Array(1)));
  }
  assert.deepEqual(right.lines(), []);
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.interface.drops.total(), change.length);
});

test('nothing is said of errors, of later fragments, or to senders that are nobody (RFC 1122, section 3.2.2; RFC 4443, section 2.4 e)', () => {
  const { bench } = router();
  const last: Partial<Ends> = { hopLimit: 1 };
  bench.inject(icmpFrame(across(4, last), 3, 1, 0, new Uint8Array(28)));
  bench.inject(icmpFrame(across(6, last), 1, 0, 0, new Uint8Array(48)));
  bench.inject(icmpFrame(across(4, last), 0, 0, 0, new Uint8Array(8)));
  const later = across(4, { ...last, v4: { fragmentOffset: 64, dontFragment: false } });
  bench.inject(ipFrame(later, IpProtocol.UDP, new Uint8Array(64)));
  bench.inject(
    udpFrame(across(4, { ...last, source: IpAddress.parse('127.0.0.1') }), 7, 8, new Uint8Array(1)),
  );
  assert.deepEqual(bench.lines(), []);
  // An echo request is not an error.
  bench.inject(icmpFrame(across(4, last), 8, 0, 0, new Uint8Array(8)));
  bench.inject(icmpFrame(across(6, last), 128, 0, 0, new Uint8Array(8)));
  assert.equal(bench.lines().length, 2);
});

test('errors are limited to so many a second (RFC 4443, section 2.4 f; RFC 1812, section 4.3.2.8)', () => {
  const { bench } = router({}, { limits: { stack: { icmpErrors: 10 } } });
  for (let i = 0; i < 100; i++) {
    bench.inject(udpFrame(across(4, { hopLimit: 1 }), 7, 8, new Uint8Array(1)));
  }
  assert.equal(bench.lines().length, 10);
  assert.equal(bench.stack.icmp.drops.get('icmp-error-withheld'), 90);
  bench.pass(500);
  for (let i = 0; i < 100; i++) {
    bench.inject(udpFrame(across(4, { hopLimit: 1 }), 7, 8, new Uint8Array(1)));
  }
  assert.equal(bench.lines().length, 5);
});

test('an error quotes as much as fits, and no more (RFC 1812, section 4.3.2.3; RFC 4443, section 2.4 c)', () => {
  for (const [family, length] of [
    [4, 14 + 576],
    [6, 14 + 1280],
  ] as const) {
    const { bench } = router();
    bench.inject(udpFrame(across(family, { hopLimit: 1 }), 7, 8, new Uint8Array(1400)));
    assert.equal(bench.take()[0]!.bytes.length, length);
  }
});

test('routes decide: through another router, by the longest prefix, and anew when they change', () => {
  const { bench, right } = router();
  const nextHop = IpAddress.parse('10.1.0.2');
  const far = IpAddress.parse('192.0.2.1');
  const { stack } = bench;
  stack.addRoute(Cidr.parse('192.0.2.0/24'), right.interface, nextHop);
  const send = (): void =>
    bench.inject(udpFrame(across(4, { destination: far }), 7, 8, new Uint8Array(1)));
  send();
  const [sent] = right.take();
  assert.deepEqual(MacAddress.read(sent!.bytes, 0), SECOND_PEER_MAC);
  assert.equal(describeFrame(sent!.bytes), '10.0.0.2:7 > 192.0.2.1:8 UDP len=1');
  stack.addRoute(Cidr.parse('192.0.2.1/32'), bench.interface, LEFT[4]);
  send();
  assert.deepEqual(right.lines(), []);
  assert.equal(bench.lines().length, 1);
  stack.removeRoute(Cidr.parse('192.0.2.1/32'), bench.interface, LEFT[4]);
  send();
  assert.equal(right.lines().length, 1);
});

test('the router itself answers on either of its addresses, whichever link is asked', () => {
  const { bench, right } = router();
  bench.inject(
    icmpFrame(across(4, { destination: IpAddress.parse('10.1.0.1') }), 8, 0, 7, new Uint8Array(8)),
  );
  assert.match(bench.lines().join(), /^10\.1\.0\.1 > 10\.0\.0\.2 ICMP echo reply/);
  assert.deepEqual(right.lines(), []);
});
