/** Segments that somebody else may have sent: RFC 5961, floods, LAND, forged ICMP; and what the network rightly says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IpAddress, MacAddress, seededRandom } from '../../core/index.ts';
import { ETHERNET_HEADER_LENGTH, Icmpv4Type, Icmpv6Type } from '../../wire/index.ts';
import { icmpFrame } from '../../../test/ip/frames.ts';
import {
  PEER_ISN,
  SegmentBench,
  type HandshakeOptions,
  type SegmentBenchOptions,
} from '../../../test/ip/segment-bench.ts';
import { PatternUser } from '../../../test/ip/stack-bench.ts';

function accepted(
  options: SegmentBenchOptions = {},
  handshake: HandshakeOptions = {},
): { bench: SegmentBench; user: PatternUser } {
  const bench = new SegmentBench(options);
  return { bench, user: bench.accept(handshake) };
}

test('a reset with the number expected next resets (RFC 5961, section 3.2, rule 2)', () => {
  const { bench, user } = accepted();
  bench.peer('R 1');
  bench.expect();
  assert.deepEqual(user.events, ['closed CONNECTION_RESET']);
  assert.equal(bench.stack.tcp.flows.size, 0);
});

test('a reset elsewhere in the window is asked about (RFC 5961, section 3.2, rule 3)', () => {
  const { bench, user } = accepted();
  bench.peer('R 2');
  bench.expect('. 1 ack 1');
  bench.peer('R 60000');
  bench.expect('. 1 ack 1');
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-challenged'), 2);
  assert.equal(user.connection.state, 'established');
});

test('a reset outside the window is dropped (RFC 5961, section 3.2, rule 1)', () => {
  const { bench, user } = accepted();
  bench.peer('R 0');
  bench.peer('R 100000');
  bench.expect();
  assert.equal(user.connection.state, 'established');
});

test('a reset is seen through a closed window (RFC 9293, section 3.10.7.4, MUST-66)', () => {
  const { bench, user } = accepted({ limits: { tcp: { receiveBuffer: 1000 } } });
  user.connection.pause();
  bench.peer('P. 1:1001 ack 1');
  bench.pass(40);
  bench.expect('. 1 ack 1001 win 0');
  bench.peer('R 1001');
  assert.deepEqual(user.events, ['closed CONNECTION_RESET']);
});

test('a SYN on a connection is asked about, wherever its number (RFC 5961, section 4.2)', () => {
  const { bench, user } = accepted();
  bench.peer('S 100 <mss 1460>');
  bench.expect('. 1 ack 1');
  bench.peer('S 1000000 <mss 1460>');
  bench.expect('. 1 ack 1');
  bench.peer('S. 0 ack 1 <mss 1460>');
  assert.equal(bench.segments()[0]!.acknowledgment, 1);
  assert.equal(user.connection.state, 'established');
});

test('an acknowledgment of what was never sent is answered and dropped (RFC 5961, section 5.2)', () => {
  const { bench, user } = accepted();
  bench.peer('P. 1:11 ack 2');
  bench.expect('. 1 ack 1');
  assert.equal(user.received, 0);
});

test('an acknowledgment from long ago is answered and dropped, a little old one is not (RFC 5961, section 5.2)', () => {
  const { bench, user } = accepted({}, { window: 1000 });
  user.write(3000);
  bench.settle();
  for (const acknowledged of [1001, 2001, 3001]) bench.peer(`. 1 ack ${acknowledged}`);
  bench.segments();
  // More than the largest window behind.
  bench.peer('P. 1:11 ack 2000');
  bench.expect('. 3001 ack 1');
  assert.equal(user.received, 0);
  bench.peer('P. 1:11 ack 2001');
  assert.equal(user.received, 10);
});

test('challenges are limited over all connections (RFC 5961, section 7)', () => {
  const { bench } = accepted({ limits: { tcp: { challengeAcknowledgments: 5 } } });
  for (let i = 0; i < 50; i++) bench.peer('R 2');
  assert.equal(bench.segments().length, 5);
  bench.pass(1000);
  for (let i = 0; i < 50; i++) bench.peer('R 2');
  assert.equal(bench.segments().length, 5);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-challenged'), 100);
});

test('an older half-open connection gives way when too many wait, and the drop is counted', () => {
  const bench = new SegmentBench();
  const listener = bench.listen(2);
  for (let i = 0; i < 3; i++) {
    bench.peerPort = 6000 + i;
    bench.peer('S 0 <mss 1460>');
  }
  assert.equal(bench.segments().length, 3);
  assert.equal(listener.halfOpen, 2);
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-half-open-limit'), 1);
  // The first is not known any more.
  bench.peerPort = 6000;
  bench.stackIsn = 0;
  bench.peer('. 1 ack 77');
  bench.expect('R 77');
});

test('whoever completes the handshake is let in during a flood of 10,000 SYNs, and memory stays within limits', () => {
  const bench = new SegmentBench();
  bench.listen();
  const random = seededRandom(7);
  for (let i = 0; i < 10_000; i++) {
    if (i === 5000) {
      bench.peerPort = 5000;
      bench.peer('S 0 <mss 1460>');
      bench.segments();
    }
    if (i === 5500) {
      bench.peerPort = 5000;
      bench.peer('. 1 ack 1');
    }
    const isn = bench.stackIsn;
    bench.peerPort = 10_000 + random.below(50_000);
    bench.peer(`S ${random.below(1_000_000)} <mss 1460>`);
    if (i % 100 === 0) bench.pass(1);
    bench.take();
    bench.stackIsn = isn;
  }
  assert.equal(bench.accepted.length, 1);
  assert.ok(bench.stack.tcp.connections <= 1025);
  const user = new PatternUser(bench.accepted[0]!);
  bench.peerPort = 5000;
  bench.peer('P. 1:101 ack 1');
  assert.equal(user.received, 100);
  bench.pass(200_000);
  assert.equal(bench.stack.tcp.connections, 1, 'what was half-open is forgotten');
});

test('connections are limited, and the one too many is not answered', () => {
  const bench = new SegmentBench({ limits: { tcp: { connections: 1 } } });
  bench.accept();
  bench.peerPort++;
  bench.peer('S 0 <mss 1460>');
  bench.expect();
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-connection-limit'), 1);
  assert.throws(() => bench.connect(), { code: 'TOO_MANY_OPEN' });
});

test('a packet from our own address is dropped where it enters (LAND: RFC 1122, section 3.2.1.3)', () => {
  const bench = new SegmentBench();
  bench.listen();
  const own = { ...bench.ends, source: bench.ends.destination };
  const land = Object.assign(bench, { ends: own }).peerFrame('S 0 <mss 1460>');
  bench.inject(land);
  bench.expect();
  assert.equal(bench.interface.drops.get('ipv4-source-is-ours'), 1);
  assert.equal(bench.stack.tcp.connections, 0);
});

test('segments to a broadcast or group address, or in a broadcast frame, are dropped (RFC 9293, section 3.9.2.3, MUST-57)', () => {
  const bench = new SegmentBench();
  bench.listen();
  const { ends } = bench;
  for (const [destination, mac] of [
    ['255.255.255.255', MacAddress.BROADCAST],
    ['10.0.0.255', MacAddress.BROADCAST],
    ['224.0.0.1', MacAddress.ofMulticast(4, 0xe000_0001)],
    ['10.0.0.1', MacAddress.BROADCAST],
  ] as const) {
    const address = IpAddress.parse(destination);
    Object.assign(bench, { ends: { ...ends, destination: address, destinationMac: mac } });
    bench.peer('S 0 <mss 1460>');
    bench.expect();
  }
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-to-group'), 4);
  assert.equal(bench.stack.tcp.connections, 0);
});

test('a segment from a broadcast or group address is dropped (RFC 9293, section 3.9.2.3, MUST-63)', () => {
  const bench = new SegmentBench();
  bench.listen();
  const { ends } = bench;
  for (const source of ['10.0.0.255', '224.0.0.1', '255.255.255.255']) {
    Object.assign(bench, { ends: { ...ends, source: IpAddress.parse(source) } });
    bench.peer('S 0 <mss 1460>');
    bench.expect();
  }
  assert.equal(bench.interface.drops.get('ipv4-source-is-group'), 3);
});

/** An ICMP error about the segment the stack has sent last. */
function icmpAbout(
  bench: SegmentBench,
  frame: Uint8Array,
  type: number,
  code: number,
  rest = 0,
): void {
  const quote = frame.subarray(ETHERNET_HEADER_LENGTH, ETHERNET_HEADER_LENGTH + 548);
  bench.inject(icmpFrame(bench.ends, type, code, rest, quote));
}

