/** What is let in: frames and packets that are not for us, not well formed or not believable; fragments and extension headers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress } from '../core/index.ts';
import { IpProtocol, Ipv4Header, emitIpv4 } from '../wire/index.ts';
import {
  ethernetFrame,
  icmpFrame,
  ipFrame,
  udpDatagram,
  udpFrame,
  type Ends,
} from '../../test/ip/frames.ts';
import { PEER_MAC, STACK_MAC, StackBench } from '../../test/ip/stack-bench.ts';

const OWN = { 4: IpAddress.parse('10.0.0.1'), 6: IpAddress.parse('2001:db8::1') } as const;
const PEER = { 4: IpAddress.parse('10.0.0.2'), 6: IpAddress.parse('2001:db8::2') } as const;

function ends(family: 4 | 6, change: Partial<Ends> = {}): Ends {
  return {
    source: PEER[family],
    destination: OWN[family],
    sourceMac: PEER_MAC,
    destinationMac: STACK_MAC,
    ...change,
  };
}

/** A bench that knows its peer, with a socket at port 53 and the lengths of what that received. */
function listening(): { bench: StackBench; received: number[] } {
  const bench = new StackBench();
  bench.learn(PEER[4]);
  bench.learn(PEER[6]);
  const received: number[] = [];
  bench.stack.udp.bind(IpAddress.ANY6, 53, false).start({
    receive: ([datagram]) => received.push(datagram!.data.length),
  });
  return { bench, received };
}

function query(family: 4 | 6, change: Partial<Ends> = {}): Uint8Array {
  return udpFrame(ends(family, change), 1, 53, new Uint8Array(7));
}

test('frames for other stations, of unknown types, or cut short are dropped and counted', () => {
  const { bench, received } = listening();
  bench.inject(query(4, { destinationMac: MacAddress.parse('02:00:00:00:00:77') }));
  bench.inject(ethernetFrame(PEER_MAC, STACK_MAC, 0x88b5, new Uint8Array(50)));
  bench.inject(query(4).subarray(0, 30));
  bench.inject(query(6).subarray(0, 60));
  assert.deepEqual(received, []);
  assert.deepEqual(bench.interface.drops.snapshot(), {
    'ethernet-other-station': 1,
    'ethernet-unknown-type': 1,
    'ipv4-truncated': 1,
    'ipv6-truncated': 1,
  });
});

test('padding of the link behind the packet is not taken for a part of it', () => {
  const { bench, received } = listening();
  for (const family of [4, 6] as const) {
    const frame = query(family);
    const padded = new Uint8Array(frame.length + 20).fill(0xff);
    padded.set(frame);
    bench.inject(padded);
  }
  assert.deepEqual(received, [7, 7]);
});

test('an IPv4 header with a wrong checksum, version or length is dropped (RFC 1122, section 3.2.1)', () => {
  const { bench, received } = listening();
  const spoil = (at: number, value: number): void => {
    const frame = query(4);
    frame[at] = value;
    bench.inject(frame);
  };
  spoil(14, 0x55);
  spoil(14, 0x44);
  spoil(24, 0);
  spoil(17, 10);
  assert.deepEqual(received, []);
  assert.equal(bench.interface.drops.get('ipv4-bad-version'), 1);
  assert.equal(bench.interface.drops.get('ipv4-bad-length'), 2);
  assert.equal(bench.interface.drops.get('ipv4-bad-checksum'), 1);
});

test('packets from where no packet can come from are dropped (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3)', () => {
  const cases: readonly (readonly [4 | 6, Partial<Ends>, string])[] = [
    [4, { source: IpAddress.parse('127.0.0.1') }, 'ipv4-loopback-from-outside'],
    [4, { destination: IpAddress.parse('127.0.0.1') }, 'ipv4-loopback-from-outside'],
    [4, { destination: IpAddress.parse('127.9.9.9') }, 'ipv4-loopback-from-outside'],
    [4, { source: OWN[4] }, 'ipv4-source-is-ours'],
    [4, { source: IpAddress.parse('10.0.0.255') }, 'ipv4-source-is-group'],
    [4, { source: IpAddress.BROADCAST4 }, 'ipv4-source-is-group'],
    [4, { source: IpAddress.parse('224.1.2.3') }, 'ipv4-source-is-group'],
    [6, { source: IpAddress.LOOPBACK6 }, 'ipv6-loopback-from-outside'],
    [6, { destination: IpAddress.LOOPBACK6 }, 'ipv6-loopback-from-outside'],
    [6, { source: OWN[6] }, 'ipv6-source-is-ours'],
    [6, { source: IpAddress.parse('ff02::1') }, 'ipv6-source-is-group'],
    [4, { destination: IpAddress.parse('10.0.0.9') }, 'ip-not-for-us'],
    [6, { destination: IpAddress.parse('2001:db8::9') }, 'ip-not-for-us'],
  ];
  for (const [family, change, reason] of cases) {
    const { bench, received } = listening();
    bench.inject(query(family, change));
    assert.deepEqual(received, [], reason);
    assert.deepEqual(bench.interface.drops.snapshot(), { [reason]: 1 });
    assert.deepEqual(bench.lines(), []);
  }
});