test('a router’s word of a smaller MTU makes segments smaller, and what was too large goes again (RFC 1191; RFC 8201)', () => {
  for (const [family, type, code, mtu, size] of [
    [4, Icmpv4Type.DESTINATION_UNREACHABLE, 4, 1000, 960],
    [6, Icmpv6Type.PACKET_TOO_BIG, 0, 1300, 1240],
  ] as const) {
    const { bench, user } = accepted({ family });
    user.write(3 * size);
    bench.settle();
    const [first] = bench.segments();
    assert.ok(first!.length > size);
    icmpAbout(bench, first!.frame.bytes, type, code, mtu);
    const again = bench.segments();
    assert.deepEqual([again[0]!.sequence, again[0]!.length], [1, size]);
    assert.ok(again.every(({ length }) => length <= size));
    bench.peer(`. 1 ack ${3 * size + 1}`);
    user.write(2 * size);
    bench.settle();
    assert.ok(bench.segments().every(({ length }) => length === size));
  }
});

test('a forged word of a smaller MTU is ignored: its number is not in flight (RFC 5927, section 4.1 and 7.2)', () => {
  const { bench, user } = accepted();
  user.write(1460);
  bench.settle();
  const [sent] = bench.segments();
  bench.peer('. 1 ack 1461');
  // What was acknowledged is not in flight any more, and what comes next not yet.
  icmpAbout(bench, sent!.frame.bytes, Icmpv4Type.DESTINATION_UNREACHABLE, 4, 600);
  const next = sent!.frame.bytes.slice();
  new DataView(next.buffer).setUint32(38, (bench.stackIsn + 1461) >>> 0);
  icmpAbout(bench, next, Icmpv4Type.DESTINATION_UNREACHABLE, 4, 600);
  assert.equal(bench.stack.drops.get('icmp-error-unmatched'), 2);
  user.write(1460);
  bench.settle();
  bench.expect('P. 1461:2921 ack 1');
});

test('a word of an MTU that the segment would have fitted through is ignored (RFC 8201, section 4)', () => {
  const { bench, user } = accepted();
  user.write(1000);
  bench.settle();
  const [sent] = bench.segments();
  icmpAbout(bench, sent!.frame.bytes, Icmpv4Type.DESTINATION_UNREACHABLE, 4, 1200);
  assert.equal(user.connection.sender.segmentSize, 1460);
});

test('after ten minutes the larger MTU is tried again (RFC 1191, section 6.3; RFC 8201, section 4)', () => {
  const { bench, user } = accepted();
  user.write(1460);
  bench.settle();
  icmpAbout(bench, bench.segments()[0]!.frame.bytes, Icmpv4Type.DESTINATION_UNREACHABLE, 4, 1000);
  bench.peer('. 1 ack 1461');
  bench.segments();
  bench.pass(600_000);
  user.write(1460);
  bench.settle();
  bench.expect('P. 1461:2921 ack 1');
});

test('while connecting, an unreachable host or port ends the attempt (RFC 9293, section 3.9.2.2; RFC 5461, section 4.1)', () => {
  for (const [code, error] of [
    [0, 'NETWORK_UNREACHABLE'],
    [1, 'HOST_UNREACHABLE'],
    [3, 'CONNECTION_REFUSED'],
    [13, 'HOST_UNREACHABLE'],
  ] as const) {
    const bench = new SegmentBench();
    const connection = bench.connect();
    const [syn] = bench.expect('S 0');
    icmpAbout(bench, syn!.frame.bytes, Icmpv4Type.DESTINATION_UNREACHABLE, code);
    assert.equal(bench.error?.code, error);
    assert.equal(connection.state, 'closed');
  }
});

test('a forged error while connecting is ignored: its number is not our SYN’s (RFC 5927, section 4.1)', () => {
  const bench = new SegmentBench();
  const connection = bench.connect();
  const [syn] = bench.expect('S 0');
  const forged = syn!.frame.bytes.slice();
  forged[41]! ^= 0x55;
  icmpAbout(bench, forged, Icmpv4Type.DESTINATION_UNREACHABLE, 3);
  assert.equal(connection.state, 'syn-sent');
});

test('an established connection goes on trying whatever the network says (RFC 9293, section 3.9.2.2, MUST-56; RFC 5927, section 6)', () => {
  const { bench, user } = accepted();
  user.write(100);
  bench.settle();
  const [sent] = bench.segments();
  for (const code of [0, 1, 2, 3, 5, 13]) {
    icmpAbout(bench, sent!.frame.bytes, Icmpv4Type.DESTINATION_UNREACHABLE, code);
  }
  icmpAbout(bench, sent!.frame.bytes, Icmpv4Type.TIME_EXCEEDED, 0);
  assert.equal(user.connection.state, 'established');
  bench.pass(300);
  bench.expect('P. 1:101 ack 1');
  assert.equal(bench.stack.tcp.statistics.drops.get('tcp-port-unreachable'), 1);
});

test('a neighbour that does not answer ends the attempt to connect (RFC 4861, section 7.2.2)', () => {
  const bench = new SegmentBench();
  const nobody = IpAddress.parse('10.0.0.77');
  let code: string | undefined;
  const path = bench.stack.paths.find(nobody, undefined);
  bench.stack.tcp.connect(path, 0, 80, (_made, error) => {
    code = error?.code;
  });
  bench.pass(2999);
  assert.equal(code, undefined);
  bench.pass(2);
  assert.equal(code, 'HOST_UNREACHABLE');
});

test('connecting without a route fails at once, by name', () => {
  const bench = new SegmentBench();
  assert.throws(() => bench.stack.paths.find(IpAddress.parse('192.0.2.1'), undefined), {
    code: 'NETWORK_UNREACHABLE',
  });
});

test('initial numbers and timestamps of one peer tell nothing of another’s (RFC 6528, section 3; RFC 7323, section 5.4)', () => {
  const bench = new SegmentBench();
  bench.listen();
  const numbers = new Set<number>();
  const timestamps = new Set<number>();
  for (let i = 0; i < 50; i++) {
    bench.peerPort = 7000 + i;
    const source = IpAddress.parse(`10.0.0.${10 + i}`);
    bench.learn(source);
    Object.assign(bench, { ends: { ...bench.ends, source } });
    bench.peer('S 0 <mss 1460,ts>');
    const [answer] = bench.segments();
    numbers.add(answer!.header.sequence >>> 16);
    timestamps.add(answer!.header.timestampValue >>> 16);
  }
  assert.ok(numbers.size > 45 && timestamps.size > 45);
  assert.equal(PEER_ISN, PEER_ISN | 0);
});