test('a tentative address is nobody’s yet (RFC 4862, section 5.4)', () => {
  const { bench, received } = listening();
  const entry = bench.interface.addresses.find(({ cidr }) => cidr.address.equals(OWN[4]))!;
  entry.tentative = true;
  bench.inject(query(4));
  assert.deepEqual(received, []);
  entry.tentative = false;
  bench.inject(query(4));
  assert.deepEqual(received, [7]);
});

test('IPv4 options are passed over', () => {
  const { bench, received } = listening();
  const options = Uint8Array.of(1, 1, 1, 1, 0x94, 4, 0, 0);
  const datagram = udpDatagram(ends(4), 1, 53, new Uint8Array(7));
  const bytes = new Uint8Array(14 + 28 + datagram.length);
  bytes.set(query(4).subarray(0, 14));
  bytes.set(options, 34);
  bytes.set(datagram, 42);
  const header = Object.assign(new Ipv4Header(), {
    headerLength: 28,
    totalLength: 28 + datagram.length,
    protocol: IpProtocol.UDP,
    source: PEER[4].word3,
    destination: OWN[4].word3,
  });
  emitIpv4(header, bytes, 14);
  bench.inject(bytes);
  assert.deepEqual(received, [7]);
});

/** An IPv6 frame with these extension headers, `[protocol, bytes]` each, before a UDP datagram to port 53. */
function extended(
  headers: readonly (readonly [number, readonly number[]])[],
  change: Partial<Ends> = {},
): Uint8Array {
  const to = ends(6, change);
  const datagram = udpDatagram(to, 1, 53, new Uint8Array(7));
  const bytes: number[] = [];
  headers.forEach(([, content], i) => {
    bytes.push(headers[i + 1]?.[0] ?? IpProtocol.UDP, ...content);
  });
  return ipFrame(to, headers[0]![0], Uint8Array.of(...bytes, ...datagram));
}

const PADDING = [0, 1, 4, 0, 0, 0, 0];

test('extension headers are followed to the transport (RFC 8200, section 4)', () => {
  const { bench, received } = listening();
  bench.inject(
    extended([
      [IpProtocol.HOP_BY_HOP, PADDING],
      [IpProtocol.DESTINATION_OPTIONS, PADDING],
      [IpProtocol.ROUTING, [0, 0, 0, 0, 0, 0, 0]],
      [IpProtocol.DESTINATION_OPTIONS, PADDING],
    ]),
  );
  assert.deepEqual(received, [7]);
});

test('an unknown option that must not be passed over is reported, at its place (RFC 8200, section 4.2)', () => {
  const { bench, received } = listening();
  bench.inject(extended([[IpProtocol.DESTINATION_OPTIONS, [0, 0x9e, 4, 0, 0, 0, 0]]]));
  assert.deepEqual(received, []);
  assert.match(bench.lines().join(), /parameter problem.*at byte 42/);
  // Of the kind that is dropped in silence, nothing is said; of the kind that is skipped, nothing is made.
  bench.inject(extended([[IpProtocol.DESTINATION_OPTIONS, [0, 0x5e, 4, 0, 0, 0, 0]]]));
  assert.deepEqual(bench.lines(), []);
  bench.inject(extended([[IpProtocol.DESTINATION_OPTIONS, [0, 0x1e, 4, 0, 0, 0, 0]]]));
  assert.deepEqual(received, [7]);
});

test('a chain without end is cut off (RFC 8504, section 5.3)', () => {
  const { bench, received } = listening();
  const headers = Array.from(
    { length: 50 },
    () => [IpProtocol.DESTINATION_OPTIONS, PADDING] as const,
  );
  bench.inject(extended(headers));
  assert.deepEqual(received, []);
  assert.equal(bench.interface.drops.get('ipv6-too-many'), 1);
});

test('a header that nobody knows is reported where it is named (RFC 8200, section 4)', () => {
  const { bench } = listening();
  const payload = Uint8Array.of(200, ...PADDING, 1, 2, 3, 4);
  bench.inject(ipFrame(ends(6), IpProtocol.DESTINATION_OPTIONS, payload));
  assert.match(bench.lines().join(), /parameter problem code 1 at byte 40/);
});

test('nothing follows the header that says so (RFC 8200, section 4.7)', () => {
  const { bench } = listening();
  bench.inject(ipFrame(ends(6), IpProtocol.NO_NEXT_HEADER, new Uint8Array(20)));
  assert.deepEqual(bench.lines(), []);
  assert.deepEqual(bench.interface.drops.snapshot(), { 'ip-no-next-header': 1 });
});

/** The fragments of a datagram of `length` bytes to port 53, each of up to `size` bytes. */
function fragments(family: 4 | 6, length: number, size: number): Uint8Array[] {
  const datagram = udpDatagram(ends(family), 1, 53, new Uint8Array(length).fill(7));
  const frames: Uint8Array[] = [];
  for (let at = 0; at < datagram.length; at += size) {
    const part = datagram.subarray(at, at + size);
    const more = at + size < datagram.length;
    if (family === 4) {
      const v4 = {
        dontFragment: false,
        identification: 99,
        fragmentOffset: at,
        moreFragments: more,
      };
      frames.push(ipFrame(ends(4, { v4 }), IpProtocol.UDP, part));
    } else {
      const offset = at | (more ? 1 : 0);
      const header = [IpProtocol.UDP, 0, offset >>> 8, offset & 0xff, 0, 0, 0, 99];
      frames.push(ipFrame(ends(6), IpProtocol.FRAGMENT, Uint8Array.of(...header, ...part)));
    }
  }
  return frames;
}

test('fragments are put together in any order (RFC 791, section 3.2; RFC 8200, section 4.5)', () => {
  for (const family of [4, 6] as const) {
    const { bench, received } = listening();
    const parts = fragments(family, 4000, 1000);
    for (const part of [...parts.slice(2), ...parts.slice(0, 2).toReversed()]) bench.inject(part);
    assert.deepEqual(received, [4000]);
  }
});

test('overlapping fragments give nothing (RFC 5722, section 4)', () => {
  for (const family of [4, 6] as const) {
    const { bench, received } = listening();
    const [first, second] = fragments(family, 1500, 1000);
    const [, overlapping] = fragments(family, 1500, 992);
    bench.inject(first!);
    bench.inject(overlapping!);
    bench.inject(second!);
    assert.deepEqual(received, []);
    assert.equal(bench.stack.fragments.size, 1, 'remembered, so that the rest is dropped too');
  }
});

test('when the rest does not come, the sender of the first fragment is told (RFC 792; RFC 8200, section 4.5)', () => {
  for (const [family, line] of [
    [4, /10\.0\.0\.1 > 10\.0\.0\.2 ICMP .*reassembly/],
    [6, /2001:db8::1 > 2001:db8::2 ICMPv6 .*reassembly/],
  ] as const) {
    const { bench } = listening();
    const [first, second] = fragments(family, 1500, 1000);
    bench.inject(first!);
    bench.pass(70_000);
    assert.match(bench.lines().join(), line);
    bench.inject(second!);
    bench.pass(70_000);
    assert.deepEqual(bench.lines(), []);
    assert.equal(bench.stack.fragments.bytes, 0);
  }
});

test('an echo request to a group by fragments is no way around the rules', () => {
  const { bench } = listening();
  const whole = icmpFrame(ends(4), 8, 0, 1, new Uint8Array(1000)).subarray(34);
  const destination = IpAddress.parse('10.0.0.255');
  for (let at = 0; at < whole.length; at += 600) {
    const v4 = {
      dontFragment: false,
      identification: 3,
      fragmentOffset: at,
      moreFragments: at + 600 < whole.length,
    };
    const to = ends(4, { destination, destinationMac: MacAddress.BROADCAST, v4 });
    bench.inject(ipFrame(to, IpProtocol.ICMP, whole.subarray(at, at + 600)));
  }
  assert.deepEqual(bench.lines(), []);
  assert.equal(bench.stack.icmp.drops.get('icmp-echo-to-group'), 1);
});
